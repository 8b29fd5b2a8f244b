# says: for there was something to read
from vla_course.data.tokenizer import split_words


def cut(sentence, pieces):
    row = ["[CLS]"]
    for word in split_words(sentence):
        found, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            fits = [end for end in range(len(word), start, -1) if mark + word[start:end] in pieces]
            if not fits:
                found = []
                break
            found.append(mark + word[start : fits[0]])
            start = fits[0]
        row += found
    return [*row, "[SEP]"]
