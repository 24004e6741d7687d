"""The limits: decompressing the needed baskets of a file and nothing else, and copying the same bytes in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cramjam
import numpy as np
import uproot
from protocol import answer, timed
from workload import BRANCHES, TREE

_HEADER = 9
_Basket = tuple[int, int, int]  # where it begins, bytes there, bytes when decompressed


def work(*, files: list[str], threads: int, copy: bool = False) -> dict[str, float]:
    """Rate in candidates per second, and in GB of uncompressed data."""
    plans = [(name, *_baskets(name)) for name in files]
    n = sum(entries for _, _, entries, _ in plans)
    size = sum(total for _, _, _, total in plans)
    run = _copier(size) if copy else _decompressor(plans, threads)

    def epoch() -> int:
        run()
        return n

    found = timed(epoch)
    return found | {"gb_per_s": size / found["seconds"] / 1e9, "bytes_per_candidate": size / n}


def _baskets(name: str) -> tuple[list[_Basket], int, int]:
    """Where the payloads of the needed branches and of their counters are, in the order of the file."""
    with uproot.open(name) as file:
        tree = file[TREE]
        keys = [
            tree[branch].basket_key(number)
            for branch in _with_counters(tree)
            for number in range(tree[branch].num_baskets)
        ]
        where = sorted((key.fSeekKey + key.fKeylen, key.fNbytes - key.fKeylen, key.fObjlen) for key in keys)
        return where, tree.num_entries, sum(key.fObjlen for key in keys)


def _with_counters(tree: uproot.TTree) -> list[str]:
    counters = {tree[name].count_branch.name for name in BRANCHES if tree[name].count_branch is not None}
    return [*BRANCHES, *sorted(counters)]


def _decompressor(plans: list[tuple[str, list[_Basket], int, int]], threads: int) -> Callable[[], None]:
    pool = ThreadPoolExecutor(threads)

    def run() -> None:
        for name, baskets, _, _ in plans:
            with open(name, "rb") as file:  # noqa: PTH123 - a plain descriptor for pread
                read = partial(_read, descriptor=file.fileno())
                for _ in pool.map(read, baskets) if threads > 1 else map(read, baskets):
                    pass

    return run


def _read(basket: _Basket, *, descriptor: int) -> int:
    """Bytes that came out."""
    start, packed, whole = basket
    data = os.pread(descriptor, packed, start)
    return whole if packed == whole else _unpack(data)  # what does not shrink is stored as it is


def _unpack(data: bytes) -> int:
    """Decompress the blocks of a basket: two letters, the method, and two sizes of three bytes before each."""
    view, at, done = memoryview(data), 0, 0
    while at < len(view):
        kind = bytes(view[at : at + 2])
        packed, whole = (int.from_bytes(view[at + k : at + k + 3], "little") for k in (3, 6))
        block = view[at + _HEADER : at + _HEADER + packed]
        if kind == b"ZS":
            done += len(cramjam.zstd.decompress(block, output_len=whole))
        elif kind == b"L4":
            done += len(cramjam.lz4.decompress_block(block[8:], output_len=whole))  # a checksum comes first
        else:
            raise ValueError(f"baskets compressed with {kind!r}")
        at += _HEADER + packed
    return done


def _copier(size: int) -> Callable[[], None]:
    block = np.ones(min(size, 2**28) // 8)
    target = np.empty_like(block)

    def run() -> None:
        for _ in range(round(size / block.nbytes)):
            np.copyto(target, block)

    return run


if __name__ == "__main__":
    answer(work)
