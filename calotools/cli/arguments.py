"""Flags made from a stage's configuration: the field's name, its type and its description, each said once."""

from __future__ import annotations

import argparse
import tomllib
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from calotools.recipe import StageConfig

__all__ = ["add_fields", "collect"]


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
    parser.add_argument(name, nargs=nargs, help=field.description, metavar=name.upper(), default=argparse.SUPPRESS)


def _add_option(parser: argparse.ArgumentParser, name: str, field: FieldInfo, short: str | None) -> None:
    # tuple fields take several words; dictionaries and image specs are inline TOML
    flags = [*([short] if short else []), "--" + name.replace("_", "-")]
    if field.annotation is bool:
        parser.add_argument(
            *flags, action=argparse.BooleanOptionalAction, dest=name, help=field.description, default=argparse.SUPPRESS
        )
        return
    several = get_origin(field.annotation) is tuple and not name.endswith("shard")
    parser.add_argument(
        *flags,
        dest=name,
        nargs="+" if several else None,
        type=_inline if get_origin(field.annotation) is dict else str,
        metavar=_metavar(field.annotation),
        help=_help(field),
        default=argparse.SUPPRESS,
    )


def _inline(text: str) -> Any:
    """An inline TOML value, such as ``{units = 100}``."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an inline TOML value: {error}") from None


def _metavar(annotation: Any) -> str | None:
    choices = [one for one in get_args(annotation) if isinstance(one, str)]
    return "{" + ",".join(choices) + "}" if choices else "VALUE"


def _help(field: FieldInfo) -> str:
    default = "" if field.is_required() or field.default in (None, ()) else f" (default: {_show(field.default)})"
    return f"{field.description}{default}".replace("%", "%%")


def _show(value: Any) -> str:
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
