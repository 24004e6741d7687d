"""Let ROOT write a file's tree: its own baskets, and clusters of 3,000 entries."""

from __future__ import annotations

import ROOT
from protocol import answer
from workload import TREE


def work(*, old: str, new: str, how: str) -> dict[str, int]:
    """Snapshot all columns, in order."""
    options = ROOT.RDF.RSnapshotOptions()
    algorithm = ROOT.RCompressionSetting.EAlgorithm
    options.fCompressionAlgorithm = {"zstd": algorithm.kZSTD, "lz4": algorithm.kLZ4}[how]
    options.fCompressionLevel = {"zstd": 3, "lz4": 1}[how]
    options.fAutoFlush = 3000
    ROOT.RDataFrame(TREE, old).Snapshot(TREE, new, "", options)
    return {"candidates": ROOT.RDataFrame(TREE, new).Count().GetValue()}


if __name__ == "__main__":
    answer(work)
