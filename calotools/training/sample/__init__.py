"""Which candidates of which files are learnt from, what of each, and how much does it count?

`labels` says what is learnt of a candidate and in which part it is, `weighing` how much it counts. A `survey` counts
what is where before any cell is read; it cuts the files into `pieces`, which `parallel_reading` reads and draws.
`preparation` keeps them in an image store, and finds it again; `store_builder` makes the same store of pieces in any
order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calotools._lazy import lazy_names

if TYPE_CHECKING:
    from calotools.training.sample.labels import base_of, check_inputs, label, parts_of, target_of
    from calotools.training.sample.pieces import Piece, PieceReader, read_fields
    from calotools.training.sample.preparation import (
        find_store,
        guard_store,
        prepare,
        prepare_shard,
        store_digest,
        store_path,
    )
    from calotools.training.sample.survey import Cutflow, Survey, join_surveys, survey_file, take_survey
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "Cutflow",
    "Piece",
    "PieceReader",
    "Survey",
    "base_of",
    "check_inputs",
    "find_store",
    "guard_store",
    "join_surveys",
    "label",
    "parts_of",
    "prepare",
    "prepare_shard",
    "read_fields",
    "store_digest",
    "store_path",
    "survey_file",
    "take_survey",
    "target_of",
]
