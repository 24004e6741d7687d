"""Figures to files: PDF for the paper, PNG for the page, the same bytes from the same results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calotools.errors import ConfigError
from calotools.outputs import check_output, new_file
from calotools.plots.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save_figure", "save_file"]

# No dates in the files, so that equal results give equal bytes.
_METADATA: dict[str, dict[str, str | None]] = {
    ".pdf": {"CreationDate": None, "ModDate": None},
    ".png": {"Software": None},
}


def save_figure(
    figure: Figure, folder: Path | str, name: str, *, overwrite: bool = False, dpi: int = 150
) -> list[Path]:
    """Write a figure as ``folder/name.pdf`` and ``folder/name.png``.

    Parameters
    ----------
    figure : Figure
    folder : path
        Made when it is not there.
    name : str
        File name without suffix.
    overwrite : bool
        Replace existing files.
    dpi : int
        Pixels per inch of the PNG.

    Returns
    -------
    list of Path
        The PDF and the PNG.

    Raises
    ------
    OutputExistsError
        One of them exists and `overwrite` is false.

    Examples
    --------
    >>> import tempfile
    >>> from calotools.plots.style import new_figure
    >>> [path.name for path in save_figure(new_figure(), tempfile.mkdtemp(), "empty")]
    ['empty.pdf', 'empty.png']
    """
    paths = [Path(folder) / f"{name}{suffix}" for suffix in _METADATA]
    for path in paths:
        check_output(path, overwrite=overwrite)
    for path in paths:
        save_file(figure, path, overwrite=overwrite, dpi=dpi)
    return paths


def save_file(figure: Figure, path: Path | str, *, overwrite: bool = False, dpi: int = 150) -> Path:
    """Write a figure to one file whose suffix is ``.pdf`` or ``.png``, whole or not at all.

    Parameters
    ----------
    figure : Figure
    path : path
    overwrite : bool
    dpi : int

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        Another suffix.
    OutputExistsError
        The file exists and `overwrite` is false.

    Examples
    --------
    >>> import tempfile
    >>> from calotools.plots.style import new_figure
    >>> save_file(new_figure(), Path(tempfile.mkdtemp()) / "empty.png").name
    'empty.png'
    """
    path = Path(path)
    if path.suffix not in _METADATA:
        raise ConfigError(f"figure '{path}' has suffix '{path.suffix}'; allowed: {', '.join(sorted(_METADATA))}")
    with new_file(path, overwrite=overwrite) as temporary, style():
        figure.savefig(temporary, dpi=dpi, metadata=_METADATA[path.suffix])
    return path
