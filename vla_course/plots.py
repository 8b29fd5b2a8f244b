"""Pictures that lessons and reports share."""

import textwrap
from collections.abc import Sequence

import matplotlib

matplotlib.rcParams.update({"figure.dpi": 80, "axes.spines.top": False, "axes.spines.right": False})

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

# Okabe and Ito's palette: told apart by color-blind readers too.
BLUE, ORANGE, GREEN, RED, GRAY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7F7F7F"


def film_strip(frames: Sequence[np.ndarray], title: str = "", captions: Sequence[str] = ()) -> Figure:
    """Pictures side by side, as the episode went.

    Args:
        frames: (H, W, 3) uint8 pictures; of more than 9, eight are shown: the first, the last, and some between.
        title: above them.
        captions: one below each, where all are shown.
    """
    if len(frames) > 9:
        frames = [frames[i] for i in np.linspace(0, len(frames) - 1, 8).round().astype(int)]
    figure, axes = plt.subplots(1, len(frames), figsize=(2 * len(frames), 2.35), squeeze=False)
    for i, (axis, frame) in enumerate(zip(axes[0], frames, strict=True)):
        axis.imshow(frame)
        axis.set_axis_off()
        if i < len(captions):
            axis.text(0.5, -0.04, captions[i], transform=axis.transAxes, ha="center", va="top", fontsize=9)
    figure.suptitle(title, fontsize=10, y=0.98)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.08, top=0.9, wspace=0.03)
    return figure


def learning_curve(history: Sequence[dict]) -> Figure:
    """Training and validation loss over epochs."""
    figure, axis = plt.subplots(figsize=(5.5, 3))
    epochs = [row["epoch"] + 1 for row in history]
    axis.plot(epochs, [row["training_loss"] for row in history], color=BLUE, marker="o", ms=3, label="training")
    axis.plot(
        epochs,
        [row["validation_loss"] for row in history],
        color=ORANGE,
        marker="s",
        ms=3,
        linestyle="--",
        label="validation",
    )
    axis.set(xlabel="epoch", ylabel="loss", yscale="log")
    axis.legend(frameon=False)
    figure.tight_layout()
    return figure


def attention_overlays(images: Sequence[np.ndarray], maps: Sequence[np.ndarray], sentences: Sequence[str]) -> Figure:
    """What the policy saw, and where its grounded attention looked; each map is scaled to its brightest cell.

    Args:
        images: (H, W, 3) uint8 pictures.
        maps: (h, w) attention weights that sum to 1, one for each picture.
        sentences: the instructions.
    """
    figure, axes = plt.subplots(2, len(images), figsize=(2.1 * len(images), 4.5), squeeze=False)
    for column, (image, weights, sentence) in enumerate(zip(images, maps, sentences, strict=True)):
        size = image.shape[0]
        for axis in axes[:, column]:
            axis.imshow(image, extent=(0, size, size, 0))
            axis.set_axis_off()
        axes[1, column].imshow(
            weights / weights.max(),
            extent=(0, size, size, 0),
            cmap="magma",
            alpha=0.65,
            interpolation="nearest",
        )
        axes[1, column].set_title(f"brightest cell: {weights.max():.0%}", fontsize=8, y=-0.11)
        axes[0, column].set_title(textwrap.fill(sentence, 23, break_on_hyphens=False), fontsize=9)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.06, top=0.87, wspace=0.04, hspace=0.04)
    return figure


def success_bars(rates: dict[str, tuple[float, tuple[float, float]]]) -> Figure:
    """Success rates with their 95% intervals.

    Args:
        rates: name to (rate, (low, high)).
    """
    figure, axis = plt.subplots(figsize=(5.5, 0.5 * len(rates) + 0.9))
    names = list(rates)[::-1]
    for row, name in enumerate(names):
        rate, (low, high) = rates[name]
        axis.barh(row, rate, color=BLUE, height=0.55)
        axis.plot([low, high], [row, row], color="black", lw=1.5)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlim=(0, 1), xlabel="success rate, with Wilson's 95% interval")
    figure.tight_layout()
    return figure
