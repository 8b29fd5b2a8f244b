import torch

from vla_course.data.tokenizer import split_words


def vocabulary(sentences, least):
    found = split_words(" ".join(sentences))
    return sorted({word for word in found if found.count(word) >= least})


def tokenize(sentences, words):
    names = ["<pad>", "<unk>", *words]
    rows = []
    for sentence in sentences:
        rows.append(torch.tensor([names.index(word) if word in words else 1 for word in split_words(sentence)]))
    tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return tokens, torch.arange(tokens.shape[1]) < lengths[:, None]
