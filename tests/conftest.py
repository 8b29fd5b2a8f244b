"""What several tests need."""

import os
from pathlib import Path

import pytest
import torch

os.environ["VLA_COURSE_SCALE"] = "ci"
os.environ["HF_HUB_OFFLINE"] = "1"
torch.set_num_threads(1)  # two test processes on two cores
os.environ["OMP_NUM_THREADS"] = "1"  # the same for the programs that tests start

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 24 pick demonstrations."""
    from vla_course.collection.scripted import collect

    root = tmp_path_factory.mktemp("data") / "pick"
    collect(root, "pick", episodes=24, seed=3, workers=1)
    return root


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set at 10 Hz: two demonstrations of pick and two of place, disturbed, seen by both cameras."""
    from vla_course.collection.scripted import collect

    root = tmp_path_factory.mktemp("data") / "followed"
    settings = {"cameras": ("front", "wrist"), "action_mode": "ee_delta", "noise": 0.1}
    collect(root, "pick,place", episodes=2, seed=3, workers=1, **settings)
    return root


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The policy that ships with the course."""
    return ROOT / "data_samples" / "policies" / "first_policy"
