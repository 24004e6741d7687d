"""Flags made from a stage's configuration: the field's name, its type and its description, each said once."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from calotools.recipe import StageConfig

__all__ = ["add_fields", "collect"]

_KINDS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}


def add_fields(parser: argparse.ArgumentParser, config: type[StageConfig], *, recipe_given: bool) -> None:
    """Add one argument for each field, nested ones with dotted names (`--trainer.epochs`).

    Parameters
    ----------
    parser : argparse.ArgumentParser
    config : type of StageConfig
    recipe_given : bool
        A recipe file supplies values, so that positional fields may be left out.
    """
    for name, field in config.model_fields.items():
        _add(parser, name, field, recipe_given)


def _add(parser: argparse.ArgumentParser, name: str, field: FieldInfo, recipe_given: bool) -> None:
    nested = field.annotation
    if isinstance(nested, type) and issubclass(nested, BaseModel):
        for inner, inner_field in nested.model_fields.items():
            _add(parser, f"{name}.{inner}", inner_field, recipe_given)
        return
    extra: dict[str, Any] = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    if extra.get("positional"):
        _add_positional(parser, name, field, recipe_given)
    else:
        _add_option(parser, name, field, extra.get("short"))


def _add_positional(parser: argparse.ArgumentParser, name: str, field: FieldInfo, recipe_given: bool) -> None:
    many = get_origin(field.annotation) is tuple
    nargs = ("*" if many else "?") if recipe_given else ("+" if many else None)
    choices = _choices(field.annotation)
    note = f"{field.description}: {', '.join(choices)}" if choices else field.description
    parser.add_argument(name, nargs=nargs, help=note, metavar=name.upper(), default=argparse.SUPPRESS)


def _add_option(parser: argparse.ArgumentParser, name: str, field: FieldInfo, short: str | None) -> None:
    # tuple fields take several words; dictionaries and image specs are inline TOML
    flags = [*([short] if short else []), "--" + name.replace("_", "-")]
    kind = _given(field.annotation)
    if kind is bool:
        parser.add_argument(
            *flags, action=argparse.BooleanOptionalAction, dest=name, help=_help(field), default=argparse.SUPPRESS
        )
        return
    several = get_origin(kind) is tuple and not name.endswith("shard")
    parser.add_argument(
        *flags,
        dest=name,
        nargs="+" if several else None,
        type=_inline if get_origin(kind) is dict else str,
        metavar="TOML" if get_origin(kind) is dict else _metavar(kind),
        help=_help(field),
        default=argparse.SUPPRESS,
    )


def _inline(text: str) -> Any:
    """An inline TOML value, such as ``{units = 100}``."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an inline TOML value: {error}") from None


def _given(annotation: Any) -> Any:
    """The type of a value that is given: without None."""
    others = [one for one in get_args(annotation) if one is not NoneType]
    return others[0] if NoneType in get_args(annotation) and len(others) == 1 else annotation


def _metavar(annotation: Any) -> str:
    """What to write: the choices, or the kind of value."""
    if choices := _choices(annotation):
        return "{" + ",".join(choices) + "}"
    if _is_part(annotation):
        return "I/N"
    kinds = [_KINDS[one] for one in (annotation, *get_args(annotation)) if one in _KINDS]
    return kinds[0] if kinds else "TOML"


def _is_part(annotation: Any) -> bool:
    """A shard or a fold: part I of N."""
    inner = get_args(annotation)
    return inner == (int, int) or any(_is_part(one) for one in inner)


def _choices(annotation: Any) -> list[str]:
    nested = get_args(annotation)
    return [one for one in nested if isinstance(one, str)] or [one for inner in nested for one in _choices(inner)]


def _help(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    shown = "/".join(map(str, default)) if default and _is_part(field.annotation) else _show(default)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    if field.is_required():
        note = " (required, here or in the recipe)" if extra.get("required", True) else ""
    else:
        note = "" if default is False or default in (None, (), {}) else f" (default: {shown})"
    return f"{field.description}{note}".replace("%", "%%")


def _show(value: Any) -> str:
    if value is True:
        return "on"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{key} = {list(one) if isinstance(one, tuple) else one}" for key, one in value.items())
            + "}"
        )
    return " ".join(str(one) for one in value) if isinstance(value, tuple) else str(value)


def collect(namespace: argparse.Namespace) -> dict[str, Any]:
    """The given flags as a nested dictionary.

    Examples
    --------
    >>> collect(argparse.Namespace(**{"seed": "3", "trainer.epochs": "5"}))
    {'seed': '3', 'trainer': {'epochs': '5'}}
    """
    values: dict[str, Any] = {}
    for dotted, value in vars(namespace).items():
        *outer, last = dotted.split(".")
        place = values
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return values
