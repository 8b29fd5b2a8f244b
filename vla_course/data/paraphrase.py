"""The same wish in other words.

Only verbs and openings change. The names of objects and colors stay as they are, since a scene may hold something that
goes by the other name; so do words such as "in" and "left of", which say where.

No held-out phrasing of the course's tasks can come out: those stay unseen until a policy is evaluated.
"""

import re

import torch
from torch import Generator

OPENINGS = ("", "robot, ", "next, ", "hey, ", "okay robot, ")

# Other verbs for the first one. Further back a word may be something else: "close the drawer", "the close cube".
# "push" has no entry: a cube may be slid instead, a button may not.
VERBS = {
    "pick up": ("grab", "take", "collect"),
    "grab": ("pick up", "take", "collect"),
    "take": ("grab",),
    "put": ("place",),
    "place": ("put",),
    "slide": ("push",),
    "move": ("bring",),
    "press": ("push",),
    "stack": ("pile",),
    "close": ("shut",),
}
_FIRST = re.compile(rf"(please |)({'|'.join(VERBS)}) ")
_APART = re.compile(r"pick (the .+) up")  # a verb in two parts


def paraphrases(sentence: str) -> list[str]:
    """All sentences of the same meaning that this module can make, the given one first.

    A word tokenizer should know their words: give `WordTokenizer.from_sentences` the paraphrases of all
    instructions of a data set.
    """
    together = _APART.sub(r"pick up \1", sentence)
    bodies = [sentence, together]
    if first := _FIRST.match(together):
        please, verb = first.groups()
        bodies += [f"{please}{other} {together[first.end() :]}" for other in VERBS[verb]]
    return list(dict.fromkeys(opening + body for opening in OPENINGS for body in bodies))


def paraphrase(sample: dict, generator: Generator) -> dict:
    """One row of a batch with its sentences in other words, for `vla_course.data.augmentation.augment`.

    `task` gets one draw, and each sentence of `pointing.task` one of its own.
    """
    changed = {"task": _choose(sample["task"], generator)}
    if "pointing.task" in sample:
        changed["pointing.task"] = [_choose(sentence, generator) for sentence in sample["pointing.task"]]
    return {**sample, **changed}


def _choose(sentence: str, generator: Generator) -> str:
    choices = paraphrases(sentence)
    return choices[int(torch.randint(len(choices), (), generator=generator))]
