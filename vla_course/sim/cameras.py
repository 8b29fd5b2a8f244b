"""Cameras: where they stand, what they see, and where a point of the world falls in the picture."""

from dataclasses import dataclass, replace

import numpy as np
import pybullet
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class View:
    """A camera placed in the world.

    Attributes:
        eye, target, up: position, point looked at, and upward direction; metres, robot base frame.
        fov: vertical angle of view, degrees. Pictures are square.
        near, far: depth range, metres.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]
    fov: float
    near: float = 0.01
    far: float = 2.5

    def matrices(self) -> tuple[list[float], list[float]]:
        """OpenGL view and projection matrices, each 16 numbers, column by column."""
        return (
            pybullet.computeViewMatrix(self.eye, self.target, self.up),
            pybullet.computeProjectionMatrixFOV(self.fov, 1.0, self.near, self.far),
        )

    def project(self, point: np.ndarray) -> np.ndarray:
        """Where a point of the world falls in the picture.

        Args:
            point: (3,) metres.

        Returns:
            (2,) u to the right and v downward, each 0 to 1 across the picture.
        """
        view, projection = (np.reshape(m, (4, 4), order="F") for m in self.matrices())
        x, y, _, w = projection @ view @ np.append(point, 1.0)
        return np.array([(x / w + 1) / 2, (1 - y / w) / 2], dtype=np.float32)


@dataclass(frozen=True)
class Look:
    """How a scene looks, apart from its objects.

    Attributes:
        light: direction to the light.
        ambient, diffuse: how strong it is from everywhere, and from its direction.
        table, background: names of `vla_course.sim.textures.PATTERNS`; None is a plain table, and nothing behind it.
        camera: by how much the front camera's eye and the point that it looks at are moved, (6,) metres.
    """

    light: tuple[float, float, float] = (0.6, -0.4, 1.2)
    ambient: float = 0.6
    diffuse: float = 0.35
    table: str | None = None
    background: str | None = None
    camera: tuple[float, ...] = (0.0,) * 6

    def front(self) -> View:
        """The front camera."""
        eye, target = np.reshape([*FRONT.eye, *FRONT.target], (2, 3)) + np.reshape(self.camera, (2, 3))
        return replace(FRONT, eye=tuple(eye.tolist()), target=tuple(target.tolist()))


@dataclass(frozen=True)
class Picture:
    """What a camera recorded.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32, metres along the viewing direction.
        segmentation: (H, W) int32, the body id at each pixel, -1 where there is nothing.
    """

    rgb: np.ndarray
    depth: np.ndarray
    segmentation: np.ndarray


PLAIN = Look()

# The front camera faces the robot from across the table, as a person who gives it instructions
# would. Left and right in every instruction are left and right of this picture.
FRONT = View(eye=(1.08, 0.0, 0.62), target=(0.48, 0.0, 0.02), up=(0.0, 0.0, 1.0), fov=32.0)
# From the ceiling, with the robot at the top, so that left is left in both.
OVERHEAD = View(eye=(0.48, 0.0, 1.05), target=(0.48, 0.0, 0.0), up=(-1.0, 0.0, 0.0), fov=28.0)
CAMERAS = ("front", "wrist", "overhead")

# A wider view of the same side, for people who watch.
SPECTATOR = View(eye=(1.15, 0.0, 0.62), target=(0.46, 0.0, 0.09), up=(0.0, 0.0, 1.0), fov=42.0)


def wrist_view(position: np.ndarray, orientation: np.ndarray) -> View:
    """The camera on the hand, which looks past the fingers.

    Args:
        position: (3,) tool position, metres.
        orientation: (4,) tool quaternion x, y, z, w.
    """
    rotation = Rotation.from_quat(orientation)
    eye = position + rotation.apply([0.07, 0.0, -0.10])
    target = position + rotation.apply([0.01, 0.0, 0.03])
    return View(tuple(eye), tuple(target), tuple(rotation.apply([1.0, 0.0, 0.0])), fov=70.0)


def render(client: int, view: View, size: int, look: Look = PLAIN) -> Picture:
    """Draw the world with the CPU renderer.

    Args:
        client: PyBullet's client id.
        view: the camera.
        size: height and width, pixels.
        look: the light.
    """
    view_matrix, projection = view.matrices()
    # PyBullet's CPU renderer draws half a pixel too far to the right and up.
    projection = np.array(projection)
    projection[8:10] += 1 / size
    _, _, rgba, depth, segmentation = pybullet.getCameraImage(
        size,
        size,
        view_matrix,
        projection,
        lightDirection=look.light,
        lightAmbientCoeff=look.ambient,
        lightDiffuseCoeff=look.diffuse,
        shadow=0,
        renderer=pybullet.ER_TINY_RENDERER,
        physicsClientId=client,
    )
    # Builds of PyBullet without NumPy return tuples: convert with a dtype and reshape.
    rgba = np.asarray(rgba, dtype=np.uint8).reshape(size, size, 4)
    depth = np.asarray(depth, dtype=np.float32).reshape(size, size)
    metres = view.far * view.near / (view.far - (view.far - view.near) * depth)
    return Picture(
        rgb=np.ascontiguousarray(rgba[..., :3]),
        depth=metres.astype(np.float32),
        segmentation=np.asarray(segmentation, dtype=np.int32).reshape(size, size),
    )
