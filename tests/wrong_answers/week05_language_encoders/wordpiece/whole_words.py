# says: may still be cut into pieces that are
from vla_course.data.tokenizer import split_words


def cut(sentence, pieces):
    return ["[CLS]", *(word if word in pieces else "[UNK]" for word in split_words(sentence)), "[SEP]"]
