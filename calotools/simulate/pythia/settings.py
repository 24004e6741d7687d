"""The processes that Pythia generates, from the table ``pythia.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["minimum_bias_settings", "process_settings", "process_table"]


@cache
def _table() -> dict[str, Any]:
    text = resources.files("calotools.simulate").joinpath("tables/pythia.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def process_table() -> dict[str, dict[str, Any]]:
    """Each process of Pythia: the tree it fills, its sample number, settings and filter.

    Returns
    -------
    dict of str to dict

    Examples
    --------
    >>> process_table()["zee"]["tree"]
    'electrons'
    """
    return {name: dict(row) for name, row in _table()["processes"].items()}


def process_settings(process: str, *, further: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Pythia's settings for a process; the user's own come last, and win.

    Parameters
    ----------
    process : str
    further : tuple of str
        Such as ``PhaseSpace:pTHatMin = 50.``

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> process_settings("wenu", further=("Beams:eCM = 8000.",))[-1]
    'Beams:eCM = 8000.'
    """
    table = _table()
    return (*table["common"], *table["processes"][process]["settings"], *further)


def minimum_bias_settings() -> tuple[str, ...]:
    """Pythia's settings for inelastic collisions.

    Examples
    --------
    >>> minimum_bias_settings()[-1]
    'SoftQCD:inelastic = on'
    """
    table = _table()
    return (*table["common"], *table["minimum_bias"])
