"""Pictures as files: color as JPEG, depth as PNG of millimetres, body ids as PNG shifted by one.

A stream is named by camera and modality: "front" is color, "front_depth" depth, "front_segmentation" body ids.
"""

import io

import numpy as np
from PIL import Image

MODALITIES = ("rgb", "depth", "segmentation")
MAX_PIXELS = 2**25  # of one picture: a small file can claim to hold a picture that fills the memory


def stream_name(camera: str, modality: str) -> str:
    """The name of a camera's pictures of one of `MODALITIES`."""
    return camera if modality == "rgb" else f"{camera}_{modality}"


def is_flat(stream: str) -> bool:
    """Whether the pictures of a stream are (H, W): depth and body ids. Those of colors are (H, W, 3)."""
    return stream.endswith(("_depth", "_segmentation"))


def suffix(stream: str) -> str:
    """How the file names of a stream end."""
    return ".png" if is_flat(stream) else ".jpg"


def encode_picture(picture: np.ndarray, stream: str) -> bytes:
    """The file of a picture.

    Args:
        picture: (H, W, 3) uint8 color, (H, W) float32 depth in metres, or (H, W) int32 body ids, -1 for none.
        stream: says which.

    Raises:
        ValueError: a value does not fit into the file: depth of 65.5 metres, body 255, colors that are not uint8.
    """
    file = io.BytesIO()
    if stream.endswith("_depth"):  # millimetres, as depth cameras store it
        _image(np.round(picture * 1000), np.uint16, stream).save(file, "PNG")
    elif stream.endswith("_segmentation"):  # shifted by one, so that "nothing" (-1) fits
        _image(picture + 1, np.uint8, stream).save(file, "PNG")
    elif picture.dtype != np.uint8:
        raise ValueError(f"colors of {stream!r} are {picture.dtype}, not uint8")
    else:  # full color resolution: JPEG's usual halving would smear objects of five pixels
        Image.fromarray(picture).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def decode_picture(content: bytes, name: str, stream: str) -> np.ndarray:
    """The picture in a file, in the form that `encode_picture` takes.

    Raises:
        ValueError: it is no such picture, or far too large. The message begins with `name`.
    """
    kind, mode = ("JPEG", "RGB")
    if is_flat(stream):
        kind, mode = ("PNG", "I;16" if stream.endswith("_depth") else "L")
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            size, found = image.size, image.mode
            pixels = np.asarray(image) if size[0] * size[1] <= MAX_PIXELS else None
    except Exception as error:  # on damaged bytes a decoder may raise anything
        raise ValueError(f"{name} is not a readable picture ({type(error).__name__})") from error
    if pixels is None or found != mode:
        raise ValueError(
            f"{name} is a picture of {size[0]} x {size[1]} pixels and mode {found}, not {mode} of at most {MAX_PIXELS}"
        )
    if stream.endswith("_depth"):
        return (pixels / 1000).astype(np.float32)
    if stream.endswith("_segmentation"):
        return pixels.astype(np.int32) - 1
    return pixels


def _image(values: np.ndarray, dtype: type, stream: str) -> Image.Image:
    """A picture of whole numbers, of which none is wrapped around."""
    if not (values.min() >= 0 and values.max() <= np.iinfo(dtype).max):  # NaN is refused too
        raise ValueError(f"{stream!r} has values beyond what its pictures hold ({np.dtype(dtype).name})")
    return Image.fromarray(values.astype(dtype))
