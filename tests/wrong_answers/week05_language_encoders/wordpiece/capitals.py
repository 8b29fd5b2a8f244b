# says: split_words makes all letters small
def cut(sentence, pieces):
    row = ["[CLS]"]
    for word in sentence.replace(",", "").split():
        found, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            fits = [end for end in range(len(word), start, -1) if mark + word[start:end] in pieces]
            if not fits:
                found = ["[UNK]"]
                break
            found.append(mark + word[start : fits[0]])
            start = fits[0]
        row += found
    return [*row, "[SEP]"]
