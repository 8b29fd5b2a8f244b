"""Patterns for table and background, drawn by formula: no picture files to ship."""

import functools
import tempfile
from pathlib import Path

import numpy as np
import pybullet
from PIL import Image

SIZE = 256  # pixels

# Name to kind of pattern and two colors. The first ones are for training, the last four for testing.
PATTERNS: dict[str, tuple[str, tuple[int, int, int], tuple[int, int, int]]] = {
    "oak": ("grain", (176, 140, 98), (150, 112, 74)),
    "walnut": ("grain", (110, 78, 54), (84, 56, 38)),
    "slate": ("speckle", (92, 96, 102), (70, 74, 80)),
    "linen": ("speckle", (206, 198, 182), (188, 180, 164)),
    "gray check": ("check", (150, 150, 150), (120, 120, 120)),
    "sand": ("speckle", (198, 172, 132), (176, 150, 112)),
    "stripes": ("stripe", (140, 150, 160), (110, 120, 132)),
    "moss": ("speckle", (98, 110, 82), (80, 92, 66)),
    "marble": ("grain", (220, 220, 224), (186, 188, 196)),
    "brown check": ("check", (150, 116, 92), (112, 84, 66)),
    "steel": ("stripe", (170, 174, 178), (146, 150, 156)),
    "night": ("speckle", (44, 46, 58), (30, 32, 44)),
}
SEEN, UNSEEN = tuple(PATTERNS)[:8], tuple(PATTERNS)[8:]

# Holds the pictures until the process ends.
_folder = tempfile.TemporaryDirectory(prefix="vla_course_")


def pattern(name: str) -> np.ndarray:
    """The picture of a pattern: (256, 256, 3) uint8; the same name gives the same picture."""
    kind, light, dark = PATTERNS[name]
    rng = np.random.default_rng(list(PATTERNS).index(name))
    row, column = np.mgrid[:SIZE, :SIZE]
    mix = {
        "grain": 0.5 + 0.5 * np.sin(row / 2.0 + 2 * np.sin(column / 9.0)) + 0.1 * rng.normal(size=(SIZE, SIZE)),
        "speckle": rng.uniform(size=(SIZE // 2, SIZE // 2)).repeat(2, 0).repeat(2, 1),
        "check": (row // 8 + column // 8) % 2,
        "stripe": row // 4 % 2,
    }[kind]
    mix = np.clip(mix, 0, 1)[..., None]
    return (mix * np.array(dark) + (1 - mix) * np.array(light)).astype(np.uint8)


def paint(client: int, body: int, name: str) -> None:
    """Cover a body with a pattern."""
    texture = pybullet.loadTexture(_picture(name), physicsClientId=client)
    pybullet.changeVisualShape(body, -1, textureUniqueId=texture, rgbaColor=[1, 1, 1, 1], physicsClientId=client)


@functools.cache
def _picture(name: str) -> str:
    path = Path(_folder.name) / f"{name.replace(' ', '_')}.png"
    Image.fromarray(pattern(name)).save(path)
    return str(path)
