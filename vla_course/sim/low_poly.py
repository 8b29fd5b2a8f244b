"""Robot descriptions derived from what PyBullet ships: drawn with few polygons, and with a gripper.

The CPU renderer's time grows with the number of triangles, and so does the time to load a robot. The Panda's stock
visual meshes have tens of thousands of them. We take each link's collision mesh, merge vertices that share a cell
of a coarse grid, and keep the convex hull: a few dozen triangles, which at 64 x 64 pixels look the same.
Physics loses nothing: PyBullet collides with the convex hull of a mesh in any case.

The Panda ships with a hand. The other arms get one made of boxes, of the Panda's size and stroke.
"""

import functools
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pybullet_data
from scipy.spatial import ConvexHull

GRID = 0.012  # metres

# Holds the derived files until the process ends.
_folder = tempfile.TemporaryDirectory(prefix="vla_course_")


@dataclass(frozen=True)
class Mount:
    """Where a gripper is bolted to an arm.

    Attributes:
        link: name of the arm's last link.
        z: the flange's place along that link's z axis, metres.
        yaw: turn of the gripper about that axis, radians.
    """

    link: str
    z: float
    yaw: float


@functools.cache
def low_poly_urdf(urdf: str, mount: Mount | None = None, grid: float = GRID) -> str:
    """Derive a robot description whose links are drawn, and collide, as coarse convex hulls.

    Args:
        urdf: path inside `pybullet_data`, such as "franka_panda/panda.urdf".
        mount: where a gripper is added; None for a robot that has one.
        grid: side of the cells in which vertices are merged, metres.

    Returns:
        The path of the derived URDF, in a temporary folder that lasts as long as the process.
    """
    source = Path(pybullet_data.getDataPath()) / urdf
    folder = Path(tempfile.mkdtemp(dir=_folder.name))
    text = _drawn_as_it_collides(source.read_text())
    for reference in set(re.findall(r'"([^"]+\.obj)"', text)):
        mesh = source.parent / reference.removeprefix("package://")
        hull = folder / mesh.name
        hull.write_text(coarse_hull(mesh.read_text(), grid))
        text = text.replace(f'"{reference}"', f'"{hull.as_posix()}"')
    if mount:
        text = text.replace("</robot>", _gripper(mount) + "</robot>")
    derived = folder / source.name
    derived.write_text(text)
    return str(derived)


def _drawn_as_it_collides(text: str) -> str:
    """Each link's visual mesh replaced by its collision mesh, in OBJ format; the folders differ by robot."""
    text = text.replace("package://meshes/visual/", "package://meshes/collision/")  # Panda
    text = re.sub(r"/visual/(\w+)\.stl", r"/collision/\1_vhacd.obj", text)  # xArm
    return text.replace(".stl", ".obj")  # KUKA ships each mesh in both formats


def coarse_hull(obj: str, grid: float = GRID) -> str:
    """The convex hull of a mesh, with vertices in one cell of a grid merged.

    Args:
        obj: the mesh in Wavefront OBJ format.
        grid: side of a cell, metres.

    Returns:
        The hull in the same format, its triangles facing outward.
    """
    vertices = np.array([line.split()[1:4] for line in obj.splitlines() if line.startswith("v ")], dtype=float)
    # The first vertex of each cell stands for all of them, so that flat sides stay flat.
    _, first = np.unique(np.round(vertices / grid), axis=0, return_index=True)
    points = vertices[np.sort(first)]
    hull = ConvexHull(points)
    lines = ["v {:.6f} {:.6f} {:.6f}".format(*point) for point in points]
    for triangle, plane in zip(hull.simplices, hull.equations, strict=True):
        a, b, c = points[triangle]
        outward = np.cross(b - a, c - a) @ plane[:3] > 0
        lines.append("f {} {} {}".format(*(triangle if outward else triangle[::-1]) + 1))
    return "\n".join(lines) + "\n"


def _gripper(mount: Mount) -> str:
    """A hand with two sliding fingers, as the Panda's: they open along its y axis, and z points out of it.

    Its joints, in this order: hand (fixed), left and right finger (sliding, 0 closed to 0.04 m open), tool (fixed).
    The tool lies between the fingertips, 7 mm before their ends.
    """
    return f"""
  {_link("hand", 0.7, (0.04, 0.20, 0.066), (0, 0, 0.033), "0.25 0.25 0.28 1")}
  {_joint("hand_joint", "fixed", mount.link, "hand", mount.z, mount.yaw)}
  {_link("left_finger", 0.1, (0.02, 0.024, 0.056), (0, 0.012, 0.028), "0.7 0.7 0.72 1")}
  {_joint("left_finger_joint", "prismatic", "hand", "left_finger", 0.058, axis="0 1 0")}
  {_link("right_finger", 0.1, (0.02, 0.024, 0.056), (0, -0.012, 0.028), "0.7 0.7 0.72 1")}
  {_joint("right_finger_joint", "prismatic", "hand", "right_finger", 0.058, axis="0 -1 0")}
  <link name="tool"><inertial><mass value="0"/>{_INERTIA}</inertial></link>
  {_joint("tool_joint", "fixed", "hand", "tool", 0.107)}
"""


# The format wants moments of inertia; PyBullet takes them from mass and shape instead.
_INERTIA = '<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/>'


def _link(name: str, mass: float, size: tuple, center: tuple, color: str) -> str:
    """A box."""
    origin = '<origin xyz="{} {} {}"/>'.format(*center)
    box = origin + '<geometry><box size="{} {} {}"/></geometry>'.format(*size)
    return f"""<link name="{name}">
    <inertial>{origin}<mass value="{mass}"/>{_INERTIA}</inertial>
    <visual>{box}<material name="{name}"><color rgba="{color}"/></material></visual>
    <collision>{box}</collision>
  </link>"""


def _joint(name: str, kind: str, parent: str, child: str, z: float, yaw: float = 0.0, axis: str = "0 0 1") -> str:
    return f"""<joint name="{name}" type="{kind}">
    <parent link="{parent}"/><child link="{child}"/><origin xyz="0 0 {z}" rpy="0 0 {yaw}"/>
    <axis xyz="{axis}"/><limit lower="0" upper="0.04" effort="20" velocity="0.2"/>
  </joint>"""
