"""A number that changes whenever the source of a compiled kernel changes."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

__all__ = ["source_stamp"]

_KERNELS = (
    "axis",
    "cascade",
    "crosstalk",
    "deposit",
    "electronics",
    "hadrons",
    "kernel",
    "minimum_bias",
    "pileup",
    "randoms",
    "showers",
    "spots",
    "stack",
    "stamp",
    "tuning",
    "upstream",
)


@functools.cache
def source_stamp() -> int:
    """Digest of the kernels' sources, as a positive integer.

    Numba keeps machine code as long as the file of the outermost function is unchanged; with this number among what
    it looks at, a change in any file of the room compiles anew.

    Examples
    --------
    >>> source_stamp() > 0
    True
    """
    folder = Path(__file__).parent
    digest = hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in _KERNELS))
    return int.from_bytes(digest.digest()[:7], "big") + 1
