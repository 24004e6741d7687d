"""What a measuring stage leaves behind: numbers.json, recipe.toml, and figures as PDF and PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calotools._version import version
from calotools.analysis import to_dict, write_numbers
from calotools.outputs import new_file, new_folder
from calotools.plots import save_figure
from calotools.variables.selection import SCORE_STEP, WEIGHT_STEP

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from calotools.recipe import StageConfig
    from calotools.stages.scored import Scored

__all__ = ["Headline", "Outcome", "learnt_from", "left_out", "publish", "skipped", "with_bad_files", "write_outcome"]


@dataclass(frozen=True)
class Headline:
    """One number worth the top of the page.

    Attributes
    ----------
    name : str
    value : float
        NaN when it could not be measured.
    error : float, optional
        Its standard uncertainty; None only for exact counts.
    unit, comment : str
    """

    name: str
    value: float
    error: float | None = None
    unit: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a stage measured.

    Attributes
    ----------
    stage, title : str
    headline : tuple of Headline
    results : dict of str to nouns
        Everything measured, as nouns of `calotools.containers`, numbers and dictionaries of them.
    figures : dict of str to (Figure, str)
        Figure and caption by file name.
    folder : path, optional
        Where it was written.
    """

    stage: str
    title: str
    headline: tuple[Headline, ...]
    results: Mapping[str, Any]
    figures: Mapping[str, tuple[Figure, str]] = field(default_factory=dict)
    folder: Path | None = None


def skipped(bad: Sequence[Mapping[str, str]]) -> tuple[Headline, ...]:
    """One line for the top of the page when input files were skipped.

    Parameters
    ----------
    bad : sequence of dict
        ``file`` and ``reason``.

    Examples
    --------
    >>> skipped([{"file": "b.root", "reason": "it is empty"}])[0].comment
    'b.root: it is empty'
    """
    if not bad:
        return ()
    more = f"; and {len(bad) - 1} more" if len(bad) > 1 else ""
    return (
        Headline("input files that were skipped", len(bad), None, "", f"{bad[0]['file']}: {bad[0]['reason']}{more}"),
    )


def left_out(cutflow: Sequence[Mapping[str, Any]]) -> tuple[Headline, ...]:
    """Lines for the top of the page when candidates were left out that have no score, or no weight in friend trees.

    Parameters
    ----------
    cutflow : sequence of dict
        ``step`` and ``candidates`` that are left after it.

    Examples
    --------
    >>> flow = [{"step": "et > 15", "candidates": 100}, {"step": "weights", "candidates": 90}]
    >>> [(line.name, line.value, line.comment) for line in left_out(flow)]
    [('candidates without a weight', 10, 'of 100; they are left out')]
    """
    names = {SCORE_STEP: "candidates without a finite score", WEIGHT_STEP: "candidates without a weight"}
    return tuple(
        Headline(
            names[after["step"]], before["candidates"] - after["candidates"], None, "",
            f"of {before['candidates']}; they are left out",
        )
        for before, after in pairwise(cutflow)
        if after["step"] in names and after["candidates"] < before["candidates"]
    )  # fmt: skip


def learnt_from(sample: Scored) -> tuple[Headline, ...]:
    """One line for the top of the page when candidates are measured that a model was trained on.

    Parameters
    ----------
    sample : Scored

    Returns
    -------
    tuple of Headline
        Empty when all of them are new to the model.
    """
    n = sample.learnt_from
    if not n:
        return ()
    whose = "training and validation part of its runs; it may do worse on others (--split test)"
    comment = f"of {len(sample.candidates)}: {whose}"
    return (Headline("measured candidates that the model learnt from", n, None, "", comment),)


def with_bad_files(outcome: Outcome, bad: Sequence[Mapping[str, str]]) -> Outcome:
    """An outcome that lists the input files that were skipped, in its results and on the top of the page.

    Parameters
    ----------
    outcome : Outcome
    bad : sequence of dict
        ``file`` and ``reason``.

    Returns
    -------
    Outcome
    """
    results = dict(outcome.results) | {"bad_files": list(bad)}
    return replace(outcome, results=results, headline=(*outcome.headline, *skipped(bad)))


def publish(outcome: Outcome, config: StageConfig, *, output: Path, overwrite: bool) -> Outcome:
    """Write an outcome as a folder, whole or not at all.

    Parameters
    ----------
    outcome : Outcome
    config : StageConfig
        Written as recipe.toml, which can be run again.
    output : path
    overwrite : bool

    Returns
    -------
    Outcome
        The same, with its folder.
    """
    with new_folder(output, overwrite=overwrite) as folder:
        write_outcome(outcome, config, folder=folder)
    return replace(outcome, folder=output)


def write_outcome(outcome: Outcome, config: StageConfig, *, folder: Path) -> None:
    """Write numbers, recipe and figures into a folder that is there already, replacing earlier ones.

    Parameters
    ----------
    outcome : Outcome
    config : StageConfig
    folder : path
    """
    numbers = {
        "stage": outcome.stage,
        "title": outcome.title,
        "version": version,
        "headline": [vars(one) for one in outcome.headline],
        "results": to_dict(dict(outcome.results)),
        "figures": [{"name": name, "caption": caption} for name, (_, caption) in outcome.figures.items()],
        "recipe": config.model_dump(mode="json", exclude_none=True),
    }
    for name, (figure, _) in outcome.figures.items():
        save_figure(figure, folder / "figures", name, overwrite=True)
    with new_file(folder / "recipe.toml", overwrite=True) as path:
        path.write_text(config.to_toml() + "\n", encoding="utf-8")
    write_numbers(folder / "numbers.json", numbers, overwrite=True)
