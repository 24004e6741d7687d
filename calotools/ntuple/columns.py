"""From the arrays of a file to numbers in GeV, rad, mm and ns: lists taken apart, missing values marked."""

from __future__ import annotations

from dataclasses import dataclass

import awkward as ak
import numpy as np

from calotools.containers import new_array
from calotools.errors import BranchError
from calotools.ntuple.flavour import Field
from calotools.ntuple.units import convert_factor

__all__ = ["Place", "convert", "pick_element", "take_apart", "to_type"]


@dataclass(frozen=True)
class Place:
    """Where some values come from, for messages.

    Attributes
    ----------
    file, tree : str
    start : int
        Entry of the tree at which the values begin.
    """

    file: str
    tree: str
    start: int

    def __str__(self) -> str:
        return f"file '{self.file}', tree '{self.tree}'"


def take_apart(
    layout: ak.contents.Content, *, depth: int, branch: str, place: Place
) -> tuple[list[np.ndarray], np.ndarray]:
    """Offsets of each level of lists, and the numbers inside.

    Parameters
    ----------
    layout : awkward content
        Of one branch.
    depth : int
        Levels of lists that the field needs: 0 for one number per entry.
    branch : str
    place : Place

    Returns
    -------
    offsets : list of (n + 1,) int64 arrays
        Outermost level first.
    content : (m,) array

    Raises
    ------
    BranchError
        The branch has another depth, or holds no numbers.
    """
    array = layout
    if not _is_flat(layout):
        layout = ak.to_packed(layout, highlevel=False)
    offsets = []
    while layout.is_list and layout.parameter("__array__") is None:
        layout = layout.to_ListOffsetArray64(True)
        offsets.append(np.asarray(layout.offsets))
        layout = layout.content[: offsets[-1][-1]]
    if not layout.is_numpy or layout.parameter("__array__") is not None or np.ndim(layout.data) != 1:
        raise BranchError(f"{place}, branch '{branch}' holds {array.form.type}; a number is needed")
    if len(offsets) != depth:
        raise BranchError(
            f"{place}, branch '{branch}' holds {_shape(len(offsets))} per entry ({array.form.type}), but the "
            f"field needs {_shape(depth)}; correct the branch, its table or 'layout' in the flavour file"
        )
    return offsets, np.asarray(layout.data)


def _is_flat(layout: ak.contents.Content) -> bool:
    """Whether it is numbers, or lists that begin at the first number: packing would change nothing, and takes long."""
    if isinstance(layout, ak.contents.ListOffsetArray) and layout.offsets.data[0] == 0:
        layout = layout.content
    return isinstance(layout, ak.contents.NumpyArray) and layout.data.ndim == 1


def _shape(depth: int) -> str:
    return ("one number", "a list of numbers", "a list of lists of numbers")[min(depth, 2)]


def pick_element(offsets: np.ndarray, content: np.ndarray, *, element: int) -> np.ndarray:
    """One element of each list; NaN where a list is too short.

    Parameters
    ----------
    offsets : (n + 1,) int array
    content : (m,) array
    element : int
        Counted from 0.

    Returns
    -------
    (n,) floating array

    Examples
    --------
    >>> pick_element(np.array([0, 2, 2]), np.array([5.0, 6.0]), element=1)
    array([ 6., nan])
    """
    dtype = content.dtype if content.dtype.kind == "f" else np.float64
    picked = np.full(len(offsets) - 1, np.nan, dtype=dtype)
    rows = offsets[:-1] + element
    there = rows < offsets[1:]
    picked[there] = content[rows[there]]
    return picked


def convert(values: np.ndarray, field: Field, *, place: Place) -> np.ndarray:
    """Missing values to NaN, the file's unit to ours, the file's type to the canonical one.

    Parameters
    ----------
    values : (n,) array
        As in the file.
    field : Field
    place : Place

    Returns
    -------
    (n,) array
        A new array where anything had to change.

    Raises
    ------
    BranchError
        The values cannot be of the canonical type.
    """
    if field.missing and (values.dtype.kind == "f" or field.type.startswith("float")):
        values = values if values.dtype.kind == "f" else values.astype(np.float32)
        values = np.where(
            np.isin(values, np.asarray(field.missing, dtype=values.dtype)), values.dtype.type(np.nan), values
        )
    return to_type(_scale(values, convert_factor(field.unit)), field, place=place)


def _scale(values: np.ndarray, factor: float) -> np.ndarray:
    """Multiply, keeping the precision of the file; division by 1000 is rounded better than a product with 0.001."""
    if factor == 1.0:
        return values
    kind = values.dtype.type if values.dtype.kind == "f" else np.float64
    inverse, scaled = round(1.0 / factor), new_array(values.shape, kind)
    return (
        np.divide(values, kind(inverse), out=scaled)
        if inverse * factor == 1.0
        else np.multiply(values, kind(factor), out=scaled)
    )


def to_type(values: np.ndarray, field: Field, *, place: Place) -> np.ndarray:
    """Cast to the field's canonical type, when no value changes by it.

    Floating values keep the precision of the file.

    Raises
    ------
    BranchError
        A value does not fit, such as NaN or 0.5 for a count; the message names the branch and the first entry.
    """
    if not field.type or field.type == str(values.dtype) or (field.type[0] == "f" and values.dtype.kind == "f"):
        return values
    wanted = np.dtype(field.type)
    if wanted.kind == "f" or values.dtype.kind == "b":
        return values.astype(wanted)
    with np.errstate(invalid="ignore"):
        cast = values.astype(wanted)
    wrong = cast.astype(np.float64) != values.astype(np.float64)
    if wanted.kind == "u":
        wrong |= values < 0
    if wrong.any():
        first = int(np.argmax(wrong))
        raise BranchError(
            f"{place}, branch '{'/'.join(field.branches)}', value {first} from entry {place.start}: {values[first]} "
            f"does not fit the type {wanted} of field '{field.name}'"
        )
    return cast
