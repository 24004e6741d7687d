"""Write simulated candidates again and again, in a mixed order, numbered through."""

from __future__ import annotations

import awkward as ak
import numpy as np
from protocol import answer
from workload import POSITION, TREE

from calotools.ntuple import NtupleWriter, read_candidates


def work(*, base: list[str], names: list[str], n: int, how: str) -> dict[str, int]:
    """Fill files of `n` candidates."""
    whole = ak.concatenate([read_candidates(name, tree=TREE) for name in base])
    rng = np.random.default_rng(1)
    number = 0
    for name in names:
        with NtupleWriter(name, compression=how, overwrite=True) as writer:
            left = n
            while left:
                take = ak.to_packed(whole[rng.permutation(len(whole))[:left]])
                order = np.arange(number, number + len(take))
                take = ak.with_field(ak.with_field(take, order.astype(np.uint64), "event"), order, POSITION)
                writer.extend(TREE, take)
                number, left = number + len(take), left - len(take)
    return {"candidates": number}


if __name__ == "__main__":
    answer(work)
