"""More pictures from the same demonstrations: each sample is changed a little, and stays true.

A sample is a batch's row: a picture, its depth, its segmentation, a sentence, the robot's state, an action. They show
one scene. What moves the one must move the others, and what the words name must stay what the words name.

torchvision's v2 functions know what a tensor shows by its class: an `Image` may change its colors, a `Mask` may not; a
`Mask` is never interpolated, `KeyPoints` move with the picture. So each row is first given these classes
(`as_tv_tensors`), changed, and taken back (`as_tensors`). Depth is a `Mask`: the mean of a near and a far pixel would
be a surface that is not there, and brightness is not distance. Depth 0 means that the sensor read nothing.

Here are the changes that leave the world as it is. `vla_course.data.mirror` swaps left and right, and
`vla_course.data.paraphrase` changes the words. All are functions of (sample, generator) that return a new sample:

    generator = torch.Generator().manual_seed(0)
    batch = augment(batch, generator, [color_jitter, shift_crop, random_mirror, paraphrase])

and `functools.partial(color_jitter, strength=0.1)` sets a strength.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from vla_course.errors import CourseError

Transform = Callable[[dict, Generator], dict]

PICTURES = {
    "observation.images.": tv_tensors.Image,
    "observation.depth.": tv_tensors.Mask,
    "observation.segmentation.": tv_tensors.Mask,
}
PIXELS = {  # points, and in whose picture they are
    "target_pixel": "front",
    "reference_pixel": "front",
    "pointing.pixel": "front",
    "wrist_pixels": "wrist",
}


def augment(batch: dict, generator: Generator, transforms: Sequence[Transform]) -> dict:
    """Change every row of a batch, each by draws of its own.

    Args:
        batch: a batch of `vla_course.data.windows.WindowDataset`: tensors and lists with B rows each. It
            may also hold `observation.depth.<camera>` (B, H, W) or (B, 1, H, W) in metres, 0 where nothing
            was read, and `observation.segmentation.<camera>`, likewise, of body ids.
        generator: where the draws come from; on the CPU.
        transforms: functions of (sample, generator), carried out in this order.

    Returns:
        A new batch of the same keys, shapes and types; the given one stays as it was.

    Raises:
        CourseError: the batch does not hold the same number of rows of everything.
    """
    counts = {key: len(rows) for key, rows in batch.items()}
    if len(set(counts.values())) != 1:
        raise CourseError(f"the batch has {counts} rows; give as many of each as the data set does")
    samples = []
    for row in range(next(iter(counts.values()))):
        sample = as_tv_tensors({key: rows[row] for key, rows in batch.items()})
        for transform in transforms:
            sample = transform(sample, generator)
        samples.append(as_tensors(sample))
    return {
        key: torch.stack([s[key] for s in samples]) if isinstance(rows, Tensor) else [s[key] for s in samples]
        for key, rows in batch.items()
    }


def as_tv_tensors(sample: dict) -> dict:
    """A sample whose pictures and points have torchvision's classes.

    Points leave u and v in [0, 1] for torchvision's pixels, which count from the center of the first.
    """
    sample = dict(sample)
    for key in list(sample):
        for start, kind in PICTURES.items():
            if key.startswith(start):
                sample[key] = kind(sample[key])
    for key, camera in PIXELS.items():
        picture = sample.get(f"observation.images.{camera}")
        if key in sample and picture is not None:
            height, width = picture.shape[-2:]
            pixels = sample[key] * torch.tensor([width, height]) - 0.5
            sample[key] = tv_tensors.KeyPoints(pixels.reshape(-1, 2), canvas_size=(height, width))
    return sample


def as_tensors(sample: dict) -> dict:
    """The sample of plain tensors again: pictures as they are, points as u and v in [0, 1]."""
    plain = {}
    for key, value in sample.items():
        if isinstance(value, tv_tensors.KeyPoints):
            height, width = value.canvas_size
            value = (value.as_subclass(Tensor) + 0.5) / torch.tensor([width, height])
            value = value[0] if key in ("target_pixel", "reference_pixel") else value
        plain[key] = value.as_subclass(Tensor) if isinstance(value, tv_tensors.TVTensor) else value
    return plain


def color_jitter(sample: dict, generator: Generator, strength: float = 0.3) -> dict:
    """Another light: brightness, contrast and saturation, the same for every camera.

    The hue stays. It would make a red cube orange, and then the sentence lies.

    Args:
        sample: one row, see `as_tv_tensors`.
        generator: where the draws come from.
        strength: each factor is drawn from 1 - strength to 1 + strength.
    """
    factors = [_uniform(generator, 1 - strength, 1 + strength) for _ in range(3)]
    changed = dict(sample)
    for key in _of_kind(sample, "observation.images."):
        for adjust, factor in zip((F.adjust_brightness, F.adjust_contrast, F.adjust_saturation), factors, strict=True):
            changed[key] = adjust(changed[key], factor)
    return changed


def shift_crop(sample: dict, generator: Generator, limit: int = 2) -> dict:
    """A camera that is turned by a few pixels (Yarats et al. 2021, arXiv:2004.13649: pad and crop).

    Image, depth, segmentation and the points in the picture shift together, by a whole number of
    pixels, so that nothing is interpolated; the border is repeated. Each camera has its own draw.

    The action and the robot's state stay, since the camera moved and not the world. That is the catch: a
    policy that reads positions from the picture now sees them wrong, by 7.6 mm for each pixel of a 64 x 64
    front picture. Stay below what the gripper forgives.

    Args:
        sample: one row, see `as_tv_tensors`.
        generator: where the draws come from.
        limit: pixels, the largest shift to each side.
    """
    changed = dict(sample)
    for camera in _cameras(sample):
        top, left = (int(torch.randint(0, 2 * limit + 1, (), generator=generator)) for _ in range(2))
        for key in (start + camera for start in PICTURES):
            if key in sample:
                padded = F.pad(sample[key], [limit], padding_mode="edge")
                changed[key] = F.crop(padded, top, left, *sample[key].shape[-2:])
        for key in (key for key, its_camera in PIXELS.items() if its_camera == camera):
            if isinstance(sample.get(key), tv_tensors.KeyPoints):
                changed[key] = F.crop(F.pad(sample[key], [limit]), top, left, *sample[key].canvas_size)
    return changed


def blur(sample: dict, generator: Generator, largest: float = 1.0) -> dict:
    """A lens out of focus: a Gaussian blur of the images. Depth and segmentation are not seen through it.

    Args:
        sample: one row, see `as_tv_tensors`.
        generator: where the draws come from.
        largest: standard deviation in pixels, drawn from nearly 0 to this.
    """
    sigma = _uniform(generator, 0.1, largest)
    images = {
        key: F.gaussian_blur(sample[key], [5, 5], [sigma, sigma]) for key in _of_kind(sample, "observation.images.")
    }
    return {**sample, **images}


def cut_out(sample: dict, generator: Generator, largest: float = 0.25) -> dict:
    """Something stands before the camera: a rectangle hides a part (DeVries & Taylor 2017, arXiv:1708.04552).

    It hides the same part of everything: the image gets its mean color there, depth reads nothing (0), the
    segmentation shows no body (-1). Points stay: the target is still where it was. torchvision's
    own `RandomErasing` leaves masks, and so depth, as they are: a policy would look through the hole.

    Args:
        sample: one row, see `as_tv_tensors`.
        generator: where the draws come from.
        largest: side of the rectangle as a share of the picture, drawn from 0 to this.
    """
    changed = dict(sample)
    for camera in _cameras(sample):
        sides = [_uniform(generator, 0, largest) for _ in range(2)]
        starts = [_uniform(generator, 0, 1 - side) for side in sides]
        for start, nothing in zip(PICTURES, (None, 0, -1), strict=True):
            if start + camera in sample:
                picture = sample[start + camera]
                spans = zip(picture.shape[-2:], starts, sides, strict=True)
                rows, columns = (slice(round(n * begin), round(n * (begin + side))) for n, begin, side in spans)
                hidden = picture.as_subclass(Tensor).clone()
                fill = hidden.mean((-2, -1), keepdim=True) if nothing is None else nothing
                hidden[..., rows, columns] = fill
                changed[start + camera] = tv_tensors.wrap(hidden, like=picture)
    return changed


def depth_noise(sample: dict, generator: Generator, sigma: float = 1.425e-3) -> dict:
    """The noise of a depth camera, which grows with the square of the distance.

    Source: Khoshelham & Elberink 2012, Sensors 12(2), equation 10: about 1.4 mm at 1 m, 3.6 cm at 5 m.

    Args:
        sample: one row, see `as_tv_tensors`.
        generator: where the draws come from; one for each pixel.
        sigma: standard deviation at a distance of 1 m, in metres.
    """
    changed = dict(sample)
    for key in _of_kind(sample, "observation.depth."):
        depth = sample[key].as_subclass(Tensor)
        noisy = depth + sigma * depth.square() * torch.randn(depth.shape, generator=generator)
        changed[key] = tv_tensors.wrap(noisy.clamp(min=0), like=sample[key])
    return changed


def depth_drop_out(sample: dict, generator: Generator, largest: float = 0.1) -> dict:
    """Pixels that the depth camera could not read: they become 0.

    Args:
        sample: one row, see `as_tv_tensors`.
        generator: where the draws come from.
        largest: share of the pixels that is lost, drawn from 0 to this for each sample.
    """
    rate = _uniform(generator, 0, largest)
    changed = dict(sample)
    for key in _of_kind(sample, "observation.depth."):
        depth = sample[key].as_subclass(Tensor)
        lost = torch.rand(depth.shape, generator=generator) < rate
        changed[key] = tv_tensors.wrap(depth.masked_fill(lost, 0), like=sample[key])
    return changed


def _uniform(generator: Generator, low: float, high: float) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()


def _of_kind(sample: dict, start: str) -> list[str]:
    return [key for key in sample if key.startswith(start)]


def _cameras(sample: dict) -> list[str]:
    """The cameras that took any picture of the sample, in a fixed order."""
    return sorted({key.rsplit(".", 1)[1] for start in PICTURES for key in _of_kind(sample, start)})
