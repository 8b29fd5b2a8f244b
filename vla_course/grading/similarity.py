"""Which answers look copied. A hint for the instructor; it never changes points.

Winnowing (Schleimer, Wilkerson, Aiken: "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003): hash
each run of K tokens, and of each WINDOW neighbouring hashes keep the smallest. Two answers that share a run of
K + WINDOW - 1 tokens share at least one of the hashes kept, their *fingerprints*, wherever in the text it stands.
"""

import keyword
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np

from vla_course.grading.results import SubmissionResult

K, WINDOW = 8, 4
MOST_TOKENS = 2000  # looked at in one answer, some 200 lines
BLOCK = 10_000  # fingerprints counted at once
THRESHOLD = 0.6  # share of the smaller submission's fingerprints that the other one has too
FEWEST = 12  # fingerprints in common; below, two short answers are alike by chance

# Never fails and never looks twice at a character, whatever the text: what does not close is closed by the end.
_TOKEN = re.compile(
    r"""
    (?P<dropped> \#[^\n]* | [rbfu]{0,2} (?: (?P<triple>'''|\"\"\") (?:\\.|.)*? (?:(?P=triple)|\Z)
                                          | "(?:\\.|[^"\\\n])*+"? | '(?:\\.|[^'\\\n])*+'? ) )
    | (?P<name> [^\W\d]\w* )
    | (?P<other> \d[\w.]* | [^\w\s] )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Pair:
    """Two submissions that are alike.

    Attributes:
        first, second: students, as found.
        share: of the smaller one's fingerprints, those that the other has too; 0 to 1.
        fingerprints: how many they have in common.
        tasks: where, most first.
    """

    first: str
    second: str
    share: float
    fingerprints: int
    tasks: tuple[str, ...]


def tokens(code: str) -> list[str]:
    """The tokens that a change of names, comments, strings or layout leaves as they are.

    Every name is written `v`, but keywords stay, and so does what follows a dot: it is a library's and not theirs.
    """
    found: list[str] = []
    for match in islice(_TOKEN.finditer(code), MOST_TOKENS):
        word, kind = match[0], match.lastgroup
        if kind == "name" and not keyword.iskeyword(word) and found[-1:] != ["."]:
            word = "v"
        if kind in ("name", "other"):
            found.append(word)
    return found


def _grams(code: str) -> list[int]:
    """A hash for each run of K tokens."""
    words = tokens(code)
    return [zlib.crc32(" ".join(words[i : i + K]).encode("utf-8", "replace")) for i in range(len(words) - K + 1)]


def fingerprints(code: str) -> set[int]:
    """Of each WINDOW neighbouring hashes the smallest."""
    grams = _grams(code)
    return {min(grams[i : i + WINDOW]) for i in range(max(min(1, len(grams)), len(grams) - WINDOW + 1))}


def similar_pairs(results: Sequence[SubmissionResult], template: Mapping[str, str]) -> list[Pair]:
    """The pairs that share at least FEWEST fingerprints and THRESHOLD of the smaller one's, most alike first.

    What the template holds does not count, nor, in a class of five or more, what more than half of it wrote.

    Args:
        results: of a class.
        template: task -> the code that everybody was given.
    """
    given = {gram for code in template.values() for gram in _grams(code)}
    holders: dict[str, dict[int, list[int]]] = {}  # task -> fingerprint -> who has it
    for number, result in enumerate(results):
        for task in result.tasks:
            index = holders.setdefault(task.name, {})
            for fingerprint in fingerprints(task.answer) - given:
                index.setdefault(fingerprint, []).append(number)
    most = len(results) / 2 if len(results) >= 5 else len(results)
    kept = {task: [who for who in index.values() if len(who) <= most] for task, index in holders.items()}
    sizes = Counter(number for index in kept.values() for who in index for number in who)
    common = {task: _common([who for who in index if len(who) > 1], len(results)) for task, index in kept.items()}
    total = sum(common.values(), np.zeros((len(results), len(results))))
    pairs = []
    for a, b in combinations(range(len(results)), 2):
        shared, smaller = int(total[a, b]), min(sizes[a], sizes[b])
        if shared >= FEWEST and shared >= THRESHOLD * smaller:
            tasks = sorted((task for task in common if common[task][a, b]), key=lambda task: -common[task][a, b])
            pairs.append(Pair(results[a].student, results[b].student, shared / smaller, shared, tuple(tasks)))
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.fingerprints, pair.first, pair.second))


def _common(holders: list[list[int]], students: int) -> np.ndarray:
    """How many of these fingerprints each two students share."""
    counts = np.zeros((students, students))
    for start in range(0, len(holders), BLOCK):
        block = holders[start : start + BLOCK]
        has = np.zeros((students, len(block)), np.float32)
        for column, who in enumerate(block):
            has[who, column] = 1
        counts += has @ has.T
    return counts
