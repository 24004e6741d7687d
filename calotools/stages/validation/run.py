"""The validation from one configuration: samples, sections, one folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from calotools.outputs import check_output, new_folder
from calotools.stages.publish import Headline, Outcome, write_outcome
from calotools.stages.validation.electronics import measure_gain_and_time, measure_pulse
from calotools.stages.validation.geant4 import measure_geant4
from calotools.stages.validation.masses import measure_masses
from calotools.stages.validation.page import write_page
from calotools.stages.validation.pileup import measure_pileup
from calotools.stages.validation.resolution import measure_energy, single_particles
from calotools.stages.validation.section import Section
from calotools.stages.validation.shapes import measure_pions, measure_shapes
from calotools.stages.validation.upstream import measure_upstream

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.recipe import ValidateConfig

__all__ = ["validate_simulation"]

PAGE = "simulation.md"


def validate_simulation(config: ValidateConfig, *, progress: Progress | None = None) -> Outcome:
    """Measure the detector simulation and compare it with published numbers and, if given, with Geant4.

    Parameters
    ----------
    config : ValidateConfig
    progress : callable, optional
        ``progress(task, done, total)``.

    Returns
    -------
    Outcome
        Also written to ``config.output``: numbers.json, figures and the page simulation.md.

    Raises
    ------
    OutputExistsError, ConfigError, InputFileError
    """
    check_output(config.output, overwrite=config.overwrite)
    with tempfile.TemporaryDirectory(prefix="calotools-") as folder:
        sections = _measure(config, Path(folder), progress)
    outcome = _outcome(sections)
    with new_folder(config.output, overwrite=config.overwrite) as output:
        write_outcome(outcome, config, folder=output)
        (output / PAGE).write_text(write_page(sections, command=_command(config)), encoding="utf-8")
    return outcome


def _measure(config: ValidateConfig, folder: Path, progress: Progress | None) -> list[Section]:
    singles = single_particles(config, folder)
    parts: list[Callable[[], Section]] = [
        lambda: measure_energy(singles, config),
        lambda: measure_shapes(config),
        lambda: measure_pions(config),
        lambda: measure_upstream(singles, config),
        lambda: measure_pulse(config),
        lambda: measure_pileup(config),
        lambda: measure_gain_and_time(config),
        lambda: measure_masses(config, folder),
    ]
    if config.geant4 is not None:
        parts.insert(0, lambda: measure_geant4(config))
    sections = []
    for done, part in enumerate(parts, start=1):
        sections.append(part())
        if progress is not None:
            progress("validate", done, len(parts))
    return sections


def _outcome(sections: list[Section]) -> Outcome:
    headline = []
    for one in sections:
        judged = [check for check in one.checks if check.verdict != "quoted"]
        passed = sum(check.verdict == "pass" for check in judged)
        headline.append(Headline(one.title, passed, None, "", f"pass of {len(judged)}"))
    return Outcome(
        stage="validate-simulation",
        title="The detector simulation against published numbers",
        headline=tuple(headline),
        results={
            one.title: {"checks": [_with_verdict(check) for check in one.checks], "measured": dict(one.results)}
            for one in sections
        },
        figures={name: figure for one in sections for name, figure in one.figures.items()},
    )


def _with_verdict(check: object) -> dict[str, object]:
    return {**vars(check), "verdict": check.verdict}  # type: ignore[attr-defined]


def _command(config: ValidateConfig) -> str:
    """The command without the paths of a machine."""
    words = [f"calotools validate-simulation -o DIR -n {config.n} --seed {config.seed}"]
    words += [
        f"--{name} {Path(value).name}"
        for name in ("geant4", "flavour", "stack")
        if (value := getattr(config, name)) is not None
    ]
    return " ".join(words)
