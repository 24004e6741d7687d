"""What every configuration is made of: strict models that are read from TOML and written back, with helpful errors."""

from __future__ import annotations

import json
import math
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from calotools.errors import ConfigError, InputFileError, nearest

__all__ = ["Settings", "StageConfig", "ending", "positional", "read_toml", "short"]


class Settings(BaseModel):
    """Base of every part of a configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[info.field_name].annotation if info.field_name else None
        if _has_bool(value) and _asks(annotation, int, float) and not _asks(annotation, bool):
            raise PydanticCustomError("number", "true and false are no numbers; write 1 or 0 if that is meant")
        if _is_nan(value) and _asks(annotation, int, float):
            raise PydanticCustomError("number", "it has to be a number")
        return value


def _has_bool(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, (list, tuple)) and any(_has_bool(one) for one in value))


def _is_nan(value: Any) -> bool:
    if isinstance(value, str):  # from the command line
        return value.strip().lower().lstrip("+-") == "nan"
    return isinstance(value, float) and math.isnan(value)


def _asks(annotation: Any, *kinds: type) -> bool:
    return annotation in kinds or any(_asks(one, *kinds) for one in get_args(annotation))


class StageConfig(Settings):
    """Base of every stage's configuration: strict, frozen, read from TOML and written back."""

    if not TYPE_CHECKING:

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise ConfigError(_explain(type(self), error)) from None

    @classmethod
    def from_toml(cls, path: Path | str, *, overrides: dict[str, Any] | None = None) -> Self:
        """Read a recipe; `overrides` (nested) win over the file.

        Keywords, such as ``model.settings``, are added to the file's; any other table, such as ``classes``, takes the
        place of the file's as a whole.

        Raises
        ------
        ConfigError
            With the file, the key's dotted name, what was wrong with it and, for an unknown key, the nearest one.
        """
        try:
            return cls(**_merge(cls, read_toml(path), overrides or {}))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None

    def to_toml(self) -> str:
        """The resolved recipe as TOML, which `from_toml` reads back to an equal configuration."""
        return _dump_toml(self.model_dump(mode="json", exclude_none=True))


def _dump_toml(values: dict[str, Any], prefix: str = "") -> str:
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = [f"{_dump_key(key)} = {_dump_value(value)}" for key, value in plain.items()]
    for key, value in tables.items():
        name = f"{prefix}{_dump_key(key)}"
        lines += ["", f"[{name}]", _dump_toml(value, f"{name}.")]
    return "\n".join(lines)


def _dump_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _dump_value(value: Any) -> str:
    """A TOML value; JSON's notation of strings, numbers and booleans is also TOML's."""
    if isinstance(value, list):
        return "[" + ", ".join(_dump_value(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_dump_key(key)} = {_dump_value(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def read_toml(path: Path | str) -> dict[str, Any]:
    """Parse a TOML file.

    Raises
    ------
    InputFileError
        The file is absent.
    ConfigError
        It is not valid TOML; the message has line and column.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputFileError(f"recipe '{path}' does not exist") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{path}' is not valid TOML: {error}") from None


def _merge(part: type[BaseModel], base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below, field = merged.get(key), part.model_fields.get(key)
        asked = field.annotation if field else None
        if isinstance(value, dict) and isinstance(below, dict):
            if isinstance(asked, type) and issubclass(asked, BaseModel):
                value = _merge(asked, below, value)
            elif asked == dict[str, Any]:
                value = _added(below, value)
        merged[key] = value
    return merged


def _added(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """Keywords, and those inside them, with the later ones winning."""
    both = {key: _added(base[key], one) for key, one in top.items() if isinstance(one, dict) and _is_table(base, key)}
    return base | top | both


def _is_table(values: dict[str, Any], key: str) -> bool:
    return isinstance(values.get(key), dict)


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    return "; ".join(_explain_one(model, one) for one in error.errors(include_url=False))


def _explain_one(model: type[BaseModel], one: Any) -> str:
    location = [part for part in one["loc"] if part not in ("table", "name") or part == one["loc"][-1]]
    key = ".".join(str(part) for part in location)
    if one["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key '{key}'; {nearest(str(location[-1]), _keys_at(model, location[:-1]))}"
    if one["type"] in ("missing", "missing_argument"):
        return f"'{key}' is needed and not given{_describe(model, location)}"
    return f"'{key}' = {one['input']!r} is not allowed: {one['msg']}{_nearest_choice(one)}"


def _nearest_choice(one: Any) -> str:
    """Among a few words, the one that was meant; the message names them all already."""
    if one["type"] != "literal_error":
        return ""
    phrase = nearest(str(one["input"]), re.findall(r"'([^']+)'", one["msg"]))
    return f"; {phrase}" if phrase.startswith("nearest") else ""


def _keys_at(model: Any, location: list[Any]) -> list[str]:
    for part in location:
        fields = _fields(model)
        model = fields.get(part, model) if isinstance(part, str) else model
    return list(_fields(model))


def _describe(model: type[BaseModel], location: list[Any]) -> str:
    """What a key of the outermost level is for, where the model says."""
    field = model.model_fields.get(location[0]) if len(location) == 1 else None
    return f" ({field.description})" if field is not None and field.description else ""


def _fields(annotation: Any) -> dict[str, Any]:
    """Field names and annotations of the first model or dataclass in an annotation."""
    if hasattr(annotation, "model_fields"):
        return {name: field.annotation for name, field in annotation.model_fields.items()}
    if hasattr(annotation, "__dataclass_fields__"):
        return get_type_hints(annotation)
    return next((fields for one in get_args(annotation) if (fields := _fields(one))), {})


def positional(description: str, **kwargs: Any) -> Any:
    """A field that the command line takes without a flag."""
    return Field(description=description, json_schema_extra={"positional": True}, **kwargs)


def short(flag: str, description: str, **kwargs: Any) -> Any:
    """A field that has a short flag, such as ``-o``."""
    return Field(description=description, json_schema_extra={"short": flag}, **kwargs)


def ending(*suffixes: str) -> AfterValidator:
    """Refuse a path with another suffix: what is written is always of that kind, whatever its name says."""

    def check(path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() not in suffixes:
            raise PydanticCustomError("suffix", "its name must end in {allowed}", {"allowed": " or ".join(suffixes)})
        return path

    return AfterValidator(check)
