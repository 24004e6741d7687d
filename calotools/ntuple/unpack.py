"""What ROOT compressed: blocks of zstd, lz4, zlib or lzma, each behind its method and sizes."""

from __future__ import annotations

import lzma

import cramjam
import numpy as np
import xxhash

__all__ = ["unpack"]

_HEADER, _CHECKSUM = 9, 8


def unpack(packed: memoryview, *, out: np.ndarray) -> None:
    """Decompress blocks, one after the other, until an array is full.

    Parameters
    ----------
    packed : memoryview
    out : (n,) uint8
        As long as what comes out.

    Raises
    ------
    ValueError
        The blocks are of an unknown kind, fail their checksum, or do not give `out`.
    cramjam.DecompressionError, lzma.LZMAError
        They are damaged.

    Examples
    --------
    >>> block = bytes(cramjam.zstd.compress(bytes(100)))
    >>> out = np.ones(100, np.uint8)
    >>> unpack(memoryview(b"ZS\\1" + len(block).to_bytes(3, "little") + (100).to_bytes(3, "little") + block), out=out)
    >>> int(out.max())
    0
    """
    at = done = 0
    while done < len(out):
        kind = bytes(packed[at : at + 2])
        n_packed, n = (int.from_bytes(packed[at + k : at + k + 3], "little") for k in (3, 6))
        block = packed[at + _HEADER : at + _HEADER + n_packed]
        if len(block) < n_packed or not 0 < n <= len(out) - done:
            raise ValueError(f"a block of {n_packed} bytes that give {n} does not fit")
        found = _unpack_block(kind, block, out[done : done + n].data)
        if found != n:
            raise ValueError(f"a block gives {found} bytes, its header says {n}")
        at, done = at + _HEADER + n_packed, done + n


def _unpack_block(kind: bytes, block: memoryview, out: memoryview) -> int:
    """Number of bytes that came out."""
    if kind == b"ZS":
        return int(cramjam.zstd.decompress_into(block, out))
    if kind == b"L4":
        if xxhash.xxh64(block[_CHECKSUM:]).digest() != block[:_CHECKSUM]:
            raise ValueError("the checksum of a block is another one")
        return int(cramjam.lz4.decompress_block_into(block[_CHECKSUM:], out, output_len=len(out)))
    if kind == b"ZL":
        return int(cramjam.zlib.decompress_into(block, out))
    if kind == b"XZ":
        whole = lzma.decompress(block)
        out[: len(whole)] = whole[: len(out)]
        return len(whole)
    raise ValueError(f"blocks compressed with {kind!r}")
