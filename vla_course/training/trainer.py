"""Behavior cloning: make the policy's actions those of the demonstrations.

The loop is the one you know: predict, compare, step. Around it stand the things that a real run needs. Accelerate
puts it on whatever device there is; each epoch ends with a checkpoint; and a run that was killed goes on from there to
the very same weights, since everything random in an epoch is drawn from the seed and the epoch's number alone. (On the
same kind of processor, with as many threads: another number of threads adds up in another order.)

On two GPUs: `accelerate launch --num_processes 2 .venv/bin/vla-course train ...`; in two processes of a machine without
any: `ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 .venv/bin/vla-course train ...`, as `accelerate launch` needs
MPI there, and without it runs one process. Each process takes every second batch and the gradients are averaged, so
half the batch size makes the same steps. The losses are nearly the same: BatchNorm sees the half batches one by one.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from safetensors.torch import load_model
from torch.utils.data import DataLoader, Subset
from tqdm.auto import tqdm

from vla_course.data.files import sha256
from vla_course.data.mirror import mirror_half
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.models.policy import VLAPolicy


@dataclass
class TrainConfig:
    """How a policy is trained.

    Attributes:
        epochs: passes over the training episodes.
        batch_size: samples in a step.
        learning_rate: its peak, after the warm-up and before the cosine.
        weight_decay: AdamW's.
        warm_up: share of all steps in which the learning rate rises.
        clip: largest gradient norm.
        validation: share of the episodes held out.
        mirror: show every other sample of the mirrored scene; see `vla_course.data.mirror`.
        patience: epochs without a better validation loss that are borne; one more ends the run. None never does.
        seed: everything random comes from it.
    """

    epochs: int = 16
    batch_size: int = 64
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.1
    clip: float = 1.0
    validation: float = 0.05
    mirror: bool = False
    patience: int | None = None
    seed: int = 0


@dataclass
class Progress:
    """Where a run stands; saved with each checkpoint.

    Attributes:
        history: one dict an epoch: epoch, learning_rate, training_loss, validation_loss.
        best: lowest validation loss so far.
    """

    history: list[dict] = field(default_factory=list)
    best: float = float("inf")

    def state_dict(self) -> dict:
        """For Accelerate."""
        return asdict(self)

    def load_state_dict(self, state: dict) -> None:
        """For Accelerate."""
        self.history, self.best = state["history"], state["best"]

    def stale(self) -> int:
        """Epochs since the best one."""
        losses = [row["validation_loss"] for row in self.history]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def train(policy: VLAPolicy, dataset: WindowDataset, config: TrainConfig, out: Path) -> list[dict]:
    """Train a policy, or go on with a run that was stopped.

    Writes `out/best/` (the policy of lowest validation loss), `out/last/` (the final one),
    `out/history.json`, `out/tensorboard/` and, of the last finished epoch, `out/checkpoint_NNNN/`.

    Args:
        policy: trained in place; it ends with the weights of the best epoch.
        dataset: the demonstrations.
        config: how.
        out: folder of the run.

    Returns:
        The history: one dict an epoch.

    Raises:
        CourseError: a setting that cannot be trained with; `out` holds a run of another config or other data, or
            cannot be written; the loss is not finite.
    """
    _check(config)
    parts = dataset.split(config.validation, config.seed)
    training, validation = parts["train"], parts["validation"]
    accelerator = Accelerator(
        mixed_precision="bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "no",
        log_with="tensorboard",
        project_dir=out,
        dataloader_config=DataLoaderConfiguration(even_batches=False),
    )
    processes = accelerator.num_processes
    if len(training) < config.batch_size * processes or not validation:
        raise CourseError(
            f"{len(training)} training and {len(validation)} validation samples are too few for batches of "
            f"{config.batch_size} (processes: {processes}); record more episodes or lower the batch size"
        )
    with accelerator.main_process_first():
        _claim(out, config, policy, dataset)
    accelerator.init_trackers("tensorboard")
    policy.set_statistics(dataset.metadata["statistics"], dataset.actions)
    decayed = [p for p in policy.parameters() if p.ndim > 1]
    others = [p for p in policy.parameters() if p.ndim <= 1]  # biases and norms are not decayed
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.learning_rate,
    )
    steps = config.epochs * (len(training) // config.batch_size // processes)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=steps + 1, pct_start=config.warm_up
    )
    model, optimizer = accelerator.prepare(policy, optimizer)
    progress = Progress()
    accelerator.register_for_checkpointing(schedule, progress)
    devices = [accelerator.device] if accelerator.device.type == "cuda" else []
    with torch.random.fork_rng(devices):  # leave the caller's random state alone
        if checkpoints := sorted(out.glob("checkpoint_*")):
            accelerator.load_state(str(checkpoints[-1]))
        bar = tqdm(
            total=steps,
            initial=len(progress.history) * steps // config.epochs,
            desc="train",
            leave=False,
            disable=not accelerator.is_main_process,
        )
        for epoch in range(len(progress.history), config.epochs):
            if config.patience is not None and progress.stale() > config.patience:
                break
            torch.manual_seed(config.seed * 100_003 + epoch)  # dropout, in this epoch
            rate = schedule.get_last_lr()[0]
            loader = accelerator.prepare(_loader(dataset, training, config, epoch))
            training_loss = _train_epoch(accelerator, model, optimizer, schedule, loader, config, bar)
            validation_loss = _validate(accelerator, model, accelerator.prepare(_loader(dataset, validation, config)))
            row = {
                "epoch": epoch,
                "learning_rate": rate,
                "training_loss": training_loss,
                "validation_loss": validation_loss,
            }
            progress.history.append(row)
            accelerator.log({k: v for k, v in row.items() if k != "epoch"}, step=epoch)
            if validation_loss < progress.best:
                progress.best = validation_loss
                _save_policy(accelerator, model, out / "best")
            _checkpoint(accelerator, out, epoch)
        bar.close()
    _save_policy(accelerator, model, out / "last")
    if accelerator.is_main_process:
        (out / "history.json").write_text(json.dumps(progress.history, indent=1) + "\n")
    accelerator.wait_for_everyone()  # the best policy must be whole before it is loaded
    accelerator.end_training()
    load_model(policy, out / "best" / "model.safetensors")
    return progress.history


def _loader(dataset: WindowDataset, indices: list[int], config: TrainConfig, epoch: int | None = None) -> DataLoader:
    """Batches of an epoch, shuffled by its number; without one, all samples in order."""
    part = Subset(dataset, indices)
    if epoch is None:
        return DataLoader(part, config.batch_size, collate_fn=_as_is)
    order, side = (torch.Generator().manual_seed(config.seed * 100_003 + epoch) for _ in range(2))
    collate = partial(mirror_half, generator=side) if config.mirror else _as_is
    return DataLoader(part, config.batch_size, shuffle=True, drop_last=True, generator=order, collate_fn=collate)


def _as_is(batch: dict) -> dict:
    """The data set already returns whole batches."""
    return batch


def _train_epoch(accelerator, model, optimizer, schedule, loader, config, bar) -> float:
    model.train()
    total = 0.0
    for batch in loader:
        with accelerator.autocast():
            loss, _ = model(batch)
        if not torch.isfinite(loss):
            raise CourseError(
                f"the loss became {loss.item()}; lower learning_rate={config.learning_rate} or check the data"
            )
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        total += loss.item()
        bar.update()
    return _sums(accelerator, total, len(loader))


@torch.no_grad()
def _validate(accelerator, model, loader) -> float:
    model = accelerator.unwrap_model(model).eval()  # the processes may have different numbers of batches
    losses = [(model(batch)[0].item(), len(batch["task"])) for batch in loader]
    return _sums(accelerator, sum(loss * n for loss, n in losses), sum(n for _, n in losses))


def _sums(accelerator: Accelerator, total: float, count: int) -> float:
    """The mean over all processes."""
    sums = torch.tensor([total, count], dtype=torch.float64, device=accelerator.device)
    total, count = accelerator.reduce(sums, "sum").tolist()
    return total / count


def _check(config: TrainConfig) -> None:
    for name, least in {"epochs": 1, "batch_size": 1, "seed": 0, "patience": 0}.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise CourseError(f"{name}={value}; give {least} or more")
    if not config.learning_rate > 0:
        raise CourseError(f"learning_rate={config.learning_rate}; give a number above 0, such as 5e-3")


def _claim(out: Path, config: TrainConfig, policy: VLAPolicy, dataset: WindowDataset) -> None:
    """Make `out` the folder of this run, or check that it is."""
    data = {"windows": len(dataset), "statistics": dataset.metadata["statistics"]}
    data = {"episodes": len(dataset.episodes), "sha256": sha256(json.dumps(data).encode())}
    run = {"training": asdict(config), "policy": asdict(policy.config), "data": data}
    settings = json.dumps(run, indent=1) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / "settings.json").exists() and (out / "settings.json").read_text() != settings:
            raise CourseError(f"{out}: holds a run of other settings or data; choose another folder or delete it")
        (out / "settings.json").write_text(settings)
    except OSError as error:
        raise CourseError(f"{out}: cannot be written: {error.strerror}; choose another folder") from error


def _save_policy(accelerator: Accelerator, model, folder: Path) -> None:
    """Write a policy file by file, each replaced in one move."""
    if not accelerator.is_main_process:
        return
    partial = folder.with_name(f".{folder.name}.partial")
    accelerator.unwrap_model(model).save_pretrained(partial)
    folder.mkdir(exist_ok=True)
    for file in partial.iterdir():
        os.replace(file, folder / file.name)
    partial.rmdir()


def _checkpoint(accelerator: Accelerator, out: Path, epoch: int) -> None:
    """Save everything a resumed run needs, then drop the checkpoint before."""
    partial, folder = out / ".checkpoint.partial", out / f"checkpoint_{epoch:04d}"
    accelerator.save_state(str(partial))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        # Every epoch draws from its own seed; loading these would only change the caller's random state.
        for states in partial.glob("random_states_*"):
            states.unlink()
        os.replace(partial, folder)
        for older in out.glob("checkpoint_*"):
            if older != folder:
                shutil.rmtree(older)
    accelerator.wait_for_everyone()
