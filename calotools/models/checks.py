"""What networks refuse: the other task, and settings that make no sense."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from calotools.errors import ConfigError, nearest

if TYPE_CHECKING:
    from calotools.models.inputs import ModelInputs

__all__ = ["check_choice", "check_numbers", "need_classes", "need_energy"]


def need_classes(model: str, inputs: ModelInputs, *, instead: str) -> int:
    """The number of classes of a network that tells classes apart.

    Raises
    ------
    ConfigError
        The recipe asks for an energy.
    """
    if inputs.n_classes is None:
        raise ConfigError(f"{model} tells classes apart; for an energy choose model '{instead}'")
    return inputs.n_classes


def need_energy(model: str, inputs: ModelInputs, *, instead: str) -> None:
    """Nothing, for a recipe that asks for an energy.

    Raises
    ------
    ConfigError
        The recipe asks for classes.
    """
    if inputs.n_classes is not None:
        raise ConfigError(f"{model} returns an energy; for classes choose model '{instead}'")


def check_numbers(model: str, *, least: int = 1, **settings: object) -> None:
    """Nothing, if all settings are whole numbers that are large enough.

    Raises
    ------
    ConfigError
        One is not; the message names it.

    Examples
    --------
    >>> check_numbers("energy_compact", maps=0)
    Traceback (most recent call last):
    calotools.errors.ConfigError: energy_compact setting 'maps' = 0 is not allowed; give a whole number of at least 1
    """
    for name, value in settings.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigError(
                f"{model} setting '{name}' = {value!r} is not allowed; give a whole number of at least {least}"
            )


def check_choice(model: str, name: str, value: str, choices: Collection[str]) -> None:
    """Nothing, if a setting is one of its choices.

    Raises
    ------
    ConfigError
        It is not; the message has the nearest one.
    """
    if value not in choices:
        raise ConfigError(f"{model} has no {name} '{value}'; {nearest(value, choices)}")
