"""A thousand things without a name: the procedural objects that PyBullet ships, made ready to be grasped.

Each becomes a coarse convex hull, lies on its steadiest side, and is scaled so that its narrowest width fits the hand.
Those that would tip over, or are too flat, too tall or too long, are left out. Which things are for training and
which for testing is settled by their number.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pybullet_data
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

SEEN, UNSEEN = range(800), range(800, 1000)  # numbers for training, and for testing
WIDTH = 0.040  # metres between the fingers
HEIGHTS = (0.025, 0.070)  # metres, lowest and highest
LONGEST = 0.085  # metres
STEADY = 0.005  # metres from the center of mass, seen from above, to the edge of the side it lies on


@dataclass(frozen=True)
class Thing:
    """A procedural object that lies steadily.

    Attributes:
        vertices: (V, 3) metres from its center of mass.
        faces: (F, 3) indices of vertices, counter-clockwise seen from outside.
        rest_height: of its center of mass above what it lies on, metres.
        grasp_yaw: how a hand whose fingers open along y turns to grasp it where it is narrowest, radians.
    """

    vertices: np.ndarray
    faces: np.ndarray
    rest_height: float
    grasp_yaw: float


def draw_thing(rng: np.random.Generator, numbers: range) -> int:
    """The number of a usable thing."""
    while True:
        number = int(rng.choice(numbers))
        if thing(number) is not None:
            return number


@functools.cache
def thing(number: int) -> Thing | None:
    """The thing with this number, 0 to 999; None if it is not usable."""
    path = Path(pybullet_data.getDataPath()) / "random_urdfs" / f"{number:03d}" / f"{number:03d}.obj"
    points = np.array([line.split()[1:4] for line in path.read_text().splitlines() if line.startswith("v ")], float)
    extent = np.ptp(points, axis=0)
    if not np.isfinite(points).all() or extent.min() < 0.3 * extent.max():  # a few files are broken, or flat
        return None
    points = np.unique(np.round(points / extent.max() * 8) / 8, axis=0)  # few vertices draw quickly
    hull = ConvexHull(points)
    points = points[hull.vertices] - center_of_mass(points, hull)
    hull = ConvexHull(points)
    margins = [margin(points[triangle], plane) for triangle, plane in zip(hull.simplices, hull.equations, strict=True)]
    down = hull.equations[int(np.argmax(margins)), :3]
    points = points @ Rotation.align_vectors([[0, 0, -1]], [down])[0].as_matrix().T
    angles = np.linspace(0, np.pi, 60, endpoint=False)
    widths = np.ptp(points[:, :2] @ np.array([np.cos(angles), np.sin(angles)]), axis=0)
    scale = WIDTH / widths.min()
    points = points * scale
    height, steady = np.ptp(points[:, 2]), max(margins) * scale
    if not HEIGHTS[0] <= height <= HEIGHTS[1] or widths.max() * scale > LONGEST or steady < STEADY:
        return None
    faces = ConvexHull(points).simplices
    a, b, c = points[faces].transpose(1, 0, 2)
    inward = np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c) < 0  # the center of mass is the origin
    faces[inward] = faces[inward][:, ::-1]
    return Thing(points, faces, float(-points[:, 2].min()), float(angles[widths.argmin()] - np.pi / 2))


def center_of_mass(points: np.ndarray, hull: ConvexHull) -> np.ndarray:
    """Center of mass of a convex hull of even density: (3,). Each face and an inner point make a tetrahedron."""
    inner = points.mean(0)
    corners = points[hull.simplices]  # (F, 3, 3)
    volumes = np.abs(np.linalg.det(corners - inner))
    return np.average((corners.sum(1) + inner) / 4, axis=0, weights=volumes)


def margin(triangle: np.ndarray, plane: np.ndarray) -> float:
    """How far the origin, the center of mass, lies inside a face when it lies on it; negative when it would tip over.

    Args:
        triangle: (3, 3) corners.
        plane: (4,) outward normal and offset, as `ConvexHull.equations` has them.
    """
    normal = plane[:3]
    below = -plane[3] * normal  # the origin, projected on the face
    edges = np.roll(triangle, -1, axis=0) - triangle
    inward = np.cross(normal, edges)
    inward *= np.sign(np.einsum("ij,ij->i", inward, triangle.mean(0) - triangle))[:, None]
    return float(np.min(np.einsum("ij,ij->i", below - triangle, inward) / np.linalg.norm(inward, axis=1)))
