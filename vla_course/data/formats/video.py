"""Films to pictures and back, by PyAV (FFmpeg inside the package: nothing else to install)."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

# H.264 with full color resolution: the usual halving would smear objects of five pixels. The smaller, the better.
QUALITY = 10


def write_video(path: Path, frames: list[np.ndarray], fps: float) -> None:
    """Write (H, W, 3) uint8 pictures as an H.264 film, which loses a little of each."""
    height, width, _ = frames[0].shape
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        stream.options = {"crf": str(QUALITY)}
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        film.mux(stream.encode())


def read_video(path: Path, start: float = 0.0, count: int | None = None) -> tuple[list[np.ndarray], float]:
    """Read pictures of a film.

    Args:
        path: the film, in any container and codec that FFmpeg decodes.
        start: seconds from which on.
        count: how many at most.

    Returns:
        The (H, W, 3) uint8 pictures, and how many of them show in a second.

    Raises:
        ValueError: it is no film, or damaged.
    """
    frames: list[np.ndarray] = []
    try:
        with av.open(str(path)) as film:
            stream = film.streams.video[0]
            fps = float(stream.average_rate)
            if start > 0:  # to the key frame before it
                film.seek(int(start / float(stream.time_base)), stream=stream)
            for frame in film.decode(stream):
                if frame.time > start - 0.5 / fps:
                    frames.append(frame.to_ndarray(format="rgb24"))
                if len(frames) == count:
                    break
    except (av.FFmpegError, IndexError, TypeError) as error:
        raise ValueError(f"{path.name}: is not a film that can be read ({error})") from error
    return frames, fps
