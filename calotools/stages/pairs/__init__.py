"""What pairs of candidates tell: the mass peak before and after a network, and tag-and-probe.

`masses` fits the peak; `legs` and `categories` look at parts of it. `tag_and_probe` measures efficiencies and scale
factors of `probes`, and compares them with the truth that was `injected` into pseudo-data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.stages.pairs.masses import peaks
    from calotools.stages.pairs.tag_and_probe import tagprobe
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = ["peaks", "tagprobe"]
