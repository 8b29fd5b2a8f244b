"""One policy for the whole suite of tasks: `python -m benchmarks.multitask` trains it and measures it.

The policy ships as data_samples/policies/multitask; its figures stand in results/multitask.json.
"""

import shutil
from pathlib import Path

from benchmarks.closed_loop import Plan, measure, write_results
from vla_course.samples import SAMPLES, write_digests
from vla_course.sim.tasks import TASKS

# Tasks of several parts are shown up to four times as often as touching or pushing aside.
TWICE, THRICE = ("pick", "place", "place_plate", "open_drawer"), ("push_to", "put_in_drawer", "sort")
SHOWN = (*TASKS, *TWICE, *2 * THRICE, *3 * ("stack", "take_from_drawer"))
SUITE = Plan(SHOWN, episodes=150, epochs=6, trials=50, control_trials=10, fields={"hidden": 512})
RUN, RESULTS, SHIPPED = Path("runs/multitask"), Path("results/multitask.json"), SAMPLES / "policies" / "multitask"


def main() -> None:
    """Collect, train, measure, and put the policy where the course looks for it."""
    row = measure(0, RUN, SUITE)
    write_results(RESULTS, "python -m benchmarks.multitask", [row])
    shutil.rmtree(SHIPPED, ignore_errors=True)
    shutil.copytree(RUN / "training" / "best", SHIPPED)
    write_digests(SAMPLES)


if __name__ == "__main__":
    main()
