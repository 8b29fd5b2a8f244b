"""Episodes as training samples: an observation and the chunk of actions that follows it.

The pictures are decoded once, into a memory-mapped file beside the episodes (`vla_course.data.cache`); training reads
from there.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vla_course.data.cache import Lines, find_cache, open_cache
from vla_course.data.episodes import FRAME_FOLDERS
from vla_course.data.pictures import is_flat
from vla_course.data.store import read_metadata
from vla_course.errors import CourseError

SENSORS = ("lidar", "imu", "wrench", "joint_state")  # columns that are observed, beside the state
FOLLOWED = ("reference_pixel", "wrist_pixels", "relative_positions")  # columns that only a simulator knows


class WindowDataset(Dataset):
    """Observation and action-chunk windows over the successful episodes of a data set.

    Each item is a dict with LeRobot's keys:
        `observation.images.<camera>`: (3, H, W) float32 in [0, 1].
        `observation.depth.<camera>`: (1, H, W) float32 metres.
        `observation.segmentation.<camera>`: (1, H, W) int32 body ids, -1 for none.
        `observation.state`: (7,) float32.
        `observation.<sensor>`: float32, for each of `SENSORS`.
        `action`: (chunk, 7) float32; rows past the end of the episode repeat its last action.
        `action_is_pad`: (chunk,) bool, true in those rows.
        `task`: str, the instruction.
        `target_pixel`: (2,) float32, where the target is in the front picture (u, v).
        `pointing.task`, `pointing.pixel`: K sentences that name other objects, and (K, 2) where those are.
        `reference_pixel`: (2,), the same of what the target is put on or next to; without it, of the target.
        `wrist_pixels`: (2, 2), both in the wrist picture, where they may lie outside.
        `relative_positions`: (2, 3) metres, both, seen from the tool.
        `start_positions`: (2, 3) metres, where both were when the episode began.
    Of pictures and sensors it holds those that were recorded. From `target_pixel` on, all is known in simulation only;
    the last four are not recorded in mode "waypoint".

    Args:
        root: the data set.
        chunk: actions in a window.
        every_step: a window from each step of an episode; otherwise only from its first, for policies
            that plan once.

    Attributes:
        metadata: of the data set.
        episodes: a sequence of dicts, one for each successful episode: its metadata, "instruction" and "length".

    Raises:
        CourseError: no data set, an empty one, a damaged episode, or no successful episode.
    """

    def __init__(self, root: Path, chunk: int = 5, every_step: bool = False):
        self.metadata = read_metadata(root)
        if "statistics" not in self.metadata:
            raise CourseError(f'{root}: its collection was not finished; run the same "vla-course collect" again')
        cache = find_cache(root)
        self._arrays, spans = open_cache(cache)
        self._spans = spans[spans["success"]]
        if not len(self._spans):
            raise CourseError(f"{root}: none of its {len(spans)} episodes succeeded; record more, or check the task")
        self.episodes = Lines(cache / "episodes.jsonl", self._spans["episodes"])
        self._texts = Lines(cache / "texts.jsonl", self._spans["texts"])
        self.chunk = chunk
        counts = self._spans["length"] if every_step else np.ones(len(self._spans), dtype=np.int64)
        self._ends = counts.cumsum()  # episode e has the windows from _begins[e] to _ends[e] - 1
        self._begins = self._ends - counts

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def actions(self) -> np.ndarray:
        """All that were recorded, (N, 7), of failed episodes too; mapped from the file."""
        return self._arrays["action"]

    def __getitem__(self, index: int) -> dict:
        return {key: value[0] for key, value in self.__getitems__([index]).items()}

    def __getitems__(self, indices: list[int]) -> dict:
        """A batch at once: the same keys, each with a leading batch axis. DataLoader calls this."""
        windows = np.array(indices)
        if ((windows < -len(self)) | (windows >= len(self))).any():
            raise IndexError(f"of {len(self)} windows there are none with the indices {indices}")
        windows %= len(self)
        episode = self.episode_of(windows)
        start, length = self._spans["row"][episode], self._spans["length"][episode]
        first, last = start + windows - self._begins[episode], start + length - 1
        rows = first[:, None] + np.arange(self.chunk)
        texts = [self._texts[e] for e in episode]
        batch: dict = {
            "action": torch.from_numpy(self._arrays["action"][np.minimum(rows, last[:, None])]),
            "action_is_pad": torch.from_numpy(rows > last[:, None]),
            "task": [instruction for instruction, *_ in texts],
        }
        if "target_pixel" in self._arrays:  # from the simulator; recordings of a real robot have none
            batch["target_pixel"] = torch.from_numpy(self._arrays["target_pixel"][first])
            batch["pointing.task"] = [pointing for _, *pointing in texts]
            batch["pointing.pixel"] = torch.from_numpy(self._arrays["pointing_pixels"][first])
        batch |= {name: torch.from_numpy(self._arrays[name][first]) for name in FOLLOWED if name in self._arrays}
        if "relative_positions" in self._arrays:
            places = self._arrays["relative_positions"][start] + self._arrays["state"][start, None, :3]
            batch["start_positions"] = torch.from_numpy(places)
        for name, array in self._arrays.items():
            if name in FRAME_FOLDERS:
                pictures = array[first]
                batch[picture_key(name)] = (
                    torch.from_numpy(pictures).unsqueeze(1) if is_flat(name) else to_images(pictures)
                )
            elif name in ("state", *SENSORS):
                batch[f"observation.{name}"] = torch.from_numpy(array[first])
        return batch

    def split(
        self, validation: float, seed: int, test: float = 0.0, held_out: Callable[[dict], bool] | None = None
    ) -> dict[str, list[int]]:
        """Indices for training, validation and test, divided by episode.

        Frames of one episode are near copies: divided by frame, validation would test memory. With `held_out` the test
        asks for more: what no training episode showed, such as another color or another phrasing.

        Args:
            validation: share of the episodes, of those that are not held out.
            seed: of the draw; the same data and seed give the same parts.
            test: share of the episodes, where they are drawn.
            held_out: says of an item of `episodes` whether it is for the test; then `test` must be 0.

        Returns:
            "train", "validation" and "test" to indices. No episode has windows in two of them.

        Raises:
            CourseError: shares that leave nothing to train on, `test` beside `held_out`, or a part that was asked for
                and got no episode.
        """
        if not (validation >= 0 and test >= 0 and validation + test < 1):
            raise CourseError(
                f"validation={validation} and test={test} are not shares of a whole; choose 0 or more, below 1 together"
            )
        if held_out is not None and test:
            raise CourseError(f"test={test} beside held_out, which already names the test episodes; leave test at 0")
        kept_back = np.array([held_out is not None and bool(held_out(e)) for e in self.episodes])
        order = np.random.default_rng(seed).permutation(np.flatnonzero(~kept_back))
        ends = np.cumsum([round(validation * len(order)), round(test * len(order))])
        drawn = dict(zip(("validation", "test", "train"), np.split(order, ends), strict=True))
        if held_out is not None:
            drawn["test"] = np.flatnonzero(kept_back)
        asked = {"train": True, "validation": validation > 0, "test": test > 0 or held_out is not None}
        for part in asked:
            if asked[part] and not len(drawn[part]):
                raise CourseError(
                    f"the {part} part gets none of the {len(self.episodes)} episodes; record more, or change the "
                    "shares or what is held out"
                )
        owner = self.episode_of(np.arange(len(self)))
        return {part: np.flatnonzero(np.isin(owner, drawn[part])).tolist() for part in asked}

    def episode_of(self, windows: np.ndarray) -> np.ndarray:
        """Which episode each window comes from: numbers of windows (N,) to places in `episodes` (N,)."""
        return np.searchsorted(self._ends, windows, side="right")


def picture_key(stream: str) -> str:
    """The key in a batch of a stream of pictures: "front_depth" is at "observation.depth.front"."""
    camera, _, modality = stream.rpartition("_")
    return f"observation.{modality}.{camera}" if is_flat(stream) else f"observation.images.{stream}"


def to_images(frames: np.ndarray) -> Tensor:
    """(B, H, W, 3) uint8 pictures as (B, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float().div_(255)
