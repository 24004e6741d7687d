"""Columns of record arrays without awkward's general way to them, which takes longer than the work on a small piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import awkward as ak

__all__ = ["column_of"]


def column_of(records: ak.Array | ak.contents.Content, name: str) -> ak.contents.Content:
    """A field of records, or of lists of records.

    Parameters
    ----------
    records : awkward array or its layout
    name : str
        One of its fields.

    Returns
    -------
    awkward content
        As ``records[name].layout``.

    Examples
    --------
    >>> import awkward as ak
    >>> column_of(ak.Array([{"e": 2.0}, {"e": 3.0}]), "e").data.tolist()
    [2.0, 3.0]
    """
    layout = getattr(records, "layout", records)
    if layout.is_record:
        content = layout.contents[layout.field_to_index(name)]
        return content if content.length == layout.length else layout[name]
    if type(layout).__name__ == "ListOffsetArray" and layout.content.is_record:
        return type(layout)(layout.offsets, column_of(layout.content, name))
    return layout[name]
