"""The simulation: from a process and a seed to an ntuple that no reader can tell from an experiment's.

    generator -> particles -> response (showers, pile-up, electronics) -> tracks -> reconstruction -> ntuple

Start with `simulate`; `driver` streams blocks of events, `blocks` is one block from truth to candidates, `response`
the calorimeter. Every effect is an entry of `Effects`, every difference of pseudo-data one of `Injected`.
"""

from typing import TYPE_CHECKING

__all__ = ["Effects", "Injected", "Particles", "Response", "simulate", "simulate_response"]

if TYPE_CHECKING:
    from calotools.simulate.driver import simulate
    from calotools.simulate.effects import Effects
    from calotools.simulate.pseudo_data import Injected
    from calotools.simulate.response import Particles, Response, simulate_response

_HOME = {
    "Effects": "effects",
    "Injected": "pseudo_data",
    "Particles": "response",
    "Response": "response",
    "simulate": "driver",
    "simulate_response": "response",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
