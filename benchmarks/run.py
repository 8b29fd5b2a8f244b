"""`make bench`: where the time goes, as ratios, so that a slow or busy machine gives the same picture.

Some of it alone, such as physics and training: python -m benchmarks.run physics training
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pybullet
import pybullet_data
import torch
from PIL import Image

from benchmarks import grading, memory
from vla_course.collection.scripted import collect
from vla_course.data.windows import WindowDataset
from vla_course.sim.cameras import FRONT, render
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.sim.objects import spawn
from vla_course.sim.robots import ROBOTS
from vla_course.sim.world import CONTROL_HZ, PHYSICS_HZ
from vla_course.training.behavior_cloning import new_policy


def seconds(work: Callable[[], object], repeat: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median seconds of one call, after one to warm up."""
    work()
    times = []
    for _ in range(repeat):
        start = clock()
        work()
        times.append(clock() - start)
    return float(np.median(times))


def rendering() -> None:
    """The same scene with our Panda and with PyBullet's stock one."""
    env = TabletopEnv(cameras=())
    env.reset(seed=0)
    ours = seconds(lambda: render(env.world.client, FRONT, 64), 200)
    angles = env.world.robot.model.home
    stock = pybullet.connect(pybullet.DIRECT)
    panda = str(Path(pybullet_data.getDataPath()) / "franka_panda" / "panda.urdf")
    body = pybullet.loadURDF(panda, useFixedBase=True, physicsClientId=stock)
    for joint, angle in enumerate(angles):
        pybullet.resetJointState(body, joint, angle, physicsClientId=stock)
    for thing in env.world.scene.objects:
        spawn(stock, thing)
    theirs = seconds(lambda: render(stock, FRONT, 64), 30)
    pybullet.disconnect(stock)
    env.close()
    print(f"rendering 64 x 64: {theirs / ours:.1f} times as fast as the stock Panda ({ours * 1e3:.2f} ms a frame)")


def physics() -> None:
    """Simulated time against real time, with and without a picture at each control step."""
    for cameras, label in (((), "without pictures"), (("front",), "with one picture a control step")):
        env = TabletopEnv(cameras=cameras)
        env.reset(seed=0)
        step = seconds(lambda env=env: env.step(np.zeros(7)), 100)
        env.close()
        print(f"physics {label}: {1 / CONTROL_HZ / step:.0f} times real time ({PHYSICS_HZ} steps a second)")
    for robot in ROBOTS:
        env = TabletopEnv("pick", robot, cameras=("front",))
        expert, simulated, start = ClosedLoopExpert(env), 0.0, time.perf_counter()
        for seed in range(10):
            env.reset(seed=seed)
            expert.reset()
            over = False
            while not over:
                *_, terminated, truncated, info = env.step(expert.act())
                over = terminated or truncated
            simulated += info["seconds"]
        speed = simulated / (time.perf_counter() - start)
        env.close()
        print(f"  {robot}, whole episodes of the expert at 10 Hz, a 64 x 64 picture each: {speed:.0f} times real time")


def training() -> None:
    """Training samples a second, and shuffled windows from the cache against decoding the JPEG of each."""
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        collect(root, episodes=64, seed=0)
        dataset = WindowDataset(root)
        policy = new_policy(dataset, 0)
        optimizer = torch.optim.AdamW(policy.parameters())
        indices = list(range(len(dataset)))
        batch = dataset.__getitems__(indices)

        def step() -> None:
            policy(batch)[0].backward()
            optimizer.step()
            optimizer.zero_grad()

        train = seconds(step, 10) / len(indices)
        read = seconds(lambda: dataset.__getitems__(indices), 20) / len(indices)
        torch.set_num_threads(1)
        every = WindowDataset(root, every_step=True)
        files = sorted(root.glob("episodes/*/frames/*.jpg"))
        order = np.random.default_rng(0).permutation(len(every)).tolist()
        batches = [order[i : i + 64] for i in range(0, len(order), 64)]
        # One thread each, in seconds of the processor: what else runs on the machine does not count.
        cached = seconds(lambda: [every.__getitems__(chosen) for chosen in batches], 20, time.process_time)
        decode = seconds(lambda: [np.asarray(Image.open(files[i])) for i in order], 20, time.process_time)
        torch.set_num_threads(threads)
    print(f"training: {1 / train:.0f} samples a second; reading them takes {read / train:.1%} of that time")
    print(f"data: shuffled windows come from the cache {decode / cached:.1f} times as fast as their JPEGs are decoded")


def demo() -> None:
    """Where the time of a demo goes, at the scale that VLA_COURSE_SCALE names."""
    from vla_course.demo import run_demo

    with tempfile.TemporaryDirectory() as folder:
        spent = run_demo(0, Path(folder) / "demo")["seconds"]
    shares = ", ".join(f"{name} {spent[name] / spent['total']:.0%}" for name in ("collect", "train", "evaluate"))
    print(f"demo: {shares} of {spent['total']:.0f} s")


ALL = {
    "rendering": rendering,
    "physics": physics,
    "training": training,
    "memory": memory.main,
    "grading": grading.main,
    "demo": demo,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        ALL[name]()
