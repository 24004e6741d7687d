"""Make the store of a recipe; train a network; apply it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools import deploy, training
from calotools.analysis import write_numbers
from calotools.errors import CalotoolsError, ConfigError, OutputExistsError
from calotools.models import is_variable_model
from calotools.outputs import check_output
from calotools.plots import draw_history, read_history
from calotools.stages.bias import bias_figure
from calotools.stages.publish import Headline, Outcome, left_out, with_bad_files, write_outcome
from calotools.training.calibration import TEMPERATURE_WARNING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.deploy import ModelBundle
    from calotools.progress import Progress
    from calotools.recipe import PredictConfig, PrepareConfig, TrainConfig
    from calotools.training import TrainingResult

__all__ = ["predict", "prepare", "train"]

BUNDLE = "model.calo"


def prepare(config: PrepareConfig, *, progress: Progress | None = None) -> Path:
    """Make the image store that a recipe's training reads, unless it is there.

    Parameters
    ----------
    config : PrepareConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Path
        ``config.store``, or the folder ``store`` in ``config.output``. Files that were skipped are listed beside it, in
        ``store.bad_files.json``.

    Raises
    ------
    OutputExistsError
        Another store is there, and overwriting was not asked for.
    ConfigError, EmptyInputError, CellError
    """
    if is_variable_model(config.model.name):
        raise ConfigError(f"model '{config.model.name}' sees no images, so there is no store to make; train it at once")
    store, bad = deploy.prepare(config, progress=progress)
    if bad:
        write_numbers(store.path.with_name(f"{store.path.name}.bad_files.json"), {"bad_files": bad}, overwrite=True)
    return store.path


def train(config: TrainConfig, *, progress: Progress | None = None) -> Outcome:
    """Fit a network and bundle it; the image store is made in the first epoch, if it is not there.

    Parameters
    ----------
    config : TrainConfig
        A training that was interrupted goes on from its last checkpoint; the store is reused while recipe and files are
        the same.
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output``, beside the bundle ``model.calo``.

    Raises
    ------
    OutputExistsError
        The folder holds a finished training and overwriting was not asked for; or a store outside the folder is another
        recipe's.
    ConfigError, EmptyInputError, CellError, NumericalError
    """
    bundle = _check_unfinished(config)
    config, bad = deploy.without_bad_files(config)
    try:
        training.guard_store(config)
        outcome, made = _train_folds(config, progress) if config.folds else _train_one(config, progress)
    except CalotoolsError:
        with suppress(OSError):  # a folder that holds something is somebody's
            config.output.rmdir()
        raise
    outcome = with_bad_files(outcome, bad)
    write_outcome(outcome, config, folder=config.output)
    deploy.save_bundle(made, bundle, overwrite=config.overwrite)
    return outcome


def _check_unfinished(config: TrainConfig) -> Path:
    try:
        return check_output(config.output / BUNDLE, overwrite=config.overwrite)
    except OutputExistsError as error:
        raise OutputExistsError(f"{error}; the training there is finished, so there is nothing to resume") from None


def _train_one(config: TrainConfig, progress: Progress | None) -> tuple[Outcome, ModelBundle]:
    result = _fit(config, progress)
    return _outcome(config, result), deploy.bundle_of(result)


def _train_folds(config: TrainConfig, progress: Progress | None) -> tuple[Outcome, ModelBundle]:
    """A model for each fold, in a folder of its own; the store is common to all. Finished folds are not fitted anew."""
    if config.fold is not None:
        raise ConfigError("folds trains every fold, fold a single one; give one of the two")
    bundles = []
    for number in range(config.folds or 0):
        changes = {
            "folds": None,
            "fold": (number, config.folds),
            "output": config.output / "folds" / str(number),
            "store": config.store or config.output / "store",
        }
        bundles.append(deploy.bundle_of(_fit(config.model_copy(update=changes), progress)))
    made = deploy.combine_folds(config, bundles)
    return _outcome_of_folds(config, made), made


def _outcome_of_folds(config: TrainConfig, made: ModelBundle) -> Outcome:
    records = made.record["folds"]
    lines = []
    for name in records[0]["best"]:
        value, error = _over_folds([one["best"][name] for one in records])
        lines.append(Headline(f"{name}, mean of folds", value, error, "", "error: scatter of the folds"))
    return Outcome(
        stage="train",
        title=f"Training: {config.model.name} for {config.task}, {config.folds} folds",
        headline=(
            Headline("models", len(records)),
            Headline("training candidates of each, mean", float(np.mean([one["n"]["train"] for one in records]))),
            *left_out(records[0]["cutflow"]),
            *lines,
            *_temperature(config, records, [one.temperature for one in made.folds]),
            *_sigma(config, [one.sigma_scale for one in made.folds]),
        ),
        results={"record": made.record, "temperature": [one.temperature for one in made.folds]},
    )


def _fit(config: TrainConfig, progress: Progress | None) -> TrainingResult:
    if is_variable_model(config.model.name):
        return training.fit_variables(config, progress=progress)
    if config.members > 1:
        return training.fit_ensemble(config, progress=progress)
    return training.fit(config, training.open_data(config, progress=progress), progress=progress)


def _outcome(config: TrainConfig, result: TrainingResult) -> Outcome:
    record = result.record
    what = "of the best epoch" if "best_epoch" in record else "on the validation part"
    best = [Headline(name, value, None, "", what) for name, value in record["best"].items()]
    figures = _histories(config, record)
    if result.bias is not None:
        figures |= bias_figure(result.bias, label="calotools")
    return Outcome(
        stage="train",
        title=f"Training: {config.model.name} for {config.task} ({config.sample.tree or 'candidates'})",
        headline=(
            *([Headline("trainable parameters", record["parameters"])] if "parameters" in record else []),
            Headline("training candidates", record["n"]["train"]),
            *left_out(record["cutflow"]),
            *_missing(record, config.task),
            *([Headline("best epoch", record["best_epoch"])] if "best_epoch" in record else []),
            *best,
            *_members(record.get("members", [])),
            *_temperature(config, [record], [result.temperature]),
            *_sigma(config, [result.sigma_scale]),
        ),
        results={
            "record": record,
            "temperature": result.temperature,
            "bias": result.bias and result.bias.to_dict(),
            "sigma_scale": result.sigma_scale,
            "factors": result.factors,
        },
        figures=figures,
    )


def _histories(config: TrainConfig, record: Mapping[str, Any]) -> dict[str, tuple[Figure, str]]:
    """Training curves of a network, or of each member of an ensemble; of trees, none."""
    if "best_epoch" in record:
        return {"history": (draw_history(read_history(config.output / "log.csv")), "Loss and metric by epoch.")}
    return {
        f"history_{number}": (
            draw_history(read_history(training.member_recipe(config, number).output / "log.csv")),
            f"Loss and metric by epoch, member {number}.",
        )
        for number in range(len(record.get("members", [])))
    }


def _members(records: Sequence[Mapping[str, Any]]) -> list[Headline]:
    """What a single network of an ensemble reaches, beside what their mean does."""
    lines = [Headline("networks, whose mean it is", len(records))] if records else []
    for name in records[0]["best"] if records else ():
        values = np.array([one["best"][name] for one in records])
        spread = float(values.std(ddof=1))
        lines.append(Headline(f"{name}, single network", float(values.mean()), spread, "", "error: spread of them"))
    return lines


def _missing(record: Mapping[str, Any], task: str) -> list[Headline]:
    """What lacks in the sample is no error (a photon without a conversion has no radius); a whole column may be one."""
    lines = []
    for name, share in record.get("missing", {}).items():
        what = "nothing is learnt from it" if share == 1 else "the median of the others stands in its place"
        lines.append(Headline(f"candidates without '{name}'", 100 * share, None, "%", what))
    if record["n_unused"]:
        truth = "of no class" if task == "identification" else "without a true energy"
        comment = f"{truth}, or without a base energy; not learnt from"
        lines.append(Headline("candidates that are not used", record["n_unused"], None, "", comment))
    return lines


def _temperature(
    config: TrainConfig, records: Sequence[Mapping[str, Any]], values: Sequence[float]
) -> tuple[Headline, ...]:
    if config.task != "identification" or not config.calibrate:
        return ()
    value, error = _over_folds(values)
    warned = {number: one[TEMPERATURE_WARNING] for number, one in enumerate(records) if TEMPERATURE_WARNING in one}
    comment = "see the warning" if warned else "1: scores needed none"
    comment += "; error: scatter of the folds" if error is not None else ""
    lines = (
        Headline(
            f"warning: temperature{f' of fold {number}' if len(values) > 1 else ''}", values[number], None, "", text
        )
        for number, text in warned.items()
    )
    return (Headline("temperature of the scores", value, error, "", comment), *lines)


def _sigma(config: TrainConfig, values: Sequence[float]) -> list[Headline]:
    if config.task != "energy" or config.uncertainty == "none":
        return []
    value, error = _over_folds(values)
    missing = [number for number, one in enumerate(values) if one == 1.0]  # no measured quantile is exactly that
    comment = "see the warning" if missing else "with which 68.27 % of the validation part are within one σ"
    comment += "; error: scatter of the folds" if error is not None else ""
    text = "too few validation candidates (fewer than 30) to say how wide it is: σ is as the network gives it"
    warnings = [f"warning: factor of sigma{f' of fold {number}' if error is not None else ''}" for number in missing]
    return [
        Headline("factor of sigma", value, error, "", comment),
        *(Headline(name, 1.0, None, "", text) for name in warnings),
    ]


def _over_folds(values: Sequence[float]) -> tuple[float, float | None]:
    """Their mean, with the error that their scatter gives it; a single one has none."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return float(np.mean(values)), error


def predict(config: PredictConfig, *, progress: Progress | None = None) -> Path:
    """Apply a model bundle to ntuples and write the friend tree.

    Parameters
    ----------
    config : PredictConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Path
        ``config.output``: as many entries as the files together, in their order.

    Raises
    ------
    OutputExistsError, ModelError, InputFileError, BranchError, CellError
    """
    check_output(config.output, overwrite=config.overwrite)
    return deploy.predict(config, progress=progress)
