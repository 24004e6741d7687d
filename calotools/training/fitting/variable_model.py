"""Fit a model that sees candidate variables alone: the same sample, parts, weights and result as those of a network."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import torch

from calotools.containers import Index
from calotools.errors import ConfigError
from calotools.images import image_spec
from calotools.models import VARIABLE_MODELS, ModelInputs, VariableInputs, VariableModel, VariableTable, tree_threads
from calotools.ntuple import index_of
from calotools.progress import Progress
from calotools.training.calibration.bias import fit_bias
from calotools.training.calibration.temperature import Temperature, fit_temperature_of
from calotools.training.fitting.metrics import METRICS, mean_auc, relative_iqr
from calotools.training.fitting.result import TrainingResult
from calotools.training.loading.input_scalers import InputScalers
from calotools.training.sample.labels import PARTS, Sample, check_inputs, columns_of, label
from calotools.training.sample.pieces import PieceReader
from calotools.training.sample.survey import Survey, take_survey
from calotools.training.sample.weighing import Weighing, class_numbers, class_shares, kept_fractions

if TYPE_CHECKING:
    from calotools.recipe import TrainConfig

__all__ = ["fit_variables", "variable_inputs"]


def variable_inputs(config: TrainConfig) -> VariableInputs:
    """What a recipe says of its model.

    Parameters
    ----------
    config : TrainConfig

    Returns
    -------
    VariableInputs
    """
    n_classes = len(config.classes) if config.task == "identification" else None
    return VariableInputs(tuple(config.scalars), config.model.settings, n_classes)


def fit_variables(config: TrainConfig, *, progress: Progress | None = None) -> TrainingResult:
    """Fit the likelihood or trees of a recipe. Cells are not read; nothing is written.

    Parameters
    ----------
    config : TrainConfig
        ``model.name`` is a key of `VARIABLE_MODELS`. Of the trainer, only ``threads`` matters.
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    TrainingResult
        As of a network, with the model's arrays in place of weights.

    Raises
    ------
    ConfigError
        No variables, or tracks, which these models do not see; truth as an input; an unknown setting.
    EmptyInputError
        A class, or everything, is missing from the training or validation part.
    """
    check_inputs(config)
    _check(config)
    survey = take_survey(config, progress=progress)
    survey.tally.check()
    data = _read(config, survey, progress)
    inputs = variable_inputs(config)
    table = data.table(config)
    model = VARIABLE_MODELS[config.model.name].fit(
        inputs,
        table,
        seed=config.seed,
        threads=tree_threads(config.trainer.threads, rows=len(table.values)),
        report=None if progress is None else lambda done, total: progress("fit", done, total),
    )
    return _result(config, model, data, survey)


def _check(config: TrainConfig) -> None:
    name = config.model.name
    if not config.scalars:
        raise ConfigError(f"model '{name}' sees candidate variables; name some, such as scalars = ['reta', 'rhad']")
    if config.uncertainty != "none":
        raise ConfigError(f"model '{name}' gives no uncertainty; set uncertainty = 'none', or use a network")
    if config.members > 1 or config.member:
        raise ConfigError(f"model '{name}' is the same however often it is fitted; members are of networks")
    if config.tracks:
        raise ConfigError(
            f"model '{name}' sees candidate variables alone; take tracks = {list(config.tracks)} out, or use variables "
            "of the matched track in scalars"
        )


@dataclass(frozen=True)
class _Data:
    """Variables, and what is learnt, of the used candidates; weights are those of training."""

    columns: dict[str, np.ndarray]
    sample: Sample
    names: tuple[str, ...]

    def rows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, eta and E_T of some rows."""
        values = np.column_stack([self.columns[name][rows] for name in self.names])
        return values, self.columns["eta"][rows], self.columns["et"][rows]

    def table(self, config: TrainConfig) -> VariableTable:
        sample = self.sample
        rows = np.flatnonzero(np.isin(sample.split, (PARTS["train"], PARTS["validation"])) & (sample.weight != 0))
        values, eta, et = self.rows(rows)
        target = sample.target if config.task == "identification" else sample.target / sample.base_energy
        return VariableTable(
            values, target[rows], sample.weight[rows], eta, et, validation=sample.split[rows] == PARTS["validation"]
        )


def _read(config: TrainConfig, survey: Survey, progress: Progress | None) -> _Data:
    names = columns_of(config)
    chunks, indices, done = [], [], 0
    with PieceReader(config) as reader:
        for piece in survey.pieces:
            candidates = reader.candidates(piece).candidates
            chunks.append({name: ak.to_numpy(ak.fill_none(candidates[name], np.nan)) for name in names})
            indices.append(index_of(candidates))
            done += piece.n
            if progress is not None:
                progress("variables", done, len(survey))
    columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}
    index = Index(*(np.concatenate([getattr(one, part) for one in indices]) for part in ("run", "event", "candidate")))
    sample = Weighing.fit(survey.tally).apply(config, label(config, columns.__getitem__, index), columns.__getitem__)
    shares = kept_fractions(config, survey.tally.n[PARTS["train"]])[class_numbers(config, sample)]
    weighted = Sample(sample.target, sample.weight * shares.astype(np.float32), sample.base_energy, sample.split)
    return _Data(columns, weighted, tuple(config.scalars))


def _result(config: TrainConfig, model: VariableModel, data: _Data, survey: Survey) -> TrainingResult:
    spec, inputs = image_spec(config.images), variable_inputs(config)
    rows = data.sample.rows("validation")
    values, eta, et = data.rows(rows)
    said = model.outputs(values, eta=eta, et=et)
    target, weight = data.sample.target[rows], data.sample.weight[rows]
    bias, temperature = None, Temperature()
    if config.task == "energy":
        said = said * data.sample.base_energy[rows, None]
        if config.bias_correction != "none":
            bias = fit_bias(said[:, 0], target, np.abs(eta), grid=config.bias_correction)
        metric = relative_iqr(said[:, 0], target)
    else:
        metric = mean_auc(said, target, weight=weight)
        if config.calibrate:
            temperature = fit_temperature_of(said, target, weight=weight, equal_classes=model.equal_classes)
    arrays = model.arrays()
    return TrainingResult(
        state_dict={name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()},
        config=config,
        image_spec=spec,
        inputs=ModelInputs(shapes={}, n_scalars=len(inputs.variables), n_classes=inputs.n_classes),
        scalers=InputScalers(),
        record=_record(config, survey)
        | {"best": {METRICS[config.task]: metric}, "importance": model.importance()}
        | temperature.record,
        bias=bias,
        temperature=temperature.value,
    )


def _record(config: TrainConfig, survey: Survey) -> dict[str, Any]:
    tally = survey.tally
    record = {
        "task": config.task,
        "model": config.model.name,
        "variables": list(config.scalars),
        "n": {part: int(tally.n[number].sum()) for part, number in PARTS.items()},
        "n_unused": tally.n_unused,
        "cutflow": list(survey.cutflow),
        **({"shares": class_shares(config)} if config.fractions else {}),
        "runs": sorted(tally.runs),
    }
    return record | ({"lightgbm": version("lightgbm")} if config.model.name == "trees" else {})
