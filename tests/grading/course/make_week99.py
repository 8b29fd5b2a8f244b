"""Writes solutions/week99_vectors.ipynb beside this file: a small exercise that the tests of grading share.

Run it again after a change, from the checkout: `.venv/bin/python tests/grading/course/make_week99.py`.
"""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vla_course.grading.cells import BEGIN, END, SEED_LINE
from vla_course.notebooks import BADGES, SETUP, run_notebook

HERE = Path(__file__).parent
LIMITS = {
    "cell_seconds": 8,
    "notebook_seconds": 60,
    "memory_mb": 1000,
    "output_kb": 200,
    "files_mb": 16,
    "processes": 64,
}


def prompt(task, text):
    return new_markdown_cell(text.strip(), id=task)


def given(name, source):
    return new_code_cell(source.strip(), id=name)


def answer(task, head, body, may_not_use=()):
    """`head` is what the student sees, `body` what the student writes."""
    lines = [head.strip(), f"    {BEGIN}", body.strip("\n"), f"    {END}"]
    mark = {"schema_version": 3, "grade": False, "grade_id": f"{task}-answer", "locked": False, "solution": True}
    metadata = {"nbgrader": mark | {"task": False}}
    if may_not_use:
        metadata["vla_course"] = {"may_not_use": list(may_not_use)}
    return new_code_cell("\n".join(lines), id=f"{task}-answer", metadata=metadata)


def check(task, points, source, measure=None):
    mark = {"schema_version": 3, "grade": True, "grade_id": f"{task}-check", "locked": True, "points": points}
    metadata = {"nbgrader": mark | {"solution": False, "task": False}}
    if measure:
        metadata["vla_course"] = {"measure": measure}
    return new_code_cell(source.strip(), id=f"{task}-check", metadata=metadata)


def probe(task, source):
    return new_code_cell(f"{SEED_LINE}\n{source.strip()}", id=f"{task}-probe", metadata={"tags": ["probe"]})


CELLS = [
    new_markdown_cell("# Week 99 · Vectors\n\nThree small functions on paths of a gripper, and a plan.", id="title"),
    new_markdown_cell("", id=BADGES),
    new_code_cell("", id=SETUP),
    given("imports", "from pathlib import Path\n\nimport numpy as np\n\nfrom vla_course.checks import compare"),
    # ----------------------------------------------------------------------------------------------------------------
    prompt(
        "mean-speed",
        """
## Task 1 · Mean speed

*easy · 5 minutes · 2 points*

A camera saw the gripper at `T` moments, `dt` seconds apart. Write a function that returns the mean speed along the
path. `positions` is (T, 3) in metres; the result is a float in metres per second.

<details><summary>Hint 1</summary>

Speed looks at the length of each step, whatever its direction.
</details>
<details><summary>Hint 2</summary>

`np.diff` gives the steps, `np.linalg.norm` with `axis=1` their lengths. `T` positions have `T - 1` steps.
</details>
""",
    ),
    answer(
        "mean-speed",
        '''
def mean_speed(positions, dt):
    """Mean speed (m/s) along positions (T, 3) in metres that lie `dt` seconds apart."""
''',
        """
    steps = np.diff(positions, axis=0)
    return float(np.linalg.norm(steps, axis=1).mean() / dt)
""",
    ),
    check(
        "mean-speed",
        2,
        """
there_and_back = np.array([[0.0, 0.0, 0.1], [0.3, 0.4, 0.1], [0.0, 0.0, 0.1]])
known = {
    0.0: "there and back is a path of 1 m: add up the lengths of the steps, do not compare the ends",
    3.3333: "three positions have two steps: divide by the number of steps",
    7.0: "the length of a step is the root of the sum of squares, not the sum of the sides",
    0.5: "a speed is metres per second: divide by dt",
}
compare("there and back, in m/s", mean_speed(there_and_back, 0.1), 5.0, known)
compare("at rest", mean_speed(np.zeros((4, 3)), 0.1), 0.0)
""",
    ),
    probe(
        "mean-speed",
        """
rng = np.random.default_rng(GRADING_SEED)
for length in (2, 5, 9):
    path, dt = rng.uniform(-0.5, 0.5, (length, 3)).round(3), float(rng.choice([0.05, 0.1, 0.25]))
    print(f"{mean_speed(path, dt):.6f}")
""",
    ),
    # ----------------------------------------------------------------------------------------------------------------
    prompt(
        "clip-step",
        """
## Task 2 · A step of limited length

*medium · 10 minutes · 2 points*

The arm moves at most `limit` metres in one control period. Write a function that returns the next position: on the
straight line from `position` to `target`, `limit` metres along it, and exactly `target` where that is nearer. Both
positions are (3,) in metres.

<details><summary>Hint</summary>

Shorten the whole vector, not its sides one by one. What is the direction when the arm is there already?
</details>
""",
    ),
    answer(
        "clip-step",
        '''
def clip_step(position, target, limit):
    """The position (3,) after one step of at most `limit` metres towards `target` (3,)."""
''',
        """
    step = np.asarray(target) - position
    length = np.linalg.norm(step)
    return position + step * min(1.0, limit / max(length, 1e-12))
""",
    ),
    check(
        "clip-step",
        2,
        """
start = np.array([0.4, 0.0, 0.2])
reached = clip_step(start, start + np.array([0.3, 0.0, -0.4]), 0.05)
known = {0.05 * 2**0.5: "the step is too long: it is the whole vector that must be shortened, not each side"}
compare("length of a step to a far target", float(np.linalg.norm(reached - start)), 0.05, known)
compare("x after it", float(reached[0]), 0.43)
near = clip_step(start, start + np.array([0.0, 0.02, 0.0]), 0.05)
compare("y after a step to a near target", float(near[1]), 0.02, {0.05: "the arm went past the target"})
compare("x after a step to where it is", float(clip_step(start, start, 0.05)[0]), 0.4)
""",
    ),
    probe(
        "clip-step",
        """
rng = np.random.default_rng(GRADING_SEED)
for limit in (0.02, 0.2, 2.0):
    position, target = rng.uniform(-0.5, 0.5, (2, 3)).round(3)
    print(*(f"{x:.6f}" for x in clip_step(position, target, limit)))
print(*(f"{x:.6f}" for x in clip_step(position, position, 0.1)))
""",
    ),
    # ----------------------------------------------------------------------------------------------------------------
    prompt(
        "interval",
        """
## Task 3 · An interval around a success rate

*medium · 15 minutes · 2 points*

Write Wilson's 95% interval from its formula, without the library: the two ends

$$\\frac{k + z^2/2 \\pm z\\sqrt{k(n-k)/n + z^2/4}}{n + z^2}, \\qquad z = 1.959964$$

for `k` successes in `n` trials. The result is a tuple of two floats, the lower end first.

<details><summary>Hint</summary>

Both ends share the middle and the half width. Compute these two first.
</details>
""",
    ),
    answer(
        "interval",
        '''
def wilson(successes, trials):
    """Wilson's 95% interval of a success probability: (low, high)."""
    z = 1.959964
''',
        """
    middle = (successes + z**2 / 2) / (trials + z**2)
    half = z * (successes * (trials - successes) / trials + z**2 / 4) ** 0.5 / (trials + z**2)
    return middle - half, middle + half
""",
        may_not_use=("vla_course.evaluation.statistics:SuccessRate", "vla_course.evaluation.statistics:success_rate"),
    ),
    check(
        "interval",
        2,
        """
low, high = wilson(8, 10)
known = {0.5521: "this is k/n plus and minus z standard errors; Wilson's interval is not centred on k/n"}
compare("8 of 10, lower end", low, 0.4902, known)
compare("8 of 10, upper end", high, 0.9433, {1.0479: "a probability is never above 1; k/n is not the middle here"})
compare("20 of 20, lower end", wilson(20, 20)[0], 0.8389, {1.0: "20 of 20 is no proof of a perfect policy"})
""",
    ),
    probe(
        "interval",
        """
rng = np.random.default_rng(GRADING_SEED)
for trials in (7, 50, 400):
    low, high = wilson(int(rng.integers(trials + 1)), trials)
    print(f"{low:.6f} {high:.6f}")
""",
    ),
    # ----------------------------------------------------------------------------------------------------------------
    prompt(
        "plan",
        """
## Task 4 · A plan that lifts

*medium · 20 minutes · 4 points, for lifts in physics*

An object stands at x, y, z (metres) and is turned by yaw (radians). Write a function that returns five waypoints
(5, 7), each x, y, z, roll, pitch, yaw, gripper (+1 open, -1 closed), that lift the object 15 cm or more. At a waypoint
the robot first goes there with its gripper as it is, then opens or closes the gripper.

Your plan is carried out in physics, on objects that only the grader knows: half of the lifts earn 2 points, all earn 4.

<details><summary>Hint</summary>

Come from above. Close the gripper at the height of the object, and do not turn on the way up.
</details>
""",
    ),
    given(
        "scenes",
        """
if Path("scenes.npz").exists():  # the grader's
    targets = np.load("scenes.npz")["targets"]
else:
    targets = np.array([[0.45, 0.10, 0.023, 0.3], [0.55, -0.12, 0.034, 0.0], [0.40, 0.00, 0.024, -0.4]])
print(f"{len(targets)} objects, each x, y, z, yaw")
""",
    ),
    answer(
        "plan",
        '''
def plan(target):
    """Five waypoints (5, 7) that lift the object at target (4,): x, y, z (m), yaw (rad)."""
''',
        """
    x, y, z, yaw = target
    heights = [0.15, 0.07, z, 0.10, 0.25]
    grippers = [1, 1, -1, -1, -1]
    return np.array([[x, y, height, 0, 0, yaw, grip] for height, grip in zip(heights, grippers, strict=True)])
""",
        may_not_use=("vla_course.sim.tasks.grasping:PickUp.expert", "vla_course.sim.env:TabletopEnv.expert_waypoints"),
    ),
    check(
        "plan",
        4,
        """
actions = np.array([plan(target) for target in targets], dtype=np.float32)
np.savez("plan.npz", actions=actions)
print("shape of a plan:", actions.shape[1:])
print("all numbers finite:", bool(np.isfinite(actions).all()))
""",
        {"kind": "actions", "file": "plan.npz", "task": "pick", "trials": 3, "steps": [[0.5, 2], [1.0, 4]]},
    ),
]


def main() -> None:
    notebook = new_notebook(cells=CELLS, metadata={"vla_course": {"limits": LIMITS}})
    path = HERE / "solutions" / "week99_vectors.ipynb"
    nbformat.write(notebook, path)
    run_notebook(HERE.parents[2], path)


if __name__ == "__main__":
    main()
