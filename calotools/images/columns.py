"""Arrays on disk that grow by appending and are read back memory-mapped: ordinary ``.npy`` files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from calotools.errors import InputFileError, ShapeError

__all__ = ["ArrayWriter", "copy_rows", "read_array", "read_only", "to_half"]


class ArrayWriter:
    """Append rows to a ``.npy`` file; its header, which holds the length, is completed on closing.

    Parameters
    ----------
    path : path
    dtype : numpy dtype
    row_shape : tuple of int
        Shape of one row; () for a plain column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "e.npy"
    >>> with ArrayWriter(path, np.float32) as writer:
    ...     writer.append(np.array([1.0, 2.0]))
    ...     writer.append(np.array([3.0]))
    >>> np.load(path).tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self, path: Path, dtype: np.typing.DTypeLike, row_shape: tuple[int, ...] = ()) -> None:
        self.path, self.dtype, self.row_shape = path, np.dtype(dtype), row_shape
        self.n = 0
        self._file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        # numpy pads headers so that the length of the first axis can grow in place
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.n, *self.row_shape)}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, rows: np.ndarray) -> None:
        """Add rows, converted to the file's type.

        Parameters
        ----------
        rows : (n, *row_shape) array

        Raises
        ------
        ShapeError
            Rows have another shape.
        InputFileError
            The disk is full or not writable.
        """
        if rows.shape[1:] != self.row_shape:
            raise ShapeError(f"{self.path.name} holds rows of shape {self.row_shape}, not {rows.shape[1:]}")
        try:
            np.ascontiguousarray(rows, dtype=self.dtype).tofile(self._file)
        except OSError as error:
            raise InputFileError(f"cannot write '{self.path}': {error}; is the disk full?") from None
        self.n += len(rows)

    def close(self) -> None:
        """Complete the header."""
        if not self._file.closed:
            self._write_header()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_array(path: Path) -> np.ndarray:
    """Memory-map a ``.npy`` file, read-only; an empty one is read.

    Raises
    ------
    InputFileError
        It is absent, truncated or not an array.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputFileError(f"image store lacks '{path.name}' in '{path.parent}'; build the store again") from None
    except ValueError as error:
        try:  # an empty array cannot be mapped
            return np.load(path, allow_pickle=False)
        except (ValueError, EOFError, OSError):
            raise InputFileError(f"'{path}' is truncated or not an array: {error}; build the store again") from None
    return array


def copy_rows(source: Path, path: Path, parts: Sequence[tuple[int, int]]) -> None:
    """Write some rows of a ``.npy`` file to another one; memory is that of a part.

    Parameters
    ----------
    source : Path
        Written by `ArrayWriter`.
    path : Path
    parts : sequence of (int, int)
        First row, and the one behind the last, of the rows that come one after the other.
    """
    with source.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        begin, numbers = file.tell(), math.prod(shape[1:])
        with ArrayWriter(path, dtype, shape[1:]) as writer:
            for first, last in parts:
                file.seek(begin + first * numbers * dtype.itemsize)
                rows = np.fromfile(file, dtype, (last - first) * numbers)
                writer.append(rows.reshape(last - first, *shape[1:]))


def read_only(array: np.ndarray) -> np.ndarray:
    """The same memory as a plain read-only array, whether it is mapped or not: one type for compiled loops.

    Parameters
    ----------
    array : array

    Returns
    -------
    array
    """
    view = np.asarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


def to_half(values: np.ndarray, *, name: str) -> np.ndarray:
    """Values with 16 bits each.

    Parameters
    ----------
    values : (n,) float32
    name : str
        Of the quantity, for messages.

    Returns
    -------
    (n,) float16
        The nearest ones: at most 2**-11 (5e-4) of the value away, or 3e-8 for values below 6e-5.

    Raises
    ------
    ShapeError
        A value is beyond 65504, the largest one.

    Examples
    --------
    >>> to_half(np.array([1.0, 40.01], np.float32), name="energy").tolist()
    [1.0, 40.0]
    """
    worst = np.nanmax(np.abs(values), initial=0.0)
    if worst > np.finfo(np.float16).max:
        raise ShapeError(f"'{name}' reaches {worst:.6g}, which 16 bits do not hold (65504); leave it out of 'half'")
    return values.astype(np.float16)
