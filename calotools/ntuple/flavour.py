"""Flavours: how the branches of one kind of ntuple map to the canonical fields, read from a TOML file.

Top-level keys: ``name``, ``description``; ``layout`` (``rows``: one entry per candidate, or ``events``); ``tree`` or
``trees`` (names, or tables with ``name``, ``prefix`` and ``detect``); ``detect`` (branches by which a tree is
recognised); ``missing`` (numbers that mean "not there"); ``keep`` (patterns of further branches that may be used
as they are). The tables ``[event]``, ``[candidate]``, ``[cells]``, ``[tracks]`` and ``[truth]`` give for each field the
branch's name (or a list, of which the first that exists is read), or a table with the attributes of `Field`. In branch
names ``@`` stands for the tree's prefix. Ten lines do for a simple tree::

    tree = "photons"
    [event]
    run = "run"
    event = "event"
    [candidate]
    e = { branch = "pho_energy", unit = "GeV" }
    eta = "pho_eta"
    phi = "pho_phi"
    [cells]
    e = { branch = "hit_energy", unit = "GeV" }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from calotools.errors import ConfigError, nearest
from calotools.ntuple.expression import names_in
from calotools.ntuple.schema import COLLECTIONS, canonical_fields
from calotools.ntuple.units import unit_dimension
from calotools.recipe import read_toml

__all__ = ["Field", "Flavour", "TreeRole", "load_flavour", "shipped_flavours"]

_GROUPS = ("event", "candidate", *COLLECTIONS, "truth")
_KEYS = {"name", "description", "layout", "tree", "trees", "detect", "missing", "keep", *_GROUPS}
_FIELD_KEYS = {"branch", "unit", "type", "meaning", "missing", "expression", "value", "element", "link"}
_TREE_KEYS = {"name", "prefix", "detect"}


@dataclass(frozen=True)
class Field:
    """Where one canonical field comes from.

    Attributes
    ----------
    name : str
        Canonical name, or a name of the flavour's own.
    group : str
        ``event``, ``candidate``, ``cells``, ``tracks`` or ``truth``.
    branches : tuple of str
        Branch names, the first that exists is read; ``@`` stands for the tree's prefix.
    type : str
        Canonical type; empty for a field that is not canonical (the file's type is kept).
    unit : str
        Unit in the file.
    missing : tuple of float
        Values of the file that mean "not there", read as NaN; fields of an integer type keep them.
    expression : str
        Arithmetic on other fields of the flavour, in GeV, rad, mm, ns.
    value : float, optional
        A constant.
    element : int, optional
        The branch holds a list, of which this element is the value (NaN where the list is shorter).
    link : str
        Branch of links from candidates to the collection that holds the branch.
    """

    name: str
    group: str
    branches: tuple[str, ...] = ()
    type: str = ""
    unit: str = ""
    missing: tuple[float, ...] = ()
    expression: str = ""
    value: float | None = None
    element: int | None = None
    link: str = ""


@dataclass(frozen=True)
class TreeRole:
    """A tree that the flavour knows.

    Attributes
    ----------
    role : str
        What the user calls it, such as ``electrons``.
    name : str
        Its name in the file; a pattern such as ``*`` is allowed.
    prefix : str
        What ``@`` stands for in branch names.
    detect : tuple of str
        Branches (with ``@``) by which a tree is recognised.
    """

    role: str
    name: str
    prefix: str = ""
    detect: tuple[str, ...] = ()

    def expand(self, branch: str) -> str:
        """Branch name with the prefix in place of ``@``."""
        return self.prefix + branch[1:] if branch.startswith("@") else branch


@dataclass(frozen=True)
class Flavour:
    """One kind of ntuple.

    Attributes
    ----------
    name, description : str
    source : str
        The flavour file, for messages.
    layout : {"rows", "events"}
        One entry per candidate, or one entry per event with a list of candidates.
    trees : tuple of TreeRole
    fields : dict of str to Field
    keep : tuple of str
        Patterns of further branches that may be used under their own name, as they are.
    """

    name: str
    description: str
    source: str
    layout: Literal["rows", "events"]
    trees: tuple[TreeRole, ...]
    fields: dict[str, Field]
    keep: tuple[str, ...] = ()


def shipped_flavours() -> tuple[str, ...]:
    """Names of the flavours that come with calotools, sorted.

    Examples
    --------
    >>> "native" in shipped_flavours()
    True
    """
    folder = resources.files("calotools.ntuple").joinpath("flavours")
    return tuple(sorted(one.name[: -len(".toml")] for one in folder.iterdir() if one.name.endswith(".toml")))


def load_flavour(flavour: str | Path) -> Flavour:
    """Read a flavour: a shipped name, or the path of a TOML file.

    Parameters
    ----------
    flavour : str or path
        A text that ends in ``.toml`` is a path.

    Raises
    ------
    ConfigError
        The name is not known (with the nearest), or the file has an unknown key, unit, group or expression.
    InputFileError
        The TOML file does not exist.

    Examples
    --------
    >>> load_flavour("native").fields["et"].unit
    'MeV'
    """
    if str(flavour).endswith(".toml"):
        return _read_flavour(Path(flavour))
    return _shipped(str(flavour))


@cache
def _shipped(name: str) -> Flavour:
    if name not in shipped_flavours():
        raise ConfigError(
            f"flavour '{name}' is not shipped; {nearest(name, shipped_flavours())}; or give the path of a TOML file"
        )
    with resources.as_file(resources.files("calotools.ntuple").joinpath(f"flavours/{name}.toml")) as path:
        return _read_flavour(path)


def _read_flavour(path: Path) -> Flavour:
    table = read_toml(path)
    _check_keys(table, _KEYS, f"flavour file '{path}'")
    missing = _numbers(table.get("missing", []))
    fields = {
        field.name: field
        for group in _GROUPS
        for field in _read_group(group, table.get(group, {}), missing=missing, where=f"flavour file '{path}'")
    }
    _check_expressions(fields, path)
    layout = table.get("layout", "rows")
    if layout not in ("rows", "events"):
        raise ConfigError(f"flavour file '{path}': layout = '{layout}'; allowed: 'rows', 'events'")
    return Flavour(
        name=table.get("name", path.stem),
        description=table.get("description", ""),
        source=str(path),
        layout=layout,
        trees=tuple(_read_trees(table, f"flavour file '{path}'")),
        fields=fields,
        keep=tuple(table.get("keep", ())),
    )


def _check_keys(table: dict[str, Any], allowed: set[str], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise ConfigError(f"{where}: unknown key '{key}'; {nearest(key, allowed)}")


def _read_trees(table: dict[str, Any], where: str) -> Iterator[TreeRole]:
    trees = table.get("trees", [table["tree"]] if "tree" in table else ["*"])
    detect = tuple(table.get("detect", ()))
    if not isinstance(trees, dict):
        trees = {name: {} for name in trees}
    for role, entry in trees.items():
        _check_keys(entry, _TREE_KEYS, f"{where}, [trees.{role}]")
        yield TreeRole(
            role=role,
            name=entry.get("name", role),
            prefix=entry.get("prefix", ""),
            detect=tuple(entry.get("detect", detect)),
        )


def _read_group(group: str, table: dict[str, Any], *, missing: tuple[float, ...], where: str) -> Iterator[Field]:
    for name, entry in table.items():
        if isinstance(entry, str | list):
            entry = {"branch": entry}
        if isinstance(entry, dict) and not _FIELD_KEYS & set(entry):
            yield from _read_group(group, entry, missing=missing, where=where)
            continue
        here = f"{where}, [{group}] {name}"
        if not isinstance(entry, dict):
            raise ConfigError(f"{here} = {entry!r}; give the branch's name, or a table with 'branch', 'unit', ...")
        _check_keys(entry, _FIELD_KEYS, here)
        yield _read_field(f"{group}.{name}" if group in COLLECTIONS else name, group, entry, missing, here)


def _read_field(name: str, group: str, entry: dict[str, Any], missing: tuple[float, ...], where: str) -> Field:
    branch = entry.get("branch", ())
    field = Field(
        name=name,
        group=group,
        branches=(branch,) if isinstance(branch, str) else tuple(branch),
        type=canonical_fields()[name].type if name in canonical_fields() else entry.get("type", ""),
        unit=entry.get("unit", "rad" if _wanted_unit(name) == "rad" else ""),
        missing=_numbers(entry["missing"]) if "missing" in entry else missing,
        expression=entry.get("expression", ""),
        value=entry.get("value"),
        element=entry.get("element"),
        link=entry.get("link", ""),
    )
    if sum((bool(field.branches), bool(field.expression), field.value is not None)) != 1:
        raise ConfigError(f"{where}: give exactly one of 'branch', 'expression' and 'value'")
    _check_unit(field, where)
    return field


def _check_unit(field: Field, where: str) -> None:
    dimension, wanted = unit_dimension(field.unit), _wanted_unit(field.name)
    if field.branches and field.name in canonical_fields() and dimension != unit_dimension(wanted):
        given = f"unit = '{field.unit}'" if field.unit else "no unit is given"
        needed = f"a unit of the kind of '{wanted}'" if wanted else "none"
        raise ConfigError(f"{where}: {given}, but this field needs {needed}")


def _wanted_unit(name: str) -> str:
    field = canonical_fields().get(name)
    return field.unit if field else ""


def _check_expressions(fields: dict[str, Field], path: Path) -> None:
    for field in fields.values():
        collection = field.group if field.group in COLLECTIONS else ""
        for name in names_in(field.expression) if field.expression else ():
            known = {*fields, *canonical_fields()} if not collection else {one.partition(".")[2] for one in fields}
            if name not in known:
                raise ConfigError(
                    f"flavour file '{path}', {field.name}: '{field.expression}' uses '{name}'; {nearest(name, known)}"
                )


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in (values if isinstance(values, list) else [values]))
