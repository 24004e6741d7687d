"""The simulation: from a process and a seed to an ntuple that no reader can tell from an experiment's.

    generator -> particles -> response (showers, pile-up, electronics) -> tracks -> reconstruction -> ntuple

Start with `simulate`; `driver` streams blocks of events, `blocks` is one block from truth to candidates, `response`
the calorimeter. Every effect is an entry of `Effects`, every difference of pseudo-data one of `Injected`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.simulate.driver import simulate
    from calotools.simulate.effects import Effects
    from calotools.simulate.pseudo_data import Injected
    from calotools.simulate.reconstruction import response_shapes
    from calotools.simulate.response import Particles, Response, simulate_response
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = ["Effects", "Injected", "Particles", "Response", "response_shapes", "simulate", "simulate_response"]
