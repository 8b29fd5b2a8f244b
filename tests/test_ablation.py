"""The table of parts: rows are measured alike, kept when finished, and compared in pairs."""

import json

import pytest

from vla_course.ablation import BASE, ablate, line
from vla_course.collection.scripted import collect
from vla_course.errors import CourseError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("ablation") / "data"
    collect(root, "pick", episodes=11, workers=1, cameras=("front", "wrist"), action_mode="ee_delta", noise=0.1)
    return root


def test_rows_are_measured_alike_kept_and_compared_in_pairs(data, tmp_path):
    made = ablate(data, tmp_path, ("chunks of 4", "all 8 actions"), trials=1, epochs=1, workers=1)
    assert [row["name"] for row in made] == [BASE, "chunks of 4", "all 8 actions, open loop"]
    base, short, open_loop = made
    assert short["parameters"] != base["parameters"] == open_loop["parameters"]
    assert open_loop["minutes"] == 0.0 and min(row["milliseconds"] for row in made) > 0
    assert open_loop["validation_loss"] == base["validation_loss"] != short["validation_loss"] > 0
    assert open_loop["action_loss"] == base["action_loss"] != short["action_loss"] > 0
    assert base["action_loss"] < base["validation_loss"]  # which has the grounding loss and the relative positions too
    assert base["action_loss_own_memory"] != base["action_loss"]
    for row in made:
        assert row["tasks"]["pick"].items() <= row.items() and row["trials"] == 1 and 0 <= row["p"] <= 1
        assert row["outcomes"] == {"pick": str(row["successes"])}
        assert set(row["controls"]) == {"wrong_instruction", "blank_image"}
        assert line(row).startswith(row["name"])
    policies = {name: json.loads((tmp_path / name / "policy" / "config.json").read_text()) for name in
                ("as_designed", "chunks_of_4", "all_8_actions_open_loop")}  # fmt: skip
    assert policies["as_designed"]["execute"] == 2 and policies["all_8_actions_open_loop"]["execute"] is None
    assert policies["as_designed"]["chunk"] == 8 and policies["chunks_of_4"]["chunk"] == 4
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("row.json")}
    again = ablate(data, tmp_path, ("1 action",), trials=1, epochs=1, workers=1)
    assert len(again) == 4 and written.items() <= {p: p.stat().st_mtime_ns for p in tmp_path.rglob("row.json")}.items()
    assert json.loads((tmp_path / "table.json").read_text())["rows"] == again


def test_an_unknown_row_and_waypoints_are_refused(data, demonstrations, tmp_path):
    with pytest.raises(CourseError, match="unknown row 'decodr'"):
        ablate(data, tmp_path, ("decodr",))
    with pytest.raises(CourseError, match="mode 'waypoint'; record in mode ee_delta"):
        ablate(demonstrations, tmp_path)
