"""Sensors other than cameras: LiDAR, an inertial measurement unit, wrist force and torque, joint state.

A sensor is a small frozen dataclass of settings with `space` and `read`. Two of them measure change, so they also have
`sample`, which is called after every physics step; their reading is the mean over the last control period, as real
units filter theirs. `Sensors` does the calling.

`SENSORS` holds perfect sensors by name, `NOISY_SENSORS` the same ones with the errors of real ones.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pybullet
from gymnasium import spaces

from vla_course.errors import CourseError
from vla_course.sim.hand_sensors import Imu, Wrench, columns
from vla_course.sim.noise import Noise, check_dropout, drop
from vla_course.sim.robots import Robot
from vla_course.sim.world import CONTROL_HZ, PHYSICS_HZ, World


class Sensor(Protocol):
    """What the environment needs of a sensor."""

    def space(self, robot: Robot) -> spaces.Box:
        """Shape and range of a reading."""

    def read(self, world: World, rng: np.random.Generator, samples: Sequence = ()) -> np.ndarray:
        """The reading now, float32.

        Args:
            world: where the sensor stands.
            rng: draws the noise.
            samples: what `sample(world)` gave before and after each physics step of the last control period.
        """


@dataclass(frozen=True)
class Lidar:
    """A laser scanner at the front edge of the table, 2 cm above it, that looks toward the robot.

    Its reading is (rings, rays) distances in metres from the scanner to the first surface; `range` where there is none.
    Rays go counterclockwise as seen from above, and rings are in the order of `elevations`.

    Attributes:
        position: of the scanner, metres, robot base frame.
        yaw: where the middle ray points, radians from the robot's x axis.
        fov: angle between the first and the last ray, radians.
        rays: in one ring.
        elevations: of the rings, radians above the horizontal. One ring of 0 is a planar scanner.
        range: the largest distance that it measures, metres.
        noise: error of a distance, metres.
        dropout: probability that a ray does not come back; it then reads `range`.

    Raises:
        CourseError: fewer than two rays, no rings, a range that is not above 0, or a drop-out that is not a
            probability.
    """

    position: tuple[float, float, float] = (0.90, 0.0, 0.02)
    yaw: float = np.pi
    fov: float = 2 * np.pi / 3
    rays: int = 121
    elevations: tuple[float, ...] = (0.0,)
    range: float = 1.5
    noise: Noise = Noise()
    dropout: float = 0.0

    def __post_init__(self):
        if self.rays < 2 or not self.elevations or not 0 < self.range < np.inf:
            raise CourseError(
                f"lidar rays={self.rays}, elevations={self.elevations}, range={self.range}: "
                "give at least two rays and one ring, and a finite range above 0"
            )
        check_dropout(self.dropout)

    def space(self, robot: Robot) -> spaces.Box:
        """(rings, rays), 0 to `range`."""
        return spaces.Box(0.0, self.range, (len(self.elevations), self.rays), np.float32)

    def directions(self) -> np.ndarray:
        """Unit vectors along the rays: (rings, rays, 3)."""
        azimuth = self.yaw + np.linspace(-self.fov / 2, self.fov / 2, self.rays)
        up, around = np.meshgrid(self.elevations, azimuth, indexing="ij")
        return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=-1)

    def points(self, reading: np.ndarray) -> np.ndarray:
        """Where the rays of a reading ended: (rings, rays, 3) metres, robot base frame."""
        return self.position + reading[..., None] * self.directions()

    def read(self, world: World, rng: np.random.Generator, samples: Sequence = ()) -> np.ndarray:
        """(rings, rays) float32 metres."""
        ends = self.points(np.full((len(self.elevations), self.rays), self.range))
        starts = np.broadcast_to(self.position, ends.shape)
        hits = pybullet.rayTestBatch(
            starts.reshape(-1, 3).tolist(), ends.reshape(-1, 3).tolist(), physicsClientId=world.client
        )
        fraction = np.array([hit[2] for hit in hits]).reshape(ends.shape[:2])  # of the range; 1 where nothing is hit
        noisy = np.clip(self.noise.add(self.range * fraction, rng), 0, self.range)
        distance = np.where(fraction < 1, noisy, self.range)
        return drop(distance, self.dropout, rng, lost=self.range).astype(np.float32)


@dataclass(frozen=True)
class JointState:
    """What the arm's motors report: (3, n) for n joints.

    The rows are positions in radians, velocities in rad/s, and the torques of the motors in the last physics step in
    N m (0 before the first step).

    Attributes:
        position, velocity, torque: noise, in these units.
    """

    position: Noise = Noise()
    velocity: Noise = Noise()
    torque: Noise = Noise()

    def space(self, robot: Robot) -> spaces.Box:
        """(3, n)."""
        return spaces.Box(-np.inf, np.inf, (3, len(robot.model.arm)), np.float32)

    def read(self, world: World, rng: np.random.Generator, samples: Sequence = ()) -> np.ndarray:
        """(3, n) float32."""
        robot = world.robot
        states = pybullet.getJointStates(robot.body, robot.model.arm, physicsClientId=robot.client)
        rows = zip((self.position, self.velocity, self.torque), columns(states, (0, 1, 3)), strict=True)
        return np.stack([noise.add(row, rng) for noise, row in rows]).astype(np.float32)


SENSORS: dict[str, Sensor] = {"lidar": Lidar(), "imu": Imu(), "wrench": Wrench(), "joint_state": JointState()}

# Typical errors, at 10 readings a second. White noise of density d, averaged over 0.1 s, has standard deviation
# d * sqrt(5 Hz).
NOISY_SENSORS: dict[str, Sensor] = {
    # Our choice: small planar scanners err by about a centimetre. Kneip et al., "Characterization of the compact Hokuyo
    # URG-04LX 2D laser range scanner", ICRA 2009, measure one, whose error also depends on color and angle.
    "lidar": Lidar(noise=Noise(0.01), dropout=0.005),
    # InvenSense MPU-6050 (PS-MPU-6000A-00, 6.1 and 6.2): 400 ug/sqrt(Hz) and 0.005 deg/s/sqrt(Hz). The offsets stand
    # for what a calibration leaves of +-50 mg and +-20 deg/s: our choice, 5 mg and 0.1 deg/s.
    "imu": Imu(accelerometer=Noise(0.0088, bias=0.05), gyroscope=Noise(0.0002, bias=0.0017)),
    # Our choice, of the size of the resolution of common wrist sensors, such as 0.1 N of a Robotiq FT 300-S.
    "wrench": Wrench(force=Noise(0.1), torque=Noise(0.005)),
    # Our choice: encoders of 16 bits (a step is 9.6e-5 rad), strain gauges in the joints.
    "joint_state": JointState(position=Noise(1e-4), velocity=Noise(1e-3), torque=Noise(0.1)),
}


class Sensors:
    """The sensors of one world: call `reset` after the world's, `after_step` after every physics step, then `read`.

    Args:
        world: where they stand.
        sensors: settings by name.
    """

    def __init__(self, world: World, sensors: Mapping[str, Sensor]):
        self.world = world
        self.sensors = dict(sensors)
        self.spaces = {name: sensor.space(world.robot) for name, sensor in self.sensors.items()}
        self.reset()

    def reset(self) -> None:
        """Forget the motion so far: the robot is at rest."""
        before_and_after = PHYSICS_HZ // CONTROL_HZ + 1
        self._samples: dict[str, deque[Any]] = {
            name: deque([sensor.sample(self.world)] * 2, maxlen=before_and_after)
            for name, sensor in self.sensors.items()
            if hasattr(sensor, "sample")
        }

    def after_step(self) -> None:
        """Take the samples of one physics step."""
        for name, samples in self._samples.items():
            samples.append(self.sensors[name].sample(self.world))

    def read(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """All readings by name. Their noise is drawn from `rng`, which should serve nothing that moves the world."""
        return {
            name: sensor.read(self.world, rng, list(self._samples.get(name, ())))
            for name, sensor in self.sensors.items()
        }
