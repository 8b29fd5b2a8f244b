"""The statistics that LeRobot keeps of each episode and of a data set, for its normalization.

Pictures: each channel over all pixels, in [0, 1], as (C, 1, 1); depth in millimetres. Numbers: each component. Those of
a data set are pooled from those of its episodes, so that memory stays flat: mean, standard deviation, minimum and
maximum are exact; a quantile is the mean of the episodes' quantiles weighted by their rows, as LeRobot itself pools it.
"""

import numpy as np

from vla_course.data.formats.lerobot import COLUMNS
from vla_course.data.formats.recording import COLORS, Recording
from vla_course.data.windows import picture_key

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
SIDE_PIXELS = 32  # of a picture, about so many rows and columns are looked at

Statistics = dict[str, dict[str, np.ndarray]]  # feature to measure to values


def episode_statistics(recording: Recording, indices: dict[str, np.ndarray]) -> Statistics:
    """Statistics of every feature of an episode.

    Args:
        recording: the episode.
        indices: LeRobot's own columns.
    """
    numbers = {COLUMNS.get(name, name): rows for name, rows in recording.episode.steps.items()} | indices
    measured = {key: _measures(rows.reshape(len(rows), -1), rows.shape[1:] or (1,)) for key, rows in numbers.items()}
    for stream, frames in recording.episode.frames.items():
        every = max(1, frames[0].shape[0] // SIDE_PIXELS)
        pixels = np.stack([frame[::every, ::every] for frame in frames]).astype(np.float64)
        shifted = pixels if stream in COLORS else pixels + 1  # ids are shifted by one in their pictures
        pixels = pixels * 1000 if stream.endswith("_depth") else shifted / 255
        channels = pixels.shape[3] if pixels.ndim == 4 else 1
        measured[picture_key(stream)] = _measures(pixels.reshape(-1, channels), (channels, 1, 1), len(frames))
    return measured


def pool(a: Statistics, b: Statistics) -> Statistics:
    """Statistics of two sets of episodes together."""
    return {key: _pool(a[key], b[key]) for key in a}


def to_json(measured: Statistics) -> dict:
    """The statistics as lists."""
    return {key: {name: values.tolist() for name, values in m.items()} for key, m in measured.items()}


def _measures(rows: np.ndarray, shape: tuple, count: int | None = None) -> dict[str, np.ndarray]:
    rows = rows.astype(np.float64)
    values = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0)}
    values |= dict(zip(QUANTILES, np.quantile(rows, list(QUANTILES.values()), axis=0), strict=True))
    return {name: v.reshape(shape) for name, v in values.items()} | {"count": np.array([count or len(rows)])}


def _pool(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    count = a["count"] + b["count"]
    share = float(b["count"][0] / count[0])
    pooled = {name: a[name] * (1 - share) + b[name] * share for name in ("mean", *QUANTILES)}
    variance = a["std"] ** 2 * (1 - share) + b["std"] ** 2 * share + (a["mean"] - b["mean"]) ** 2 * share * (1 - share)
    extremes = {"min": np.minimum(a["min"], b["min"]), "max": np.maximum(a["max"], b["max"])}
    return {**pooled, **extremes, "std": np.sqrt(variance), "count": count}
