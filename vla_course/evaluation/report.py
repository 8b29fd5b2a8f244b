"""The report of a demo: one HTML file that opens anywhere, and one JSON file for programs."""

import base64
import html
import io
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from vla_course import plots
from vla_course.evaluation.rollouts import Evaluation, rollout, to_batch
from vla_course.models.policy import VLAPolicy
from vla_course.sim.env import TabletopEnv

_CONDITIONS = {
    "normal": ("as trained", "scenes never seen, phrasings of the training set"),
    "held_out_phrasings": ("held-out phrasings", "sentences never seen"),
    "wrong_instruction": (
        "wrong instruction",
        "told to pick another object: a policy that reads leaves this one alone",
    ),
    "blank_image": ("blank image", "a policy that looks is lost"),
}


def table(results: dict[str, Evaluation]) -> str:
    """The results as lines of text."""
    lines = [f"{'condition':<20} {'original target picked':<26} {'named object picked':<26} waypoint error"]
    for name, evaluation in results.items():
        lines.append(f"{name:<20} {evaluation.rate!s:<26} {evaluation.named_rate!s:<26} {centimetres(evaluation)}")
    return "\n".join(lines)


def centimetres(evaluation: Evaluation) -> str:
    """The mean waypoint error as text; a policy that acts at 10 Hz has no waypoints."""
    error = evaluation.waypoint_error
    return "" if error is None else f"{error * 100:.1f} cm"


def films(policy: VLAPolicy, env: TabletopEnv, evaluation: Evaluation, most: int = 3) -> list[tuple[str, Figure]]:
    """Film strips of the first successes and the first failures: (caption, figure) pairs."""
    strips = []
    for word, outcome in (("success", True), ("failure", False)):
        for trial in [t for t in evaluation.trials if t.success is outcome][:most]:
            frames: list[np.ndarray] = []
            rollout(policy, env, trial.seed, film=frames)
            missing = ", ".join(f"not {name}" for name, held in trial.goal_conditions.items() if not held)
            where = f"scene {trial.seed}; {missing}" if missing else f"scene {trial.seed}"
            strips.append((f"{word}: “{trial.instruction}” ({where})", plots.film_strip(frames)))
    return strips


def attention_figure(policy: VLAPolicy, env: TabletopEnv, seeds: list[int]) -> Figure:
    """Where the grounded head looks at the start of some scenes."""
    images, maps, sentences = [], [], []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        with torch.no_grad():
            _, logits = policy.plan(to_batch(observation, observation["instruction"]))
        images.append(observation[policy.config.cameras[0]])
        maps.append(logits[0, 0].flatten().softmax(0).view(logits.shape[-2:]).numpy())
        sentences.append(observation["instruction"])
    return plots.attention_overlays(images, maps, sentences)


def write_report(
    out: Path,
    summary: dict,
    results: dict[str, Evaluation],
    history: list[dict],
    policy: VLAPolicy,
    env: TabletopEnv,
) -> None:
    """Write `out/report.html`, `out/report.json` and `out/robot_at_work.png`.

    Args:
        out: the demo's folder.
        summary: what report.json holds.
        results: evaluations by condition.
        history: of the training.
        policy: to draw its attention and film it again; the same seed gives the same episode.
        env: where it acts.
    """
    strips = films(policy, env, results["normal"])
    seeds = [trial.seed for trial in results["normal"].trials[:6]]
    seconds = summary["seconds"]
    parts = [
        _STYLE,
        f"<h1>A robot that follows instructions: task “{html.escape(summary['task'])}”</h1>",
        f"<p>A policy with {summary['parameters']:,} parameters, trained on {summary['demonstrations']:,} "
        f"demonstrations, was tested in {summary['trials']} scenes that it had never seen. It reached the goal in "
        f"<b>{html.escape(str(results['normal'].rate))}</b>; the brackets hold Wilson's 95% interval. "
        f"Collecting took {seconds['collect']:.0f} s, training {seconds['train']:.0f} s, evaluating "
        f"{seconds['evaluate']:.0f} s; the most memory in use was {summary['peak_memory_mb']} MB. "
        f"Seed {summary['seed']}; {html.escape(summary['machine'])}.</p>",
        "<h2>Does it look, does it read?</h2>",
        _html_table(results),
        "<h2>Episodes</h2><p>Each strip shows the scene before the first waypoint and after each of the five.</p>",
        *(
            f"<figure>{_img(figure)}<figcaption>{html.escape(caption)}</figcaption></figure>"
            for caption, figure in strips
        ),
        "<h2>Where it looked</h2><p>Above, the picture that the policy sees, 64 by 64 pixels. Below, the attention of "
        "its grounded head after reading the sentence: bright is where it looked.</p>",
        _img(attention_figure(policy, env, seeds)),
        "<h2>How it learned</h2>",
        _img(plots.learning_curve(history)),
    ]
    (out / "report.html").write_text("\n".join(parts), encoding="utf-8")
    (out / "report.json").write_text(json.dumps(summary, indent=1) + "\n")
    robot_at_work(policy, env, results["normal"]).savefig(out / "robot_at_work.png", dpi=90)
    plt.close("all")


def robot_at_work(policy: VLAPolicy, env: TabletopEnv, evaluation: Evaluation) -> Figure:
    """The film strip of the first success, with its sentence."""
    trial = next((t for t in evaluation.trials if t.success), evaluation.trials[0])
    frames: list[np.ndarray] = []
    rollout(policy, env, trial.seed, film=frames)
    return plots.film_strip(frames, f"“{trial.instruction}”")


def _html_table(results: dict[str, Evaluation]) -> str:
    rows = []
    for name, evaluation in results.items():
        label, meaning = _CONDITIONS[name]
        rows.append(
            f"<tr><td>{label}<br><small>{meaning}</small></td><td>{evaluation.rate}</td>"
            f"<td>{evaluation.named_rate}</td><td>{centimetres(evaluation)}</td></tr>"
        )
    return (
        "<table><tr><th>condition</th><th>original target picked</th><th>named object picked</th>"
        f"<th>mean waypoint error</th></tr>{''.join(rows)}</table>"
    )


def _img(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    plt.close(figure)
    return f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


_STYLE = """<!doctype html><meta charset="utf-8"><title>Demo report</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse } td, th { text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #ccc }
img { max-width: 100% } figure { margin: 1rem 0 } small, figcaption { color: #555 }
</style>"""
