"""What several tests need."""

import os
from pathlib import Path

import pytest
import torch

os.environ.setdefault("VLA_COURSE_SCALE", "ci")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"  # of the programs that tests start: two test processes share two cores
torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file stay in one process and share what they made; notebooks go first, each where there is room."""
    items.sort(key=lambda item: item.path.stem != "test_notebooks")
    for item in items:
        group = item.nodeid if item.path.stem == "test_notebooks" else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


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
