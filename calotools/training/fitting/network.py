"""Fit a network to a sample: in an image store, or in ROOT files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import lightning
import numpy as np
import torch
from lightning.pytorch.accelerators import CUDAAccelerator
from lightning.pytorch.callbacks import EarlyStopping
from torch import nn
from torch.multiprocessing.spawn import ProcessRaisedException

from calotools.errors import ConfigError
from calotools.images import image_spec
from calotools.models import ModelInputs, build_model, check_precision, use_threads
from calotools.progress import Progress
from calotools.training.calibration.bias import fit_bias
from calotools.training.calibration.factors import fit_factors
from calotools.training.calibration.temperature import fit_temperature_of
from calotools.training.calibration.uncertainty import fit_sigma_scale
from calotools.training.fitting.averaging import WeightAverage
from calotools.training.fitting.callbacks import History, ShowProgress, Watch
from calotools.training.fitting.checkpoints import (
    best_weights,
    checkpoint_folder,
    checkpoints,
    had_stopped,
    history_of,
    naming_checkpoint,
    nothing_left,
    prepare_folder,
    tell_resumed,
)
from calotools.training.fitting.mirror import Mirror
from calotools.training.fitting.network_parts import freeze_parts, load_parts
from calotools.training.fitting.process_errors import raise_ours
from calotools.training.fitting.result import TrainingResult
from calotools.training.fitting.task import METRICS, Task
from calotools.training.loading.loader import Loader
from calotools.training.loading.stored import StoreData
from calotools.training.loading.streaming import StreamData
from calotools.training.sample.labels import PARTS
from calotools.training.sample.weighing import class_shares, kept_fractions

if TYPE_CHECKING:
    from calotools.containers import ImageSpec
    from calotools.images import ImageStore
    from calotools.recipe import TrainConfig

__all__ = ["calibrate", "check_device", "fit", "model_inputs", "new_network", "own_generator", "validate"]

_TIMES = ("seconds", "candidates_per_s")
_PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}


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
        n_outputs={"none": 1, "gaussian": 2, "quantiles": 3}[config.uncertainty],
    )


def fit(
    config: TrainConfig,
    data: ImageStore | StoreData | StreamData,
    *,
    progress: Progress | None = None,
    watch: Callable[[int, float], None] | None = None,
) -> TrainingResult:
    """Train until the epochs are over or the validation loss stops falling; the best weights are returned.

    Under ``config.output`` it writes ``log.csv`` (a row for each epoch) and ``checkpoints/best.ckpt`` and
    ``last.ckpt``, after every epoch and every few minutes. With ``config.resume`` it goes on from there and ends with
    the weights that an uninterrupted fit would have. On CPU the same seed and number of threads give the same weights.

    Parameters
    ----------
    config : TrainConfig
    data : ImageStore, StoreData or StreamData
        As `prepare` or `open_data` made it.
    progress : callable, optional
        ``progress(task, done, total)``, in candidates over all epochs.
    watch : callable, optional
        ``watch(epoch, metric)`` after every epoch, from 1; an error that it raises ends the fit.

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
    if config.members > 1:
        raise ConfigError(f"members = {config.members}: fit trains one network; fit_ensemble trains all of them")
    check_device(config)
    given = data if isinstance(data, StoreData | StreamData) else StoreData(config, data)
    spec = image_spec(config.images)
    inputs = model_inputs(config, spec)
    with (
        use_threads(config.trainer.threads),
        own_generator(config.own_seed),
        _quiet_lightning(),
        closing(given),
        nothing_left(config),
    ):
        task = _task(config, inputs, given)
        resume = prepare_folder(config, digest=given.digest)
        with naming_checkpoint(config):
            if resume is None or not had_stopped(resume, config.trainer.patience):
                _run(config, task, given, resume=resume, progress=progress, watch=watch)
            history = history_of(checkpoint_folder(config) / "last.ckpt")
            weights = best_weights(checkpoint_folder(config) / "best.ckpt")
            calibration, remarks = calibrate(config, task.network, weights, given)
    return TrainingResult(
        state_dict=weights,
        config=config,
        image_spec=spec,
        inputs=inputs,
        scalers=given.scalers,
        record=_record(config, task.network, given, history) | remarks,
        **calibration,
    )


def check_device(config: TrainConfig) -> None:
    """Warn of a precision that this machine imitates; raise ConfigError where it lacks the GPUs of the recipe."""
    on_gpu = config.trainer.accelerator != "cpu" and torch.cuda.is_available()
    check_precision(config.trainer.precision, on_gpu=on_gpu)
    if config.trainer.accelerator == "gpu" and torch.cuda.device_count() < config.trainer.devices:
        raise ConfigError(
            f"trainer.accelerator = 'gpu' with devices = {config.trainer.devices}: this machine has "
            f"{torch.cuda.device_count()}; lower trainer.devices or set trainer.accelerator = 'cpu'"
        )


def new_network(config: TrainConfig, inputs: ModelInputs | None = None) -> nn.Module:
    """The network of a recipe as it begins: fresh weights, or those of another training, and parts of it frozen.

    Parameters
    ----------
    config : TrainConfig
    inputs : ModelInputs, optional
        What it sees; default: as the recipe says.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    ConfigError, ModelError
        Of the recipe, and of the bundle it begins with.
    """
    inputs = inputs or model_inputs(config, image_spec(config.images))
    network = build_model(config.model.name, config.model.settings, inputs)
    load_parts(network, config.model)
    freeze_parts(network, config.model.freeze)
    return network


def _task(config: TrainConfig, inputs: ModelInputs, data: StoreData | StreamData) -> Task:
    return Task(
        new_network(config, inputs),
        config=config,
        steps_per_epoch=len(data),
        name_rows=data.name_rows,
        mirror=Mirror(config.trainer.mirror, data.scalers, keeps=config.trainer.mirror_keeps),
    )


def _run(
    config: TrainConfig,
    task: Task,
    data: StoreData | StreamData,
    *,
    resume: Path | None,
    progress: Progress | None,
    watch: Callable[[int, float], None] | None,
) -> None:
    n_train = int(data.tally.n[PARTS["train"]].sum())
    trainer = lightning.Trainer(
        accelerator=config.trainer.accelerator,
        devices=config.trainer.devices,
        strategy="ddp_fork" if config.trainer.devices > 1 else "auto",
        precision=_PRECISIONS[config.trainer.precision],
        max_epochs=config.trainer.epochs,
        gradient_clip_val=config.trainer.gradient_clip,
        callbacks=[
            History(config.output / "log.csv", n_candidates=n_train),
            *([ShowProgress(progress, n_candidates=n_train)] if progress else []),
            *([Watch(watch, metric=METRICS[config.task])] if watch else []),
            *([WeightAverage(config.trainer.average)] if config.trainer.average else []),
            EarlyStopping(monitor="val_loss", patience=config.trainer.patience, check_on_train_epoch_end=True),
            *checkpoints(config),
        ],
        default_root_dir=config.output,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    depth, pin = config.trainer.prefetch, isinstance(trainer.accelerator, CUDAAccelerator)
    train = Loader(
        data,
        epoch=lambda: trainer.current_epoch,
        part=lambda: (trainer.global_rank, trainer.world_size),
        depth=depth,
        pin=pin,
    )
    # Every process sees the whole validation part, so that its numbers are exact and the same everywhere.
    validation = Loader(data.validation(), depth=depth, pin=pin)
    if resume is not None:
        tell_resumed(resume, config)
    try:
        with _interruptible():
            trainer.fit(task, train, validation, ckpt_path=resume, weights_only=True)
    except ProcessRaisedException as error:
        raise_ours(error)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lightning answers an interrupt by an exit; the caller decides what it means."""
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None


def validate(config: TrainConfig, network: nn.Module, data: StoreData | StreamData) -> dict[str, float]:
    """Loss and metric of a network on the validation part, as the end of an epoch measures them.

    Where the recipe trains with several devices, on the CPU: a process that has used a GPU cannot be forked for the
    next training.

    Parameters
    ----------
    config : TrainConfig
    network : torch.nn.Module
    data : StoreData or StreamData

    Returns
    -------
    dict of str to float
        ``val_loss`` and the metric of the task.
    """
    mirror = Mirror((), data.scalers)
    task = Task(network, config=config, steps_per_epoch=len(data), name_rows=data.name_rows, mirror=mirror)
    with _quiet_lightning(), _interruptible():
        trainer = lightning.Trainer(
            accelerator="cpu" if config.trainer.devices > 1 else config.trainer.accelerator,
            devices=1,
            precision=_PRECISIONS[config.trainer.precision],
            default_root_dir=config.output,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        (found,) = trainer.validate(task, Loader(data.validation()), verbose=False)
    return {name: found[name] for name in ("val_loss", METRICS[config.task])}


def calibrate(
    config: TrainConfig, network: nn.Module, weights: dict[str, torch.Tensor], data: StoreData | StreamData
) -> tuple[dict[str, Any], dict[str, str]]:
    """From the validation part: what corrects energies, or the temperature of classes; and what the record says of it.

    With a pass of its own on the CPU, as long as the validation of one epoch takes there. What the validation of the
    best epoch gave is not kept for it: a training that is resumed would not have it, and it may be of another precision
    than that of scores; a resumed training would not give the same bundle as one that was not interrupted.

    Parameters
    ----------
    config : TrainConfig
    network : torch.nn.Module
    weights : dict of str to tensor
        Put into it.
    data : StoreData or StreamData

    Returns
    -------
    dict of str to object
        Of a `TrainingResult`: ``temperature``; or ``bias``, ``sigma_scale`` and ``factors``.
    dict of str to str
        What the record says of it.
    """
    if config.task != "energy" and not config.calibrate:
        return {}, {}
    network.cpu().eval().load_state_dict(weights)
    with torch.inference_mode():
        batches = Loader(data.validation())
        each = ((network(one).float(), one.target, one.weight, one.base_energy) for one in batches)
        output, target, weight, base = (torch.cat(one) for one in zip(*each, strict=True))
    if config.task != "energy":
        said = torch.softmax(output.double(), dim=1).numpy()
        shares = kept_fractions(config, data.tally.n[PARTS["train"]])[target.numpy()]  # as an epoch has them
        found = fit_temperature_of(said, target.numpy(), weight=weight.numpy() * shares)
        return {"temperature": found.value}, found.record
    usable = weight.numpy() > 0
    values, true, abs_eta = output.numpy().reshape(len(usable), -1)[usable], target.numpy()[usable], data.abs_eta()
    corrections = _calibrate_energy(config, values, true, abs_eta[usable])
    return corrections | {"factors": fit_factors(true, base.numpy()[usable])}, {}


def _calibrate_energy(
    config: TrainConfig, values: np.ndarray, target: np.ndarray, abs_eta: np.ndarray
) -> dict[str, Any]:
    bias = None
    if config.bias_correction != "none":
        bias = fit_bias(values[:, 0], target, abs_eta, grid=config.bias_correction)
        values = values / bias.divisor(values[:, 0], abs_eta)[:, None]
    sigma_scale = fit_sigma_scale(values, target) if config.uncertainty != "none" else 1.0
    return {"bias": bias, "sigma_scale": sigma_scale}


def _record(
    config: TrainConfig, network: nn.Module, data: StoreData | StreamData, history: list[dict[str, float]]
) -> dict[str, Any]:
    tally = data.tally
    epochs = [{name: value for name, value in row.items() if name not in _TIMES} for row in history]
    best = min(epochs, key=lambda row: row["val_loss"])
    return {
        "task": config.task,
        "model": config.model.name,
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "n": {part: int(tally.n[number].sum()) for part, number in PARTS.items()},
        "n_unused": tally.n_unused,
        **({"missing": data.scalers.missing} if data.scalers.missing else {}),
        "cutflow": data.cutflow,
        **({"shares": class_shares(config)} if config.fractions else {}),
        "runs": sorted(tally.runs),
        "best_epoch": best["epoch"],
        "best": {name: best[name] for name in ("val_loss", METRICS[config.task])},
        "history": epochs,
        "torch": str(torch.__version__),
        "lightning": lightning.__version__,
    }


@contextmanager
def own_generator(seed: int) -> Iterator[None]:
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
