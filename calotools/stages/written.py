"""What lies where a stage wrote: candidates, files, bytes."""

from __future__ import annotations

from pathlib import Path

from calotools.images import ImageStore
from calotools.images.store import META
from calotools.ntuple import read_metadata, tree_entries

__all__ = ["describe_written"]

_PREFIXES = ("k", "M", "G", "T")
_THOUSAND = 1000


def describe_written(path: Path | str) -> str:
    """Count what an output holds.

    Parameters
    ----------
    path : path
        A ROOT file, an image store, another file, or a folder.

    Returns
    -------
    str
        Candidates of a ROOT file, candidates and cut flow of a store, or how many files a folder has; then the size.

    Raises
    ------
    InputFileError
        A ROOT file or a store cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> page = Path(tempfile.mkdtemp()) / "page.html"
    >>> _ = page.write_text("x" * 2345)
    >>> describe_written(page), describe_written(page.parent)
    ('2.3 kB', '1 file, 2.3 kB')
    """
    path = Path(path)
    files = [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]
    return ", ".join([*_contents(path, len(files)), _size(sum(one.stat().st_size for one in files))])


def _contents(path: Path, n_files: int) -> list[str]:
    if path.suffix == ".root":
        return [f"{n} candidates in tree '{name}'" for name, n in tree_entries(path).items()] + _unscored(path)
    if (path / META).exists():
        return [_describe_store(ImageStore.open(path))]
    return [f"{n_files} file{'s' if n_files > 1 else ''}"] if path.is_dir() else []


def _unscored(path: Path) -> list[str]:
    """How many candidates of a friend tree have no score."""
    n = sum(one["candidates"] for one in read_metadata(path).get("record", {}).get("unscored", ()))
    return [f"{n} of them without a finite score"] if n else []


def _describe_store(store: ImageStore) -> str:
    """Its candidates, of how many, and what each cut left."""
    flow = store.record.get("cutflow", [])
    if not flow:
        return f"{len(store)} candidates"
    cuts = ", ".join(f"'{one['step']}' leaves {one['candidates']}" for one in flow[1:])
    return f"{len(store)} candidates of {flow[0]['candidates']} read" + (f" ({cuts})" if cuts else "")


def _size(n: float) -> str:
    if n < _THOUSAND:
        return f"{n:.0f} B"
    for prefix in _PREFIXES:
        n /= _THOUSAND
        if n < _THOUSAND or prefix == _PREFIXES[-1]:
            break
    return f"{n:.1f} {prefix}B"
