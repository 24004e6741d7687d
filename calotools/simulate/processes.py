"""Which generator makes a process, and which candidates are written."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from calotools.errors import ConfigError
from calotools.simulate.generator import RADIATING, TREES
from calotools.simulate.pythia import process_table
from calotools.simulate.pythia.events import load_pythia
from calotools.simulate.pythia.settings import process_settings

__all__ = ["check_radiation", "choose_generator", "choose_tree", "pythia_provenance"]


def choose_generator(process: str, generator: str | None) -> str:
    """The generator of a process: the one asked for, else the built-in one where it has the process.

    Parameters
    ----------
    process : str
    generator : {"builtin", "pythia"}, optional

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        The generator does not have the process.

    Examples
    --------
    >>> choose_generator("zee", None), choose_generator("ttbar", None)
    ('builtin', 'pythia')
    """
    known: dict[str, Collection[str]] = {"builtin": TREES, "pythia": process_table()}
    chosen = generator or ("builtin" if process in TREES else "pythia")
    if process not in known[chosen]:
        raise ConfigError(f"generator '{chosen}' has no process '{process}'; it has {sorted(known[chosen])}")
    return chosen


def choose_tree(process: str, generator: str, tree: str | None) -> str:
    """The candidates that are written: those asked for, else the process's own.

    Parameters
    ----------
    process : str
    generator : {"builtin", "pythia"}
    tree : str, optional

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        The built-in generator makes one kind of candidates per process.

    Examples
    --------
    >>> choose_tree("gammajet", "pythia", None), choose_tree("gammajet", "pythia", "electrons")
    ('photons', 'electrons')
    """
    own = TREES[process] if generator == "builtin" else process_table()[process]["tree"]
    if tree is None or tree == own:
        return str(own)
    if generator == "builtin":
        raise ConfigError(
            f"the built-in '{process}' makes {own}, not {tree}; "
            + (
                "Pythia's can be written as either (--generator pythia)"
                if process in process_table()
                else f"Pythia's processes can be written as either: {sorted(process_table())}"
            )
        )
    return tree


def check_radiation(process: str, radiation: bool | None, *, generator: str) -> None:
    """Refuse to switch the final-state radiation of what has no electrons, or of Pythia.

    Parameters
    ----------
    process : str
    radiation : bool, optional
    generator : {"builtin", "pythia"}

    Raises
    ------
    ConfigError

    Examples
    --------
    >>> check_radiation("zee", False, generator="builtin")
    """
    if radiation is None:
        return
    if generator == "pythia":
        raise ConfigError(
            "'radiation' switches that of the built-in generator; Pythia has its own: "
            "--pythia-settings 'TimeShower:QEDshowerByL = off'"
        )
    if process not in RADIATING:
        raise ConfigError(
            f"'radiation' is for electrons of the final state: {sorted(RADIATING)}; '{process}' is not among them"
        )


def pythia_provenance(process: str, further: tuple[str, ...]) -> dict[str, Any]:
    """Version, settings and filter of Pythia, for the file.

    Parameters
    ----------
    process : str
    further : tuple of str

    Returns
    -------
    dict
    """
    settings = process_settings(process, further=further)
    version = load_pythia(settings).parm("Pythia:versionNumber")
    return {
        "pythia": {
            "version": f"{version:.3f}",
            "settings": list(settings),
            "require": process_table()[process].get("require", {}),
        }
    }
