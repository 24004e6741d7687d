"""A store that was written in any order of its pieces, put in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from calotools.errors import ShapeError
from calotools.images.columns import copy_rows
from calotools.images.rows import is_ragged
from calotools.images.store import META, ImageStore
from calotools.outputs import new_folder

__all__ = ["order_store"]


def order_store(
    source: Path, path: Path, parts: Sequence[tuple[int, int]], *, digest: str = "", overwrite: bool = False
) -> ImageStore:
    """Make a store of the rows of another one in another order.

    Only what each candidate has one of is written again, a tenth of the store. Bands, values and tracks stay in the
    files that they are in, and these are moved.

    Parameters
    ----------
    source : Path
        Where the store is, in the same folder as `path`; what is left of it is no longer a store.
    path : Path
        Directory to make.
    parts : sequence of (int, int)
        First row, and the one behind the last, of the rows that come one after the other; together all rows.
    digest : str
    overwrite : bool
        As in `build_store`.

    Returns
    -------
    ImageStore

    Raises
    ------
    OutputExistsError
        `path` exists and `overwrite` is false.
    ShapeError
        `parts` leave rows out, or name some twice; the store is as it was.
    """
    meta = json.loads((source / META).read_text(encoding="utf-8"))
    _check_parts(parts, source, n=meta["counts"]["candidates"])
    with new_folder(path, overwrite=overwrite) as folder:
        for name in (f"{one}.npy" for one in meta["arrays"] if not is_ragged(one)):
            copy_rows(source / name, folder / name, parts)
        for name in (f"{one}.npy" for one in meta["arrays"] if is_ragged(one)):
            (source / name).rename(folder / name)
        (folder / META).write_text(json.dumps(meta | {"digest": digest}, indent=1), encoding="utf-8")
    return ImageStore.open(path)


def _check_parts(parts: Sequence[tuple[int, int]], source: Path, *, n: int) -> None:
    rising = sorted(parts)
    if [*(first for first, _ in rising), n] != [0, *(last for _, last in rising)]:
        raise ShapeError(f"parts {rising[:5]} ... are not the rows 0 to {n} of '{source}', each once; give all of them")
