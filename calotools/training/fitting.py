"""Fit a network to a store of images."""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn

from calotools.errors import ConfigError
from calotools.images import image_spec
from calotools.models import build_model, use_threads
from calotools.models.inputs import ModelInputs
from calotools.training.batches import StoreBatches
from calotools.training.bias import BiasCorrection, fit_bias
from calotools.training.callbacks import History, ShowProgress
from calotools.training.inputs import InputScalers
from calotools.training.loader import Loader
from calotools.training.result import TrainingResult
from calotools.training.sample import Sample, read_sample
from calotools.training.task import METRICS, Task

if TYPE_CHECKING:
    from calotools.containers import ImageSpec
    from calotools.images import ImageStore
    from calotools.recipe import TrainConfig

__all__ = ["fit", "model_inputs"]

Progress = Callable[[str, int, int], None]
_TIMES = ("seconds", "candidates_per_s")
_WHERE = ("accelerator", "devices", "threads")


def model_inputs(config: TrainConfig, spec: ImageSpec) -> ModelInputs:
    """Shapes that a recipe's network sees.

    Parameters
    ----------
    config : TrainConfig
    spec : ImageSpec

    Returns
    -------
    ModelInputs
    """
    return ModelInputs(
        shapes={name: shape for name, shape in spec.shapes().items() if shape[0]},
        quantities=spec.quantities,
        n_scalars=len(config.scalars),
        n_tracks=config.max_tracks if config.tracks else 0,
        n_track_features=len(config.tracks),
        n_classes=len(config.classes) if config.task == "identification" else None,
    )


def fit(config: TrainConfig, store: ImageStore, *, progress: Progress | None = None) -> TrainingResult:
    """Train until the epochs are over or the validation loss stops falling; the best weights are returned.

    Under ``config.output`` it writes ``log.csv`` (a row for each epoch) and ``checkpoints/best.ckpt`` and
    ``last.ckpt``, after every epoch. With ``config.resume`` it goes on after the last complete epoch and ends with
    the weights that an uninterrupted fit would have. On CPU the same seed and number of threads give the same weights.

    Parameters
    ----------
    config : TrainConfig
    store : ImageStore
        As `prepare` made it.
    progress : callable, optional
        ``progress(task, done, total)``, in candidates over all epochs.

    Returns
    -------
    TrainingResult

    Raises
    ------
    ConfigError
        Unknown model, setting or loss; a truth variable as input; no GPU; or a checkpoint of another recipe.
    EmptyInputError
        A class, or everything, is missing from the training or validation part.
    NumericalError
        The loss became non-finite; the message names the candidates.
    """
    _check_device(config)
    sample = read_sample(config, store)
    rows = {part: sample.rows(part) for part in ("train", "validation")}
    scalers = InputScalers.fit(config, store, rows=rows["train"])
    spec = image_spec(config.images)
    inputs = model_inputs(config, spec)
    batches = StoreBatches(store, sample=sample, scalers=scalers, config=config)
    with use_threads(config.trainer.threads), _own_generator(config.seed), _quiet_lightning():
        task = _task(config, inputs, store, n_train=len(rows["train"]))
        resume = _prepare_folder(config, digest=store.digest)
        if resume is None or not _had_stopped(resume, config.trainer.patience):
            _run(config, task, batches, rows=rows, resume=resume, progress=progress)
        history = _history_of(_checkpoints(config) / "last.ckpt")
        weights = _best_weights(_checkpoints(config) / "best.ckpt")
        bias = _bias(config, task.network, weights, batches, store, rows=rows["validation"])
    return TrainingResult(
        state_dict=weights,
        config=config,
        image_spec=spec,
        inputs=inputs,
        scalers=scalers,
        record=_record(config, task.network, sample, history, runs=np.unique(store.index.run)),
        bias=bias,
    )


def _check_device(config: TrainConfig) -> None:
    if config.trainer.accelerator == "gpu" and torch.cuda.device_count() < config.trainer.devices:
        raise ConfigError(
            f"trainer.accelerator = 'gpu' with devices = {config.trainer.devices}: this machine has "
            f"{torch.cuda.device_count()}; lower trainer.devices or set trainer.accelerator = 'cpu'"
        )


def _task(config: TrainConfig, inputs: ModelInputs, store: ImageStore, *, n_train: int) -> Task:
    network = build_model(config.model.name, config.model.settings, inputs)
    n_steps = -(-n_train // config.trainer.batch_size) * config.trainer.epochs

    def name_rows(rows: np.ndarray) -> str:
        shown = store.index.take(rows[:3])
        names = [
            f"(run {run}, event {event}, candidate {candidate})"
            for run, event, candidate in zip(shown.run, shown.event, shown.candidate, strict=True)
        ]
        return ", ".join(names) + (", ..." if len(rows) > len(names) else "")

    return Task(
        network,
        task=config.task,
        trainer_config=config.trainer,
        n_steps=n_steps,
        seed=config.seed,
        name_rows=name_rows,
    )


def _run(
    config: TrainConfig,
    task: Task,
    batches: StoreBatches,
    *,
    rows: dict[str, np.ndarray],
    resume: Path | None,
    progress: Progress | None,
) -> None:
    folder = _checkpoints(config)
    n_train = len(rows["train"])
    history = History(config.output / "log.csv", n_candidates=n_train)
    trainer = lightning.Trainer(
        accelerator=config.trainer.accelerator,
        devices=config.trainer.devices,
        strategy="ddp_fork" if config.trainer.devices > 1 else "auto",
        max_epochs=config.trainer.epochs,
        callbacks=[
            history,
            *([ShowProgress(progress, n_candidates=n_train)] if progress else []),
            EarlyStopping(monitor="val_loss", patience=config.trainer.patience, check_on_train_epoch_end=True),
            _checkpoint(folder, "best", monitor="val_loss"),
            _checkpoint(folder, "last", monitor=None),
        ],
        default_root_dir=config.output,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    size = config.trainer.batch_size
    train = Loader(
        batches,
        rows["train"],
        batch_size=size,
        seed=config.seed,
        epoch=lambda: trainer.current_epoch,
        part=lambda: (trainer.global_rank, trainer.world_size),
    )
    # Every process sees the whole validation part, so that its numbers are exact and the same everywhere.
    validation = Loader(batches, rows["validation"], batch_size=size)
    try:
        trainer.fit(task, train, validation, ckpt_path=resume, weights_only=True)
    except SystemExit:  # how Lightning answers an interrupt; the caller decides what it means
        raise KeyboardInterrupt from None


def _checkpoints(config: TrainConfig) -> Path:
    return config.output / "checkpoints"


def _checkpoint(folder: Path, name: str, *, monitor: str | None) -> ModelCheckpoint:
    return ModelCheckpoint(
        dirpath=folder,
        filename=name,
        monitor=monitor,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )


def _prepare_folder(config: TrainConfig, *, digest: str) -> Path | None:
    """Empty the folder, or find the checkpoint to go on from and check that it is of the same recipe."""
    folder = _checkpoints(config)
    last, recipe = folder / "last.ckpt", folder / "recipe.json"
    content = config.model_dump(mode="json", exclude={"output", "resume", "overwrite"})
    # Where it runs may change on the way, what is learnt may not.
    content["trainer"] = {k: v for k, v in content["trainer"].items() if k not in _WHERE}
    now = json.dumps({"store": digest, "recipe": content})
    if config.resume and not config.overwrite and last.exists():
        if recipe.read_text(encoding="utf-8") != now:
            raise ConfigError(
                f"'{last}' belongs to another recipe or other files ('{recipe}'), so it cannot be resumed; "
                "use the same ones, or start anew with resume = false"
            )
        return last
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    recipe.write_text(now, encoding="utf-8")
    return None


def _load(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)


def _best_weights(path: Path) -> dict[str, torch.Tensor]:
    weights = _load(path)["state_dict"]
    return {name.removeprefix("network."): weight.contiguous() for name, weight in weights.items()}


def _history_of(path: Path) -> list[dict[str, float]]:
    # The file, not the callback: with several processes the callback lived in another one.
    return _load(path)["callbacks"]["History"]["epochs"]


def _had_stopped(last: Path, patience: int) -> bool:
    """The fit was over for want of improvement: going on would add an epoch that an uninterrupted fit never ran."""
    states = _load(last)["callbacks"]
    return any(state["wait_count"] >= patience for name, state in states.items() if name.startswith("EarlyStopping"))


def _bias(
    config: TrainConfig,
    network: nn.Module,
    weights: dict[str, torch.Tensor],
    batches: StoreBatches,
    store: ImageStore,
    *,
    rows: np.ndarray,
) -> BiasCorrection | None:
    if config.task != "energy":
        return None
    network.cpu().eval().load_state_dict(weights)
    loader = Loader(batches, rows, batch_size=config.trainer.batch_size)
    with torch.inference_mode():
        energy, target = (torch.cat(one).numpy() for one in zip(*((network(b), b.target) for b in loader), strict=True))
    return fit_bias(energy, target, np.abs(np.asarray(store.column("eta"))[rows]))


def _record(
    config: TrainConfig, network: nn.Module, sample: Sample, history: list[dict[str, float]], *, runs: np.ndarray
) -> dict[str, Any]:
    epochs = [{name: value for name, value in row.items() if name not in _TIMES} for row in history]
    best = min(epochs, key=lambda row: row["val_loss"])
    return {
        "task": config.task,
        "model": config.model.name,
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "n": {part: len(sample.rows(part)) for part in ("train", "validation", "test")},
        "n_unused": int((sample.split < 0).sum()),
        "runs": runs.tolist(),
        "best_epoch": best["epoch"],
        "best": {name: best[name] for name in ("val_loss", METRICS[config.task])},
        "history": epochs,
        "torch": str(torch.__version__),
        "lightning": lightning.__version__,
    }


@contextmanager
def _own_generator(seed: int) -> Iterator[None]:
    """Seed torch inside the block and give the caller's generator back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Mute Lightning's advertisements and its advice on data loaders; errors and torch's own warnings stay."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
