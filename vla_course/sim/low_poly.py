"""Robots drawn with few polygons, derived from what PyBullet ships.

The CPU renderer's time grows with the number of triangles, and so does the time to load a robot. The Panda's stock
visual meshes have tens of thousands of them. We take each link's collision mesh, merge vertices that share a cell
of a coarse grid, and keep the convex hull: a few dozen triangles, which at 64 x 64 pixels look the same.
Physics loses nothing: PyBullet collides with the convex hull of a mesh in any case.
"""

import functools
import re
import tempfile
from pathlib import Path

import numpy as np
import pybullet_data
from scipy.spatial import ConvexHull

GRID = 0.012  # metres

# Holds the derived files until the process ends.
_folder = tempfile.TemporaryDirectory(prefix="vla_course_")


@functools.cache
def low_poly_urdf(urdf: str) -> str:
    """Derive a robot description whose links are drawn, and collide, as coarse convex hulls.

    Args:
        urdf: path inside `pybullet_data`, such as "franka_panda/panda.urdf".

    Returns:
        The path of the derived URDF, in a temporary folder that lasts as long as the process.
    """
    source = Path(pybullet_data.getDataPath()) / urdf
    text = source.read_text().replace("package://meshes/visual/", "package://meshes/collision/")
    for reference in set(re.findall(r'"(package://[^"]+\.obj)"', text)):
        mesh = source.parent / reference.removeprefix("package://")
        hull = Path(_folder.name) / f"{source.stem}_{mesh.name}"
        hull.write_text(coarse_hull(mesh.read_text()))
        text = text.replace(reference, hull.as_posix())
    derived = Path(_folder.name) / source.name
    derived.write_text(text)
    return str(derived)


def coarse_hull(obj: str) -> str:
    """The convex hull of a mesh, with vertices in one cell of `GRID` merged.

    Args:
        obj: the mesh in Wavefront OBJ format.

    Returns:
        The hull in the same format, its triangles facing outward.
    """
    vertices = np.array([line.split()[1:4] for line in obj.splitlines() if line.startswith("v ")], dtype=float)
    # The first vertex of each cell stands for all of them, so that flat sides stay flat.
    _, first = np.unique(np.round(vertices / GRID), axis=0, return_index=True)
    points = vertices[np.sort(first)]
    hull = ConvexHull(points)
    lines = ["v {:.6f} {:.6f} {:.6f}".format(*point) for point in points]
    for triangle, plane in zip(hull.simplices, hull.equations, strict=True):
        a, b, c = points[triangle]
        outward = np.cross(b - a, c - a) @ plane[:3] > 0
        lines.append("f {} {} {}".format(*(triangle if outward else triangle[::-1]) + 1))
    return "\n".join(lines) + "\n"
