from vla_course.data.tokenizer import split_words


def rest(word, mark, pieces):
    if not word:
        return []
    for end in reversed(range(1, len(word) + 1)):
        if mark + word[:end] in pieces:
            others = rest(word[end:], "##", pieces)
            return None if others is None else [mark + word[:end]] + others
    return None


def cut(sentence, pieces):
    row = []
    for word in split_words(sentence):
        row.extend(rest(word, "", pieces) or ["[UNK]"])
    return ["[CLS]"] + row + ["[SEP]"]
