"""The bias correction of an energy model: what it divides by, and a new one for a bundle that there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools import deploy
from calotools.analysis import median
from calotools.outputs import check_output, new_folder
from calotools.plots import draw_series
from calotools.stages.publish import Headline, Outcome, write_outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.deploy import Rebiased
    from calotools.progress import Progress
    from calotools.recipe import CorrectBiasConfig
    from calotools.training.calibration import BiasCorrection

__all__ = ["bias_figure", "correct_bias"]

Points = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]

_KNOWN = 0.0049  # error of a median up to which it is drawn: that of a bin which only follows its neighbours is larger
_BESIDE = 1.03  # energies of neighbouring regions are drawn so far apart, to be told apart


def correct_bias(config: CorrectBiasConfig, *, progress: Progress | None = None) -> Outcome:
    """Fit the bias correction of an energy model again, and the factor of its sigma; the network stays as it is.

    Parameters
    ----------
    config : CorrectBiasConfig
    progress : callable, optional
        ``progress(task, done, total)`` in candidates.

    Returns
    -------
    Outcome
        Also written to ``config.output``, beside the corrected bundle ``model.calo``.

    Raises
    ------
    OutputExistsError, InputFileError, BranchError, ModelError
    ConfigError
        A model of classes or of folds.
    EmptyInputError
        Fewer than 50 candidates are left.
    """
    check_output(config.output, overwrite=config.overwrite)
    found = deploy.correct_bias(deploy.load_bundle(config.model), config, progress=progress)
    bias = found.bundle.bias
    outcome = Outcome(
        stage="correct-bias",
        title=f"Bias correction: {found.bundle.config.model.name}",
        headline=_headline(found),
        results={"candidates": len(found.e_true), "bias": bias and bias.to_dict(), "medians": _medians(found)},
        figures=bias_figure(bias, label=config.label) if bias is not None else {},
    )
    with new_folder(config.output, overwrite=config.overwrite) as folder:
        write_outcome(outcome, config, folder=folder)
        deploy.save_bundle(found.bundle, folder / "model.calo")
    return replace(outcome, folder=config.output)


def bias_figure(bias: BiasCorrection, *, label: str) -> dict[str, tuple[Figure, str]]:
    """What energies are divided by, on the grid, where enough candidates tell.

    Parameters
    ----------
    bias : BiasCorrection
    label : str
        Above the figure.

    Returns
    -------
    dict of str to (Figure, str)
        Nothing where no bin is known, or errors are not kept.
    """
    if not bias.error:
        return {}
    one_energy = len(bias.energy_edges) == 2
    points = _along_eta(bias) if one_energy else _along_energy(bias)
    if not points:
        return {}
    axis = r"$|\eta|$" if one_energy else r"$E$ [GeV]"
    figure = draw_series(
        points,
        axes=(axis, r"Median of $E/E_\mathrm{true}$ - 1 [%]"),
        scale="linear" if one_energy else "log",
        label=label,
    )
    return {"bias": (figure, "What the energies of the network are divided by, smooth between the points.")}


def _along_eta(bias: BiasCorrection) -> Points:
    middle = 0.5 * (np.asarray(bias.eta_edges)[1:] + np.asarray(bias.eta_edges)[:-1])
    columns = _known(middle, np.asarray(bias.median)[:, 0], np.asarray(bias.error)[:, 0])
    return {"all energies": columns} if len(columns[0]) > 1 else {}


def _along_energy(bias: BiasCorrection) -> Points:
    e, points = bias.middle_energies(), {}
    rows = zip(pairwise(bias.eta_edges), bias.median, bias.error, strict=True)
    for number, ((low, high), values, errors) in enumerate(rows):
        beside = _BESIDE ** (number - 0.5 * (len(bias.median) - 1))
        columns = _known(e * beside, np.asarray(values), np.asarray(errors))
        if len(columns[0]) > 1:
            points[f"|η| {low:g} to {high:g}"] = columns
    return points


def _known(x: np.ndarray, median: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where enough candidates tell: places, biases and errors [%]."""
    known = error < _KNOWN
    return x[known], 100 * (median[known] - 1), 100 * error[known]


def _headline(found: Rebiased) -> tuple[Headline, ...]:
    ways = {"without a correction": found.raw, "as it was": found.before, "corrected": found.after}
    lines, comment = [], "median of E/E_true − 1, of the candidates that it is fitted on"
    for name, ratio in ways.items():
        one = median(ratio - 1)
        lines.append(Headline(f"bias, {name}", 100 * one.value, 100 * one.error, "%", comment))
    return (*lines, Headline("factor of sigma", found.bundle.sigma_scale), Headline("candidates", len(found.e_true)))


def _medians(found: Rebiased) -> list[dict[str, Any]]:
    """By region of |eta|: the bias of the corrected energies and of those before, with errors."""
    edges = found.bundle.bias.eta_edges if found.bundle.bias is not None else (0.0, 2.5)
    rows = []
    for low, high in pairwise(edges):
        here = (found.abs_eta >= low) & (found.abs_eta < high)
        row: dict[str, Any] = {"abs_eta": [low, high], "candidates": int(here.sum())}
        if here.sum() > 1:
            for name, ratio in (("before", found.before), ("after", found.after)):
                one = median(ratio[here] - 1)
                row |= {name: one.value, f"{name}_error": one.error}
        rows.append(row)
    return rows
