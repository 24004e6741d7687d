"""How do candidates reach a network: in which order, in which batches, from a store or from ROOT files?

`opening` chooses between data that are `stored` and `streaming`, which mixes `pools` of pieces. Either serves
`batches`, whose scalars and tracks `input_scalers` scale, in the `order` that seed and epoch give; the `loader` hands
them to the trainer, made ahead by `prefetching`. `candidate_names` finds them again for messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.training.loading.batches import make_batch
    from calotools.training.loading.input_scalers import InputScalers
    from calotools.training.loading.loader import Loader
    from calotools.training.loading.opening import open_data
    from calotools.training.loading.prefetching import prefetch
    from calotools.training.loading.stored import StoreData
    from calotools.training.loading.streaming import StreamData
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = ["InputScalers", "Loader", "StoreData", "StreamData", "make_batch", "open_data", "prefetch"]
