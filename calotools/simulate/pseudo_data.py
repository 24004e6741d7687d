"""Pseudo-data: the simulation plays the experiment, with known differences injected and all truth removed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydantic import Field, model_validator

from calotools.errors import ConfigError
from calotools.outputs import new_file
from calotools.recipe import StageConfig
from calotools.simulate.effects import Effects
from calotools.simulate.identification import LEVELS

__all__ = ["Counts", "Injected", "default_injected", "energy_factor", "fail_randomly", "sidecar_path", "write_sidecar"]


class Injected(StageConfig):
    """The differences between pseudo-data and simulation.

    Raises
    ------
    ConfigError
        Edges do not increase, or a table does not have one value per bin.

    Examples
    --------
    >>> injected = default_injected()
    >>> len(injected.energy_scale) == len(injected.energy_eta_edges) - 1
    True
    """

    energy_eta_edges: tuple[float, ...] = Field(
        (0.0, 0.8, 1.37, 1.52, 2.01, 2.47), description="|eta| edges of energy_scale and energy_smearing"
    )
    energy_scale: tuple[float, ...] = Field(
        (0.006, -0.005, 0.015, -0.010, 0.008), description="alpha: E is multiplied by 1 + alpha"
    )
    energy_smearing: tuple[float, ...] = Field(
        (0.007, 0.010, 0.025, 0.014, 0.012), description="c': relative Gaussian smearing of E", min_length=1
    )
    lateral: float = Field(1.03, description="shower-shape shift: factor on the radius of the shower's tail", gt=0)
    material: float = Field(1.02, description="factor on the material before the calorimeter", ge=0)
    et_edges: tuple[float, ...] = Field((15.0, 25.0, 35.0, 45.0, 60.0, 150.0), description="E_T edges [GeV]")
    eta_edges: tuple[float, ...] = Field((0.0, 0.8, 1.37, 1.52, 2.01, 2.47), description="|eta| edges")
    scale_factor: tuple[tuple[float, ...], ...] = Field(
        (
            (0.950, 0.940, 0.880, 0.930, 0.920),
            (0.965, 0.955, 0.900, 0.945, 0.935),
            (0.975, 0.965, 0.910, 0.955, 0.945),
            (0.980, 0.970, 0.920, 0.960, 0.950),
            (0.985, 0.975, 0.930, 0.965, 0.955),
        ),
        description="probability that a candidate which passes still passes, one row per E_T bin",
    )
    background_fraction: float = Field(0.08, description="part of zee events that are W + jet like pairs", ge=0, lt=1)

    @model_validator(mode="after")
    def _tables_fit(self) -> Injected:
        for name in ("energy_eta_edges", "et_edges", "eta_edges"):
            edges = getattr(self, name)
            if len(edges) < 2 or not all(a < b for a, b in pairwise(edges)):
                raise ConfigError(f"'{name}' = {list(edges)} must increase and hold at least two edges")
        n_energy = len(self.energy_eta_edges) - 1
        for name in ("energy_scale", "energy_smearing"):
            if len(getattr(self, name)) != n_energy:
                raise ConfigError(f"'{name}' has {len(getattr(self, name))} values for {n_energy} |eta| bins")
        shape = (len(self.et_edges) - 1, len(self.eta_edges) - 1)
        if [len(row) for row in self.scale_factor] != [shape[1]] * shape[0]:
            raise ConfigError(f"'scale_factor' must have {shape[0]} rows (E_T) of {shape[1]} values (|eta|)")
        if not all(0 <= value <= 1 for row in self.scale_factor for value in row):
            raise ConfigError("'scale_factor' is injected by failing candidates at random: values must be in [0, 1]")
        return self

    def change(self, effects: Effects) -> Effects:
        """The detector of the pseudo-data: more material, wider showers."""
        return effects.model_copy(
            update={"material": effects.material * self.material, "rt_factor": effects.rt_factor * self.lateral}
        )


def default_injected() -> Injected:
    """What ``--pseudo-data`` injects unless a TOML says otherwise."""
    return Injected()


@dataclass(frozen=True)
class Counts:
    """What was realised, for closure tests: real electrons (photons) by (E_T, |eta|) bin.

    Attributes
    ----------
    total : (n_et, n_eta) int64
    passed : dict of str to (n_et, n_eta) int64
        By level, after the injection.
    passed_before : dict of str to (n_et, n_eta) int64
        The same before candidates were failed at random.
    background : int
        Background candidates.
    """

    total: np.ndarray
    passed: dict[str, np.ndarray]
    passed_before: dict[str, np.ndarray]
    background: int

    def none(self) -> Counts:
        """Counts of no candidates, in the same bins."""
        passed, before = ({level: 0 * one[level] for level in LEVELS} for one in (self.passed, self.passed_before))
        return Counts(0 * self.total, passed, before, 0)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.total + other.total,
            {level: self.passed[level] + other.passed[level] for level in LEVELS},
            {level: self.passed_before[level] + other.passed_before[level] for level in LEVELS},
            self.background + other.background,
        )


def energy_factor(eta: np.ndarray, *, injected: Injected, rng: np.random.Generator) -> np.ndarray:
    """Factor on every cell of a candidate: 1 + alpha(|eta|), smeared by c'(|eta|).

    Parameters
    ----------
    eta : (n,) float
    injected : Injected
    rng : numpy.random.Generator

    Returns
    -------
    (n,) float64
    """
    row = _bins(np.abs(eta), injected.energy_eta_edges)
    alpha, smearing = np.array(injected.energy_scale)[row], np.array(injected.energy_smearing)[row]
    return (1 + alpha) * (1 + smearing * rng.normal(size=len(row)))


def _bins(value: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Bin numbers; values outside belong to the first or last bin."""
    return np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2)


def fail_randomly(
    columns: dict[str, np.ndarray], *, signal: np.ndarray, injected: Injected, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], Counts]:
    """Fail passing candidates with probability 1 - SF(E_T, |eta|), all levels together, and count what is real.

    Parameters
    ----------
    columns : dict of str to (n,) array
        With ``et`` [GeV], ``eta`` and ``pass_*``.
    signal : (n,) bool
        Real electrons or photons; only these are counted as such, all are failed alike.
    injected : Injected
    rng : numpy.random.Generator

    Returns
    -------
    flags : dict of str to (n,) int32
        ``pass_*``.
    counts : Counts
        Candidates outside the edges are not counted.
    """
    et, eta = columns["et"], np.abs(columns["eta"])
    factor = np.array(injected.scale_factor)[_bins(et, injected.et_edges), _bins(eta, injected.eta_edges)]
    survives = rng.random(len(et)) < factor
    flags = {f"pass_{level}": columns[f"pass_{level}"] * survives.astype(np.int32) for level in LEVELS}
    bins = (np.array(injected.et_edges), np.array(injected.eta_edges))

    def count(rows: np.ndarray) -> np.ndarray:
        return np.histogram2d(et[rows], eta[rows], bins=bins)[0].astype(np.int64)

    counts = Counts(
        total=count(signal),
        passed={level: count(signal & (flags[f"pass_{level}"] == 1)) for level in LEVELS},
        passed_before={level: count(signal & (columns[f"pass_{level}"] == 1)) for level in LEVELS},
        background=int((~signal).sum()),
    )
    return flags, counts


def sidecar_path(output: Path) -> Path:
    """Where the injected truth of a pseudo-data file is written: ``data.root`` -> ``data.injected.toml``."""
    return output.with_suffix(".injected.toml")


def write_sidecar(path: Path, injected: Injected, counts: Counts, *, overwrite: bool) -> None:
    """Write what was injected, and what came of it, beside the pseudo-data.

    Parameters
    ----------
    path : Path
    injected : Injected
    counts : Counts
    overwrite : bool
    """
    lines = [
        "# What was injected into the pseudo-data beside this file; the [realised] counts are for closure tests.",
        injected.to_toml(),
        "",
        "[realised]",
        f"total = {counts.total.tolist()}",
        f"background = {counts.background}",
    ]
    for level in LEVELS:
        lines.append(f"pass_{level} = {counts.passed[level].tolist()}")
        lines.append(f"pass_{level}_before = {counts.passed_before[level].tolist()}")
    with new_file(path, overwrite=overwrite) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
