"""Every robot stands, reaches, holds and obeys in the same way; the Panda does what it always did."""

import re
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import gymnasium
import numpy as np
import pybullet
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vla_course.sim.env import TabletopEnv
from vla_course.sim.low_poly import low_poly_urdf
from vla_course.sim.objects import Object
from vla_course.sim.robots import ROBOTS
from vla_course.sim.sensors import JointState
from vla_course.sim.world import Scene, World

COMPOSED = ("kuka", "xarm6")  # arms that ship without a gripper
HOME = [0.325, 0.0, 0.382]

poses = st.tuples(
    st.floats(0.30, 0.62), st.floats(-0.25, 0.25), st.floats(0.01, 0.35), st.floats(-np.pi / 2, np.pi / 2)
)


@pytest.fixture(scope="module")
def worlds():
    made = {name: World(name) for name in ROBOTS}
    yield made
    for world in made.values():
        world.close()


def put(world: World, angles: np.ndarray) -> None:
    """The arm at `angles`, at once."""
    for joint, angle in zip(world.robot.model.arm, angles, strict=True):
        pybullet.resetJointState(world.robot.body, joint, angle, physicsClientId=world.client)


def turn_error(quaternion: np.ndarray, yaw: float) -> float:
    wanted = Rotation.from_euler("z", yaw) * Rotation.from_quat([1, 0, 0, 0])
    return (Rotation.from_quat(quaternion) * wanted.inv()).magnitude()


def assert_reached(world: World, x: float, y: float, z: float, yaw: float) -> None:
    robot = world.robot
    angles = robot.inverse_kinematics(np.array([x, y, z]), np.array([0, 0, yaw]))
    n = len(angles)
    assert (angles >= robot.lower[:n]).all() and (angles <= robot.upper[:n]).all()
    put(world, angles)
    position, quaternion = robot.tool_pose()
    assert np.linalg.norm(position - [x, y, z]) < 0.003
    assert turn_error(quaternion, yaw) < 0.01


@pytest.mark.parametrize("name", ROBOTS)
def test_every_robot_starts_where_the_panda_does_and_touches_nothing(worlds, name):
    world = worlds[name]
    world.reset(Scene((), 0, None, ""))
    assert np.allclose(world.robot.proprioception(), [*HOME, 0, 0, 0, 1], atol=1e-3)
    for _ in range(5):
        world.tick()
    assert np.allclose(world.robot.proprioception(), [*HOME, 0, 0, 0, 1], atol=3e-3)
    assert world.contact_force(world.table) == 0


@pytest.mark.parametrize("name", ROBOTS)
def test_the_tool_is_where_the_description_puts_it(worlds, name):
    # The same chain of joints, multiplied out without PyBullet.
    world, model = worlds[name], ROBOTS[name]
    tree = ElementTree.parse(low_poly_urdf(model.urdf, model.mount, model.grid))
    joints = {joint.find("child").get("link"): joint for joint in tree.iter("joint") if joint.find("child") is not None}
    info = [pybullet.getJointInfo(world.robot.body, j, physicsClientId=world.client) for j in (*model.arm, model.tool)]
    names = [row[1].decode() for row in info[:-1]]
    rng = np.random.default_rng(0)
    for _ in range(5):
        angles = rng.uniform(world.robot.lower[: len(names)], world.robot.upper[: len(names)])
        put(world, angles)
        link, position, rotation = info[-1][12].decode(), np.zeros(3), Rotation.identity()
        while link in joints:
            joint = joints[link]
            origin = {"xyz": "0 0 0", "rpy": "0 0 0", **joint.find("origin").attrib}
            turn = Rotation.from_euler("xyz", [float(a) for a in origin["rpy"].split()])
            if joint.get("name") in names:
                axis = np.array([float(a) for a in joint.find("axis").get("xyz").split()])
                turn = turn * Rotation.from_rotvec(axis * angles[names.index(joint.get("name"))])
            position = turn.apply(position) + [float(a) for a in origin["xyz"].split()]
            rotation, link = turn * rotation, joint.find("parent").get("link")
        seen, quaternion = world.robot.tool_pose()
        assert np.allclose(seen, position + np.array(model.base), atol=1e-5)
        assert (Rotation.from_quat(quaternion) * rotation.inv()).magnitude() < 1e-4


@pytest.mark.parametrize("name", COMPOSED)
@settings(max_examples=50, deadline=None)
@given(pose=poses)
def test_inverse_kinematics_reaches_the_work_area(worlds, name, pose):
    assert_reached(worlds[name], *pose)


@pytest.mark.parametrize("name", COMPOSED)
def test_inverse_kinematics_reaches_the_corners_and_turns_in_place(worlds, name):
    for yaw in np.linspace(-np.pi / 2, np.pi / 2, 7):
        assert_reached(worlds[name], *HOME, yaw)
        for x in (0.30, 0.62):
            for y in (-0.25, 0.25):
                for z in (0.01, 0.35):
                    assert_reached(worlds[name], x, y, z, yaw)


@pytest.mark.parametrize("name", COMPOSED)
def test_a_pose_has_the_same_joint_angles_whatever_came_before(worlds, name):
    world, pose = worlds[name], (np.array([0.5, 0.1, 0.1]), np.array([0, 0, 0.5]))
    put(world, np.array(world.robot.model.home))
    first = world.robot.inverse_kinematics(*pose)
    put(world, np.array(world.robot.model.home) + 0.3)
    assert np.array_equal(world.robot.inverse_kinematics(*pose), first)


@pytest.mark.parametrize("name", ROBOTS)
def test_the_open_hand_takes_six_centimetres(worlds, name):
    world = worlds[name]
    world.reset(Scene((), 0, None, ""))
    boxes = [pybullet.getAABB(world.robot.body, f, physicsClientId=world.client) for f in world.robot.model.fingers]
    (_, below), (above, _) = sorted(boxes, key=lambda box: box[0][1])
    assert above[1] - below[1] > 0.06
    assert above[1] + below[1] == pytest.approx(0, abs=0.002)  # the tool's plane is in the middle


@pytest.mark.parametrize("name", ROBOTS)
@pytest.mark.parametrize("yaw", [-0.7, 0.0, 0.7])
def test_a_grasped_cube_is_felt_lifted_and_kept(name, yaw):
    env = TabletopEnv(robot=name, action_mode="waypoint", cameras=())
    env.reset(seed=0, options={"scene": Scene((Object("cube", "red", 0.5, 0.1, yaw),), 0, None, "pick the {target}")})
    for action in env.expert_waypoints():
        observation, *_, info = env.step(action)
    for _ in range(20):  # two seconds
        env.world.tick()
    assert info["success"] and env.world.grasped(0) and env.world.position(0)[2] > 0.15
    stroke = 2 * env.world.robot.model.finger_open
    assert (observation["state"][6] + 1) / 2 * stroke == pytest.approx(0.046, abs=0.004)
    env.close()


@pytest.mark.parametrize("task", ["pick", "place", "push_left", "push_right"])
@pytest.mark.parametrize("name", COMPOSED)
def test_experts_succeed_with_every_robot(name, task):
    env = TabletopEnv(task, robot=name, action_mode="waypoint", cameras=())
    for seed in range(5):
        env.reset(seed=seed)
        for action in env.expert_waypoints():
            *_, info = env.step(action)
        assert info["success"], f"seed {seed}: {info['goal_conditions']}"
    env.close()


@pytest.mark.parametrize("name", COMPOSED)
def test_a_seed_decides_every_bit(name):
    def episode(env: TabletopEnv, seed: int) -> bytes:
        env.reset(seed=seed)
        seen = [env.step(action)[0] for action in env.expert_waypoints()[:3]]
        return b"".join(part.tobytes() for o in seen for part in (o["front"], o["state"], o["joints"]))

    env, fresh = (TabletopEnv(robot=name, action_mode="waypoint", cameras=("front",)) for _ in range(2))
    wanted = episode(fresh, 5)
    assert [episode(env, seed) == wanted for seed in (5, 4, 5)] == [True, False, True]


@pytest.mark.parametrize("name", ROBOTS)
def test_joint_positions_are_reached_and_the_motors_carry_the_arm(name):
    env = TabletopEnv(robot=name, action_mode="joint_position", cameras=())
    robot = env.world.robot
    env.reset(seed=0)
    goal = np.array(robot.model.home) + 0.2 * np.resize([1, -1], len(robot.model.home))
    assert env.action_space.shape == (len(goal) + 1,)
    for _ in range(15):
        observation, *_ = env.step(np.append(goal, 1.0))
    angles, velocities, torques = JointState().read(env.world, np.random.default_rng(0))
    assert np.array_equal(angles, observation["joints"]) and np.allclose(angles, goal, atol=0.02)
    assert np.abs(velocities).max() < 0.01
    # At rest the motors hold the weight, which inverse dynamics computes from masses and lengths.
    everything = [*angles.tolist(), *[robot.model.finger_open] * 2]
    still = [0.0] * len(everything)
    weight = pybullet.calculateInverseDynamics(robot.body, everything, still, still, physicsClientId=env.world.client)
    assert np.allclose(torques, weight[: len(goal)], atol=1.5)
    env.close()


@pytest.mark.parametrize("name", COMPOSED)
@pytest.mark.parametrize("mode", ["joint_delta", "ee_delta"])
def test_gymnasium_accepts_the_environment(name, mode):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(Box observation space|render_mode|infinity|action space).*")
        env = gymnasium.make("vla_course/Tabletop-v0", robot=name, action_mode=mode, image_size=32)
        check_env(env.unwrapped, skip_render_check=True)
        env.close()


@pytest.mark.parametrize("name", ROBOTS)
def test_robots_are_drawn_with_few_triangles(name):
    # The renderer's time grows with their number; the stock visual meshes have tens of thousands.
    model = ROBOTS[name]
    text = Path(low_poly_urdf(model.urdf, model.mount, model.grid)).read_text()
    drawn = re.findall(r"<visual>.*?</visual>", text, flags=re.DOTALL)
    meshes = re.findall(r'filename="([^"]+)"', "".join(drawn))
    assert len(meshes) >= 7 and all(mesh.endswith(".obj") for mesh in meshes)
    triangles = sum(line.startswith("f ") for mesh in meshes for line in Path(mesh).read_text().splitlines())
    assert triangles < 2500
