"""What real sensors add to the truth: random error, a constant offset, lost readings. Functions on arrays.

All randomness comes from a generator that the caller passes in. Noise never touches the physics: with it or without it
the same actions give the same motion.
"""

from dataclasses import dataclass

import numpy as np

from vla_course.errors import CourseError

# A depth camera that triangulates errs by a fraction of a pixel, which is worth more metres the farther it looks: the
# error grows with z^2. 1.425e-5 z^2 in cm (1.4 mm at 1 m, 3.6 cm at 5 m): Khoshelham and Oude Elberink, "Accuracy and
# Resolution of Kinect Depth Data for Indoor Mapping Applications", Sensors 12(2), 2012.
DEPTH_ERROR = 1.425e-3  # metres of error at a distance of one metre
DEPTH_DROPOUT = 0.01
RGB_ERROR = 2.55  # of 255 levels: a peak signal-to-noise ratio of 40 dB, a good camera in a lit room


@dataclass(frozen=True)
class Noise:
    """Random error and offset of one quantity, in the unit of that quantity.

    Attributes:
        std: standard deviation of the Gaussian error, drawn anew for every number.
        bias: an offset that stays the same.

    Raises:
        CourseError: `std` is negative or not finite, or `bias` is not finite.
    """

    std: float = 0.0
    bias: float = 0.0

    def __post_init__(self):
        if not (0 <= self.std < np.inf and np.isfinite(self.bias)):
            raise CourseError(f"noise std={self.std}, bias={self.bias}: give finite numbers, std at least 0")

    def add(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The values as the sensor reports them: the same shape, float."""
        return values + self.bias + self.std * rng.standard_normal(np.shape(values))


def check_dropout(dropout: float) -> None:
    """Check that `dropout` is a probability.

    Raises:
        CourseError: it is not.
    """
    if not 0 <= dropout <= 1:
        raise CourseError(f"dropout {dropout} is not a probability; give a number from 0 to 1")


def drop(values: np.ndarray, dropout: float, rng: np.random.Generator, lost: float) -> np.ndarray:
    """Lose single readings.

    Args:
        values: any shape.
        dropout: probability that a number is lost, 0 to 1.
        rng: draws which ones.
        lost: what the sensor reports in place of a lost number.

    Raises:
        CourseError: `dropout` is not a probability.
    """
    check_dropout(dropout)
    return np.where(rng.random(np.shape(values)) < dropout, values.dtype.type(lost), values)


def noisy_depth(
    depth: np.ndarray, rng: np.random.Generator, error: float = DEPTH_ERROR, dropout: float = DEPTH_DROPOUT
) -> np.ndarray:
    """Depth as a structured-light or stereo camera reports it.

    Args:
        depth: metres, any shape.
        rng: draws the noise.
        error: standard deviation at one metre, metres; it grows with the square of the distance.
        dropout: probability that a pixel has no depth. It then reads 0, as such cameras report it.

    Returns:
        Metres, float32, the same shape, nothing below 0.
    """
    spread = Noise(error).std * depth**2
    noisy = np.maximum(depth + spread * rng.standard_normal(depth.shape), 0)
    return drop(noisy, dropout, rng, lost=0).astype(np.float32)


def noisy_rgb(rgb: np.ndarray, rng: np.random.Generator, std: float = RGB_ERROR) -> np.ndarray:
    """A picture with sensor noise.

    Args:
        rgb: (..., 3) uint8.
        rng: draws the noise.
        std: standard deviation, of 255 levels.

    Returns:
        uint8, the same shape.
    """
    return np.clip(np.round(Noise(std).add(rgb, rng)), 0, 255).astype(np.uint8)
