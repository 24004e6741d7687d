"""The canonical fields: what every flavour is mapped to, read from `flavours/native.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["COLLECTIONS", "INDEX_FIELDS", "CanonicalField", "canonical_fields", "is_collection"]

COLLECTIONS = ("cells", "tracks")
INDEX_FIELDS = ("run", "event", "candidate")


@dataclass(frozen=True)
class CanonicalField:
    """One canonical field and the native branch that holds it.

    Attributes
    ----------
    name : str
        ``et``, ``cells.e``, ...
    branch : str
        Branch of a native ntuple.
    type : str
        Type in the file, ``float32``, ``int32``, ...; a jagged branch holds a list of it.
    unit : str
        Unit in a native file (MeV, rad, mm, ns; empty for a pure number). Inside calotools energies are in GeV.
    meaning : str
        One line.
    group : str
        Table of the schema: ``event``, ``candidate``, ``candidate.shapes``, ``cells``, ``tracks``, ``truth``.
    """

    name: str
    branch: str
    type: str
    unit: str
    meaning: str
    group: str


@cache
def canonical_fields() -> dict[str, CanonicalField]:
    """Every canonical field by name, in the order of the native ntuple.

    Returns
    -------
    dict of str to CanonicalField

    Examples
    --------
    >>> canonical_fields()["cells.e"].branch, canonical_fields()["et"].unit
    ('cell_e', 'MeV')
    """
    text = resources.files("calotools.ntuple").joinpath("flavours/native.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    groups = ("event", "candidate", *COLLECTIONS, "truth")
    return {field.name: field for group in groups for field in _read_group(group, table[group])}


def is_collection(name: str) -> bool:
    """Whether a field is jagged: ``cells.e`` is, ``et`` is not.

    Examples
    --------
    >>> is_collection("cells.e"), is_collection("et")
    (True, False)
    """
    return name.partition(".")[0] in COLLECTIONS


def _read_group(group: str, table: dict[str, Any]) -> Iterator[CanonicalField]:
    for name, entry in table.items():
        if "branch" not in entry:
            yield from _read_group(f"{group}.{name}", entry)
            continue
        yield CanonicalField(
            name=f"{group}.{name}" if group in COLLECTIONS else name,
            branch=entry["branch"],
            type=entry["type"],
            unit=entry.get("unit", ""),
            meaning=entry["meaning"],
            group=group,
        )
