"""Sensors measure the physics: gravity, motion, weight and distance come out as theory and independent means say."""

from dataclasses import replace

import numpy as np
import pybullet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.transform import Rotation

from vla_course.errors import CourseError
from vla_course.sim.hand_sensors import Imu, Wrench
from vla_course.sim.low_poly import low_poly_urdf
from vla_course.sim.noise import Noise, drop, noisy_depth, noisy_rgb
from vla_course.sim.robots import ROBOTS
from vla_course.sim.sensors import NOISY_SENSORS, SENSORS, JointState, Lidar, Sensors
from vla_course.sim.world import CONTROL_HZ, PHYSICS_HZ, World

UPRIGHT, TILTED, TURNED = (0.0, 0.0, 0.0), (0.8, 0.4, 0.0), (-0.5, 0.3, 1.0)
HAND_MASS = 0.81 + 2 * 0.1  # kg: the Panda's hand and two fingers, from its URDF
CUBE_MASS = 0.08
NO_RNG = np.random.default_rng(0)  # perfect sensors add none of its numbers


@pytest.fixture(scope="module")
def the_world():
    world = World("panda")
    yield world
    world.close()


@pytest.fixture
def world(the_world):
    the_world.reset(the_world.scene)
    return the_world


def step(world: World, sensors: Sensors, steps: int = PHYSICS_HZ // CONTROL_HZ) -> None:
    for _ in range(steps):
        pybullet.stepSimulation(physicsClientId=world.client)
        sensors.after_step()


def hold(world: World, sensors: Sensors, position, rpy=UPRIGHT, gripper: float = 1.0, ticks: int = 20) -> None:
    """Go to a pose in 10 equal steps and wait there."""
    start = world.robot.proprioception()[:6].astype(float)
    for k in range(1, ticks + 1):
        pose = start + min(1, k / 10) * (np.array([*position, *rpy]) - start)
        world.robot.command_joints(world.robot.inverse_kinematics(pose[:3], pose[3:]), gripper)
        step(world, sensors)


def box(world: World, center, half, mass: float = CUBE_MASS, yaw: float = 0.0) -> int:
    shape = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half, physicsClientId=world.client)
    turn = pybullet.getQuaternionFromEuler([0, 0, yaw])
    return pybullet.createMultiBody(
        mass, shape, basePosition=center, baseOrientation=turn, physicsClientId=world.client
    )


def set_loose(world: World) -> None:
    """Put a robot in the place of the world's that is not bolted down and floats high above the table."""
    pybullet.removeBody(world.robot.body, physicsClientId=world.client)
    world.robot.body = pybullet.loadURDF(low_poly_urdf(world.robot.model.urdf), [0, 0, 3], physicsClientId=world.client)
    for link in range(-1, pybullet.getNumJoints(world.robot.body, physicsClientId=world.client)):
        pybullet.changeDynamics(world.robot.body, link, linearDamping=0, angularDamping=0, physicsClientId=world.client)
    world.robot.reset()


def in_tool_frame(world: World, vector) -> np.ndarray:
    return Rotation.from_quat(world.robot.tool_pose()[1]).inv().apply(vector)


@pytest.mark.parametrize("rpy", [UPRIGHT, TILTED, TURNED])
def test_at_rest_the_hand_feels_gravity_and_its_own_weight(world, rpy):
    sensors = Sensors(world, SENSORS)
    for still in (False, True):  # right after a reset, and after a motion
        if still:
            hold(world, sensors, (0.45, 0.1, 0.25), rpy, ticks=30)
        reading = sensors.read(NO_RNG)
        # PyBullet's solver ends with a small residual: a joint that stands still may report 0.01 rad/s.
        assert np.allclose(reading["imu"], [*in_tool_frame(world, [0, 0, 9.81]), 0, 0, 0], atol=0.02)
        assert np.allclose(reading["wrench"][:3], in_tool_frame(world, [0, 0, -9.81 * HAND_MASS]), atol=0.02)


@pytest.mark.parametrize("name", ROBOTS)
def test_every_robot_has_a_wrist_that_carries_its_hand(name):
    world = World(name)
    sensors = Sensors(world, SENSORS)
    step(world, sensors)
    reading = sensors.read(NO_RNG)
    hand = range(world.robot.model.arm[-1] + 1, pybullet.getNumJoints(world.robot.body, physicsClientId=world.client))
    mass = sum(pybullet.getDynamicsInfo(world.robot.body, link, physicsClientId=world.client)[0] for link in hand)
    assert 0.5 < mass < 2
    assert reading["wrench"][2] == pytest.approx(9.81 * mass, rel=0.02)
    assert reading["imu"][2] == pytest.approx(-9.81, rel=0.02)
    assert reading["joint_state"].shape == (3, len(world.robot.model.arm))
    world.close()


def test_falling_freely_the_hand_feels_nothing(world):
    set_loose(world)
    sensors = Sensors(world, SENSORS)
    step(world, sensors)
    assert world.robot.tool_pose()[0][2] < 3.35  # it does fall
    reading = sensors.read(NO_RNG)
    assert np.allclose(reading["imu"], 0, atol=5e-3)
    assert np.allclose(reading["wrench"], 0, atol=5e-3)


@pytest.mark.parametrize("acceleration", [(1.5, 0.0, 0.0), (0.0, -2.0, 4.0)])
def test_constant_acceleration_adds_to_gravity(world, acceleration):
    set_loose(world)
    pybullet.setGravity(*acceleration, physicsClientId=world.client)  # pulls every link alike
    sensors = Sensors(world, SENSORS)
    step(world, sensors)
    felt = in_tool_frame(world, np.add(acceleration, [0, 0, 9.81]))
    reading = sensors.read(NO_RNG)
    assert np.allclose(reading["imu"], [*felt, 0, 0, 0], atol=5e-3)
    assert np.allclose(reading["wrench"][:3], -HAND_MASS * felt, atol=5e-3)


@pytest.mark.parametrize("rate", [1.5, -2.0])
def test_turning_at_a_constant_rate_adds_the_centripetal_acceleration(world, rate):
    sensors = Sensors(world, SENSORS)
    pybullet.setJointMotorControl2(
        world.robot.body,
        world.robot.model.arm[0],
        pybullet.VELOCITY_CONTROL,
        targetVelocity=rate,
        force=200,
        physicsClientId=world.client,
    )
    step(world, sensors)
    step(world, sensors, 240)
    reading = sensors.read(NO_RNG)
    position = world.robot.tool_pose()[0]
    inward = -(rate**2) * position * [1, 1, 0]  # the first joint's axis is the world's z
    assert np.linalg.norm(inward) > 0.5
    # The mean over a control period keeps the tool's frame: it is the reading at every instant.
    assert np.allclose(reading["imu"][:3], in_tool_frame(world, inward + [0, 0, 9.81]), atol=0.03)
    assert np.allclose(reading["imu"][3:], in_tool_frame(world, [0, 0, rate]), atol=2e-3)


@pytest.mark.parametrize("tool", [11, 8])  # the Panda's, and its hand, whose center of mass is 4 cm from its frame
def test_the_imu_agrees_with_the_motion_of_the_tool_seen_from_outside(world, tool):
    world.robot.model = replace(world.robot.model, tool=tool)
    start = world.robot.joint_positions()
    end = world.robot.inverse_kinematics(np.array([0.5, 0.15, 0.2]), np.array(TILTED))
    poses, samples = [], []
    for k in range(80):
        world.robot.command_joints(start + (end - start) * (1 - np.cos(np.pi * k / 80)) / 2, 1.0)
        pybullet.stepSimulation(physicsClientId=world.client)
        position, quaternion = world.robot.tool_pose()
        poses.append((position, Rotation.from_quat(quaternion)))
        samples.append(Imu().sample(world))
    fastest = np.zeros(2)
    for k in range(2, 80):
        (x0, _), (x1, before), (x2, now) = poses[k - 2 : k + 1]
        acceleration = (x2 - 2 * x1 + x0) * PHYSICS_HZ**2
        rate = (before.inv() * now).as_rotvec() * PHYSICS_HZ
        reading = Imu().read(world, NO_RNG, samples[k - 1 : k + 1])
        assert np.allclose(now.apply(reading[:3]), acceleration + [0, 0, 9.81], atol=0.2)
        assert np.allclose(reading[3:], rate, atol=0.05)
        fastest = np.maximum(fastest, [np.abs(acceleration).max(), np.abs(rate).max()])
    assert (fastest > [3, 2]).all()


def test_turning_the_hand_faster_and_faster_takes_the_torque_of_the_last_motor(world):
    robot, last = world.robot, world.robot.model.arm[-1]
    pybullet.setJointMotorControl2(
        robot.body, last, pybullet.VELOCITY_CONTROL, targetVelocity=9, force=0.05, physicsClientId=world.client
    )
    samples = []
    for _ in range(12):
        pybullet.stepSimulation(physicsClientId=world.client)
        samples.append(Wrench().sample(world))
        velocity, _, motor = pybullet.getJointState(robot.body, last, physicsClientId=world.client)[1:]
    own = pybullet.getDynamicsInfo(robot.body, last, physicsClientId=world.client)[2][2] * velocity / 12 * PHYSICS_HZ
    assert motor == pytest.approx(0.05) and own > 0.003  # the last link, before the flange, takes its share
    # The motor turns about the tool's z axis here; the hand loads the arm the other way.
    assert Wrench().read(world, NO_RNG, samples)[5] == pytest.approx(own - motor, abs=5e-4)


@pytest.mark.parametrize("rpy", [UPRIGHT, TILTED])
def test_a_held_cube_is_felt_with_its_weight_where_it_is(world, rpy):
    cube = box(world, (0.5, 0.0, 0.023), [0.023] * 3)
    sensors = Sensors(world, SENSORS)
    hold(world, sensors, (0.5, 0.0, 0.1))
    hold(world, sensors, (0.5, 0.008, 0.022), ticks=15)  # not in the middle: it will hang askew
    hold(world, sensors, (0.5, 0.008, 0.022), gripper=-1.0, ticks=8)
    hold(world, sensors, (0.45, 0.1, 0.25), rpy, gripper=-1.0, ticks=40)
    reading = sensors.read(NO_RNG)

    center = np.array(pybullet.getBasePositionAndOrientation(cube, physicsClientId=world.client)[0])
    assert center[2] > 0.2  # it is held
    weight = np.array([0, 0, -9.81 * CUBE_MASS])
    flange = link_position(world, world.robot.model.arm[-1] + 1)
    hand = weight_and_torque(world, flange)
    held = np.array([*weight, *np.cross(center - flange, weight)])
    assert np.abs(held[3:]).max() > 0.005
    assert np.allclose(reading["wrench"][:3], in_tool_frame(world, (hand + held)[:3]), atol=5e-3)
    assert np.allclose(reading["wrench"][3:], in_tool_frame(world, (hand + held)[3:]), atol=5e-3)

    assert_the_motors_feel_it_too(world, reading)


def test_a_held_cube_that_rubs_on_the_table_is_felt_with_what_the_table_does(world):
    box(world, (0.5, 0.0, 0.023), [0.023] * 3)
    sensors = Sensors(world, SENSORS)
    hold(world, sensors, (0.5, 0.0, 0.1))
    hold(world, sensors, (0.51, 0.0, 0.03), ticks=15)
    hold(world, sensors, (0.51, 0.0, 0.03), gripper=-1.0, ticks=8)
    hold(world, sensors, (0.52, 0.02, 0.028), gripper=-1.0, ticks=30)  # pressed down and dragged
    reading = sensors.read(NO_RNG)
    assert reading["wrench"][2] < 9.81 * HAND_MASS - 2
    assert_the_motors_feel_it_too(world, reading, tolerance=0.5)


def assert_the_motors_feel_it_too(world: World, reading: dict, tolerance: float = 0.01) -> None:
    """Beyond the weight of arm and hand, by virtual work: each joint's axis times the torque about it."""
    flange = link_position(world, world.robot.model.arm[-1] + 1)
    hand = weight_and_torque(world, flange)
    tool = Rotation.from_quat(world.robot.tool_pose()[1])
    force, torque = tool.apply(reading["wrench"][:3]) - hand[:3], tool.apply(reading["wrench"][3:]) - hand[3:]
    extra = reading["joint_state"][2] - gravity_torques(world)
    for joint in world.robot.model.arm:
        at = link_position(world, joint)
        expected = -joint_axis(world, joint) @ (np.cross(flange - at, force) + torque)
        assert extra[joint] == pytest.approx(expected, abs=tolerance)


def gravity_torques(world: World) -> np.ndarray:
    """Motor torques that hold the empty robot still in its posture, (7,) newton metres."""
    moving = [*world.robot.model.arm, *world.robot.model.fingers]
    states = pybullet.getJointStates(world.robot.body, moving, physicsClientId=world.client)
    still = [0.0] * len(moving)
    return np.array(
        pybullet.calculateInverseDynamics(
            world.robot.body, [s[0] for s in states], still, still, physicsClientId=world.client
        )[:7]
    )


def weight_and_torque(world: World, point: np.ndarray) -> np.ndarray:
    """Weight of the hand and its torque about a point: (6,) newtons and newton metres, robot base frame."""
    total = np.zeros(6)
    for link in range(7, 12):
        mass = pybullet.getDynamicsInfo(world.robot.body, link, physicsClientId=world.client)[0]
        state = pybullet.getLinkState(
            world.robot.body, link, computeForwardKinematics=True, physicsClientId=world.client
        )
        weight = np.array([0, 0, -9.81 * mass])
        total += [*weight, *np.cross(np.array(state[0]) - point, weight)]
    return total


def link_position(world: World, link: int) -> np.ndarray:
    state = pybullet.getLinkState(world.robot.body, link, computeForwardKinematics=True, physicsClientId=world.client)
    return np.array(state[4])


def joint_axis(world: World, joint: int) -> np.ndarray:
    state = pybullet.getLinkState(world.robot.body, joint, computeForwardKinematics=True, physicsClientId=world.client)
    return Rotation.from_quat(state[5]).apply([0, 0, 1])  # all of the Panda's are the z axes of their links


def test_pressing_on_the_table_takes_the_load_off_and_dragging_pulls_back(world):
    sensors = Sensors(world, SENSORS)
    hold(world, sensors, (0.45, 0.0, 0.06))
    hold(world, sensors, (0.45, 0.0, 0.004), ticks=30)
    pressed = sensors.read(NO_RNG)["wrench"]
    normal = sum(
        contact[9] for contact in pybullet.getContactPoints(world.robot.body, world.table, physicsClientId=world.client)
    )
    assert normal > 5
    assert pressed[2] == pytest.approx(9.81 * HAND_MASS - normal, abs=0.05 * normal)
    world.robot.command_joints(world.robot.inverse_kinematics(np.array([0.45, 0.08, 0.004]), np.zeros(3)), 1.0)
    step(world, sensors)
    # Moved to +y, friction holds the hand back to -y, which is +y of a tool that points down.
    assert sensors.read(NO_RNG)["wrench"][1] > 1


def test_what_touches_the_arm_but_not_the_hand_is_not_felt_at_the_wrist(world):
    readings = []
    for stuck in (False, True):
        world.reset(world.scene)
        body = box(world, (0.07, 0.0, 0.1 if stuck else 0.9), [0.03] * 3)  # in the robot's base, which pushes it out
        sensors = Sensors(world, SENSORS)
        step(world, sensors, 1)
        assert (world.contact_force(body) > 1) == stuck
        readings.append(sensors.read(NO_RNG)["wrench"])
    assert np.allclose(*readings, atol=0.01)


def test_joint_state_is_encoders_and_the_torques_that_hold_the_arm_up(world):
    sensors = Sensors(world, SENSORS)
    hold(world, sensors, (0.45, 0.1, 0.25), TILTED, ticks=30)
    position, velocity, torque = sensors.read(NO_RNG)["joint_state"]
    assert np.array_equal(position, world.robot.joint_positions())
    assert np.allclose(velocity, 0, atol=0.02)
    assert np.allclose(torque, gravity_torques(world), rtol=0.1, atol=0.3)  # see above: the solver's residual
    world.robot.command_joints(position + 0.1, 1.0)
    step(world, sensors, 3)
    before = world.robot.joint_positions()
    step(world, sensors, 1)
    _, velocity, _ = sensors.read(NO_RNG)["joint_state"]
    assert np.abs(velocity).max() > 0.1
    assert np.allclose(velocity, (world.robot.joint_positions() - before) * PHYSICS_HZ, atol=1e-3)


def slab(origin: np.ndarray, directions: np.ndarray, center, half, yaw: float) -> np.ndarray:
    """Distances along rays (n, 3) to an upright box by the slab method; infinite where they miss it."""
    turn = Rotation.from_euler("z", -yaw)
    start, along = turn.apply(origin - center), turn.apply(directions)
    along = np.where(along == 0, 1e-12, along)
    near, far = np.sort([(-half - start) / along, (half - start) / along], axis=0)
    return np.where(near.max(axis=1) <= far.min(axis=1), near.max(axis=1), np.inf)


@settings(max_examples=10, deadline=None)
@given(
    x=st.floats(0.55, 0.70),
    y=st.floats(-0.3, 0.3),
    yaw=st.floats(-3, 3),
    half=st.tuples(*[st.floats(0.02, 0.04)] * 3),
)
def test_lidar_measures_the_distance_to_a_box(the_world, x, y, yaw, half):
    # No table and no robot, so that all the rest is farther than the scanner sees.
    lidar = Lidar(elevations=(0.0, 0.08))
    center, half = np.array([x, y, half[2]]), np.array(half)
    pybullet.resetSimulation(physicsClientId=the_world.client)
    box(the_world, center, half, yaw=yaw)
    reading = lidar.read(the_world, NO_RNG)
    # A ray that grazes an edge may go either way: compare with boxes 1 mm larger and smaller.
    rays = lidar.directions().reshape(-1, 3)
    larger, smaller = (slab(np.array(lidar.position), rays, center, half + d, yaw) for d in (1e-3, -1e-3))
    assert (reading.ravel() >= np.minimum(larger, lidar.range) - 1e-4).all()
    assert (reading.ravel() <= np.minimum(smaller, lidar.range) + 1e-4).all()
    assert (reading < lidar.range).any()
    assert reading.dtype == np.float32 and reading.shape == (2, 121)


def test_lidar_sees_the_table_below_it_the_robot_before_it_and_nothing_above(world):
    down, level, up = Lidar(elevations=(-0.1, 0.0, 1.2)).read(world, NO_RNG)[:, 60]  # the middle rays
    assert down == pytest.approx(0.02 / np.sin(0.1), abs=1e-4)
    assert 0.7 < level < 0.9  # the robot's base has a radius of about 0.1 m
    assert up == 1.5
    lidar = Lidar()
    points = lidar.points(lidar.read(world, NO_RNG))
    assert np.allclose(points[..., 2], 0.02)
    # Rays go counterclockwise: it looks toward -x, so the first ones go to +y.
    assert points[0, 0, 1] > 0 > points[0, -1, 1]


@pytest.mark.parametrize("sensors", [SENSORS, NOISY_SENSORS])
def test_readings_lie_in_their_spaces(world, sensors):
    mounted = Sensors(world, sensors)
    rng = np.random.default_rng(0)
    hold(world, mounted, (0.5, 0.1, 0.2), TILTED, ticks=5)
    for name, reading in mounted.read(rng).items():
        assert mounted.spaces[name].contains(reading), name


def test_noise_leaves_the_physics_alone_and_a_seed_decides_every_bit(world):
    def episode(sensors, seed):
        world.reset(world.scene)
        cube = box(world, (0.5, 0.0, 0.023), [0.023] * 3)
        mounted, rng = Sensors(world, sensors), np.random.default_rng(seed)
        motion, readings = [], []
        for position, gripper in (((0.5, 0, 0.1), 1), ((0.5, 0, 0.022), 1), ((0.5, 0, 0.1), -1)):
            hold(world, mounted, position, gripper=gripper, ticks=12)
            readings += [reading.tobytes() for reading in mounted.read(rng).values()]
            motion.append(np.array(pybullet.getBasePositionAndOrientation(cube, physicsClientId=world.client)[0]))
            motion.append(world.robot.tool_pose()[0])
        return np.concatenate(motion).tobytes(), readings

    bare, _ = episode({}, 0)
    perfect, _ = episode(SENSORS, 0)
    noisy, readings = episode(NOISY_SENSORS, 1)
    assert bare == perfect == noisy
    assert episode(NOISY_SENSORS, 1)[1] == readings
    assert not set(episode(NOISY_SENSORS, 2)[1]) & set(readings)


def test_noise_of_a_sensor_has_the_distribution_that_it_states(world):
    sensors = Sensors(world, SENSORS)
    hold(world, sensors, (0.45, 0.1, 0.25), ticks=20)
    truth = sensors.read(NO_RNG)
    rng = np.random.default_rng(7)
    noisy = {
        "imu": Imu(Noise(0.1, bias=0.5), Noise(0.02, bias=-0.1)),
        "wrench": Wrench(Noise(0.3), Noise(0.01, bias=0.2)),
        "joint_state": JointState(Noise(0.01), Noise(0.02), Noise(0.5)),
    }
    sensors.sensors = noisy
    errors = [{name: reading - truth[name] for name, reading in sensors.read(rng).items()} for _ in range(300)]
    for name, rows in (("imu", (3, 3)), ("wrench", (3, 3)), ("joint_state", (7, 7, 7))):
        found = np.split(np.stack([e[name].reshape(-1) for e in errors]), np.cumsum(rows)[:-1], axis=1)
        for values, noise in zip(found, vars(noisy[name]).values(), strict=True):
            assert stats.kstest(values.ravel(), "norm", (noise.bias, noise.std)).pvalue > 0.001


def test_lost_rays_read_the_largest_distance_and_no_ray_goes_beyond(world):
    truth = Lidar().read(world, NO_RNG)
    far_off = Lidar(noise=Noise(2.0)).read(world, np.random.default_rng(3))
    assert far_off.min() == 0 and far_off.max() == 1.5
    lidar = Lidar(noise=Noise(0.1), dropout=0.3)
    rng = np.random.default_rng(3)
    readings = np.stack([lidar.read(world, rng) for _ in range(60)])
    assert (readings[:, truth == lidar.range] == lidar.range).all()
    hit = readings[:, truth < 0.9]  # with noise of 0.1 m none of these reaches 1.5 m by itself
    assert hit.shape[1] > 5
    assert stats.binomtest(int((hit == lidar.range).sum()), hit.size, 0.3).pvalue > 0.001


def test_depth_noise_grows_with_the_square_of_the_distance():
    rng = np.random.default_rng(5)
    for distance in (0.3, 0.6, 1.2, 2.4):
        depth = np.full((64, 64), distance, dtype=np.float32)
        noisy = noisy_depth(depth, rng, error=0.01, dropout=0.1)
        assert noisy.dtype == np.float32
        kept = noisy[noisy > 0]
        assert stats.binomtest(noisy.size - kept.size, noisy.size, 0.1).pvalue > 0.001
        assert stats.kstest(kept, "norm", (distance, 0.01 * distance**2)).pvalue > 0.001
    assert np.array_equal(noisy_depth(depth, rng, error=0.0, dropout=0.0), depth)
    assert noisy_depth(depth, rng, error=2.0, dropout=0.0).min() == 0  # never negative


def test_rgb_noise_stays_a_picture():
    rng = np.random.default_rng(6)
    gray = np.full((64, 64, 3), 128, dtype=np.uint8)
    noisy = noisy_rgb(gray, rng, std=4.0)
    assert noisy.dtype == np.uint8
    # Rounding to whole levels adds a variance of 1/12.
    assert noisy.astype(float).std() == pytest.approx(np.sqrt(16 + 1 / 12), rel=0.03)
    assert noisy.astype(float).mean() == pytest.approx(128, abs=0.2)
    black = noisy_rgb(np.zeros_like(gray), rng, std=4.0)
    assert black.max() < 40  # nothing wraps around to white
    assert np.array_equal(noisy_rgb(gray, rng, std=0.0), gray)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Noise(-0.1),
        lambda: Noise(np.nan),
        lambda: Noise(0.1, bias=np.inf),
        lambda: Lidar(rays=1),
        lambda: Lidar(elevations=()),
        lambda: Lidar(range=0.0),
        lambda: Lidar(dropout=1.5),
        lambda: drop(np.zeros(3), -0.1, NO_RNG, lost=0),
        lambda: noisy_depth(np.ones((2, 2)), NO_RNG, error=-1.0),
    ],
)
def test_settings_that_mean_nothing_are_refused(make):
    with pytest.raises(CourseError) as refusal:
        make()
    assert "\n" not in str(refusal.value)
