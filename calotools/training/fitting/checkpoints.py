"""Checkpoints of a fit: what they are called, when they are written, and whether one can be gone on from."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from calotools.errors import ConfigError
from calotools.training.fitting.interrupts import SaveWhenInterrupted

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = [
    "best_weights",
    "checkpoint_folder",
    "checkpoints",
    "had_stopped",
    "history_of",
    "naming_checkpoint",
    "nothing_left",
    "prepare_folder",
    "tell_resumed",
]

# Where and how it runs may change on the way, what is learnt may not.
_WHERE = ("accelerator", "devices", "threads", "prefetch", "checkpoint_minutes")
_NOT_LEARNT = {"output", "resume", "overwrite", "store", "search"}


def checkpoint_folder(config: TrainConfig) -> Path:
    """The folder of a fit's checkpoints."""
    return config.output / "checkpoints"


def checkpoints(config: TrainConfig) -> list[Callback]:
    """Callbacks that keep the best epoch, the last one, and the place inside an epoch: at times, and if interrupted."""
    folder, often = checkpoint_folder(config), timedelta(minutes=config.trainer.checkpoint_minutes)
    return [
        *([SaveWhenInterrupted(folder / "last.ckpt")] if config.trainer.devices == 1 else []),
        _checkpoint(folder, "best", monitor="val_loss", save_on_train_epoch_end=True),
        _checkpoint(folder, "last", save_on_train_epoch_end=True),
        _checkpoint(folder, "last", train_time_interval=often),
    ]


def _checkpoint(folder: Path, name: str, **when: Any) -> ModelCheckpoint:
    return ModelCheckpoint(dirpath=folder, filename=name, enable_version_counter=False, **when)


def prepare_folder(config: TrainConfig, *, digest: str) -> Path | None:
    """Empty the folder, or find the checkpoint to go on from and check that it is of the same recipe.

    Parameters
    ----------
    config : TrainConfig
    digest : str
        Of the sample.

    Returns
    -------
    Path, optional

    Raises
    ------
    ConfigError
        The checkpoint is of another recipe.
    """
    folder = checkpoint_folder(config)
    last, recipe = folder / "last.ckpt", folder / "recipe.json"
    now = _learnt(config, digest=digest)
    if config.resume and not config.overwrite and last.exists():
        kept = recipe.read_text(encoding="utf-8")
        filled = _with_defaults(kept, config)
        if now not in (kept, filled):
            where = f"'{recipe}'{_difference(filled or kept, now)}"
            raise ConfigError(
                f"'{last}' belongs to another recipe or other files ({where}), so it cannot be resumed; "
                "use the same ones, or start anew with resume = false (--no-resume)"
            )
        return last
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    recipe.write_text(now, encoding="utf-8")
    return None


def _learnt(config: TrainConfig, *, digest: str) -> str:
    """All that weights depend on, in the order that the recipe gives: that of the classes is that of the scores."""
    content = config.model_dump(mode="json", exclude=_NOT_LEARNT)
    content["trainer"] = {k: v for k, v in content["trainer"].items() if k not in _WHERE}
    return json.dumps({"store": digest, "recipe": content})


def _with_defaults(kept: str, config: TrainConfig) -> str | None:
    """The same of what is kept of a fit, or None where it is no recipe.

    It may lack keys that came later, and spell its files in another way: the sample's digest knows them.
    """
    try:
        content = json.loads(kept)
        old = type(config)(**(content["recipe"] | {"output": config.output}))
    except (ConfigError, json.JSONDecodeError):  # a key that there is no longer, or half a file
        return None
    spelled = {name: getattr(config.sample, name) for name in ("files", "weights")}
    old = old.model_copy(update={"sample": old.sample.model_copy(update=spelled)})
    return _learnt(old, digest=content["store"])


def _difference(kept: str, now: str) -> str:
    """The first key that says something else, for an error; nothing where what is kept cannot be read."""
    try:
        old, new = (json.loads(one)["recipe"] for one in (kept, now))
    except json.JSONDecodeError:
        return ""
    if json.dumps(old) == json.dumps(new):
        return ": the sample is another one"
    names: list[str] = []
    while isinstance(old, dict) and isinstance(new, dict):
        differ = [key for key in (*new, *old) if json.dumps(old.get(key)) != json.dumps(new.get(key))]
        if not differ:
            return f": {'.'.join(names)} in another order"
        names.append(differ[0])
        old, new = old.get(differ[0]), new.get(differ[0])
    return f": {'.'.join(names)} is {json.dumps(old)} there, {json.dumps(new)} here"


@contextmanager
def nothing_left(config: TrainConfig) -> Iterator[None]:
    """A fit that ends before its first checkpoint leaves no folder."""
    try:
        yield
    finally:
        if not (checkpoint_folder(config) / "last.ckpt").exists():
            shutil.rmtree(checkpoint_folder(config), ignore_errors=True)


@contextmanager
def naming_checkpoint(config: TrainConfig) -> Iterator[None]:
    """An interrupt says from which checkpoint the fit can go on, and by which command."""
    try:
        yield
    except KeyboardInterrupt:
        last = checkpoint_folder(config) / "last.ckpt"
        if not last.exists():
            raise
        if not config.resume or config.overwrite:  # the same command would start anew
            raise KeyboardInterrupt(f"checkpoints stay in '{last.parent}'") from None
        place = _place(len(history_of(last)))
        raise KeyboardInterrupt(f"the same command goes on {place}, from '{last}'") from None


def tell_resumed(last: Path, config: TrainConfig) -> None:
    """Log after which epoch a fit goes on, where one is left."""
    n = len(history_of(last))
    if n < config.trainer.epochs:
        logging.getLogger(__name__).info("goes on %s of %d, from '%s'", _place(n), config.trainer.epochs, last)


def _place(n_epochs: int) -> str:
    return f"after epoch {n_epochs}" if n_epochs else "inside epoch 1"


def _load(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)


def best_weights(path: Path) -> dict[str, torch.Tensor]:
    """The network's weights in a checkpoint: averaged ones, where the fit averages."""
    content = _load(path)
    weights = content["callbacks"].get("WeightAverage", {}).get("weights") or content["state_dict"]
    return {name.removeprefix("network."): weight.contiguous() for name, weight in weights.items()}


def history_of(path: Path) -> list[dict[str, float]]:
    """Numbers of every epoch."""
    # The file, not the callback: with several processes the callback lived in another one.
    return _load(path)["callbacks"]["History"]["epochs"]


def had_stopped(last: Path, patience: int) -> bool:
    """The fit was over for want of improvement: going on would add an epoch that an uninterrupted fit never ran."""
    states = _load(last)["callbacks"]
    return any(state["wait_count"] >= patience for name, state in states.items() if name.startswith("EarlyStopping"))
