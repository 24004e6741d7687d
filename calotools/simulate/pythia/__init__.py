"""Events of Pythia 8: collisions with jets, decays and an underlying event, and what their particles are truly.

    settings -> events (flat arrays) -> ancestry (type, origin, class of every particle) -> seeds -> near (candidates)
                                                                                         objects (electron ... jet)

Needs the extra ``calotools[pythia]``; nothing here imports Pythia before an event is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.simulate.pythia.ancestry import classify_particles
    from calotools.simulate.pythia.collisions import pythia_interactions
    from calotools.simulate.pythia.events import Events, run_pythia
    from calotools.simulate.pythia.near import generate_candidates
    from calotools.simulate.pythia.objects import generate_objects
    from calotools.simulate.pythia.settings import process_table
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "Events",
    "classify_particles",
    "generate_candidates",
    "generate_objects",
    "process_table",
    "pythia_interactions",
    "run_pythia",
]
