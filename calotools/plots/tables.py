"""Results (nested dictionaries of numbers) as HTML tables: bins with their edges, values with their uncertainties."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

from calotools.plots.numbers import format_number, format_value

__all__ = ["render_results", "table"]

# Longer arrays (spectra, curves) are in the figures and in the JSON file.
LONGEST = 64
_Cell = tuple[str, str]


def render_results(results: Mapping[str, Any], *, level: int = 3) -> str:
    """HTML of nested results: a heading for each mapping, a table for its numbers, one row per bin for its arrays.

    Parameters
    ----------
    results : mapping
        As read from JSON: numbers (None for NaN), strings, booleans, lists and mappings.
    level : int
        Of the headings, from 3.

    Returns
    -------
    str

    Examples
    --------
    >>> "<td>AUC</td>" in render_results({"AUC": 0.97})
    True
    >>> "0.0200 ± 0.0010" in render_results({"metrics": {"iqr": [0.02]}, "errors": {"iqr": [0.001]}})
    True
    """
    results, joined = _join_errors(results)
    parts = [_scalars({**joined, **results}), _bins(results)]
    for key, value in results.items():
        if isinstance(value, Mapping) and key not in ("edges", "errors", "bin"):
            parts.append(_section(key, value, level=level))
        elif _is_list_of_mappings(value):
            parts.extend(_section(_item_name(key, i, one), one, level=level) for i, one in enumerate(value))
        elif isinstance(value, list) and value and not _is_flat_list(value):
            parts.append(
                f"<p class='where'>{html.escape(str(key))}: a table of {len(value)} rows, in the JSON file.</p>"
            )
    return "\n".join(part for part in parts if part)


def table(head: Sequence[str], rows: Sequence[Sequence[_Cell]], *, kind: str = "") -> str:
    """An HTML table; a cell is (class, text) and its text is escaped.

    Parameters
    ----------
    head : sequence of str
        Column titles; none for a table without a head.
    rows : sequence of sequences of (str, str)
    kind : str
        Class of the table.

    Returns
    -------
    str

    Examples
    --------
    >>> '<td class="number">&lt;1</td>' in table(["a"], [[("number", "<1")]])
    True
    """
    classes = [cell[0] for cell in rows[0]] if rows else [""] * len(head)
    titles = "".join(_tag("th", text, kind) for text, kind in zip(head, classes, strict=False))
    lines = "".join("<tr>" + "".join(_tag("td", text, kind) for kind, text in row) + "</tr>" for row in rows)
    top = f"<thead><tr>{titles}</tr></thead>" if head else ""
    return f'<div class="table"><table{_class(kind)}>{top}<tbody>{lines}</tbody></table></div>'


def _tag(name: str, text: str, kind: str) -> str:
    return f"<{name}{_class(kind)}>{html.escape(text)}</{name}>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _section(title: str, results: Mapping[str, Any], *, level: int) -> str:
    inner = render_results(results, level=level + 1)
    if not inner:
        return ""
    heading = html.escape(str(title).replace("_", " "))
    if level <= 3:
        return f"<h3>{heading}</h3>\n{inner}"
    return f"<details><summary>{heading}</summary><div>{inner}</div></details>"


def _item_name(key: str, number: int, one: Mapping[str, Any]) -> str:
    if isinstance(one.get("bin"), Mapping):
        ranges = [f"{axis} {_range(*edges)}" for axis, edges in one["bin"].items()]
        return f"{key}: {', '.join(ranges)}"
    return f"{key}: {one.get('name') or number + 1}"


def _join_errors(results: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Results whose mappings of values have taken in those of their errors, as `name` and `name_error`.

    Returns
    -------
    rest, own : dict
        `own` holds the scalars of ``values`` or ``metrics``, which need no heading of their own.
    """
    rest = dict(results)
    for key in [key for key in results if _is_pair(results, key, f"{key}_error")]:
        rest[key] = _joined(rest[key], rest.pop(f"{key}_error"))
    own: dict[str, Any] = {}
    for key in ("values", "metrics"):
        if _is_pair(rest, key, "errors"):
            own = _joined(rest.pop(key), rest.pop("errors"))
    lists = {key: value for key, value in own.items() if isinstance(value, list)}
    return {**lists, **rest}, {key: value for key, value in own.items() if key not in lists}


def _is_pair(results: Mapping[str, Any], values: str, errors: str) -> bool:
    return isinstance(results.get(values), Mapping) and isinstance(results.get(errors), Mapping)


def _joined(values: Mapping[str, Any], errors: Mapping[str, Any]) -> dict[str, Any]:
    pairs = ((name, f"{name}_error") for name in values)
    return {key: (values[name] if key == name else errors.get(name)) for name, other in pairs for key in (name, other)}


def _scalars(results: Mapping[str, Any]) -> str:
    rows = []
    for key, value in results.items():
        if (
            isinstance(value, (Mapping, list))
            or value == ""
            or (key.endswith("_error") and key.removesuffix("_error") in results)
        ):
            continue
        rows.append([("", key), _cell(value, results.get(f"{key}_error"))])
    return table([], rows) if rows else ""


def _cell(value: Any, error: Any = None) -> _Cell:
    value = {"inf": math.inf, "-inf": -math.inf}.get(value, value) if isinstance(value, str) else value
    if isinstance(value, bool):
        return ("", "yes") if value else ("bad", "no")
    if isinstance(value, int):
        return ("number", str(value)) if error is None else ("number", format_value(value, error))
    if isinstance(value, float) or value is None:
        return "number", format_value(value, error if isinstance(error, (int, float)) else None)
    return "", str(value)


def _bins(results: Mapping[str, Any]) -> str:
    """Arrays of equal length side by side, one row per bin; long ones are only counted."""
    edges = results.get("edges")
    named: Mapping[str, list[float]] = edges if isinstance(edges, Mapping) else {}
    lists = {key: value for key, value in results.items() if key != "edges" and _is_flat_list(value)}
    if not lists:
        return ""
    if isinstance(edges, list):
        names = html.escape(", ".join(lists))
        return f"<p class='where'>Spectrum of {len(edges) - 1} bins ({names}), in the JSON file.</p>"
    n_bins = math.prod([len(one) - 1 for one in named.values()]) if named else 0
    lengths = sorted({len(one) for one in lists.values()})
    return "".join(_columns(lists, n, named if n == n_bins else {}) for n in lengths)


def _columns(lists: Mapping[str, list[Any]], n: int, edges: Mapping[str, list[float]]) -> str:
    mine = {key: value for key, value in lists.items() if len(value) == n}
    if n > LONGEST:
        return f"<p class='where'>{html.escape(', '.join(mine))}: {n} values each, in the JSON file.</p>"
    shown = [key for key in mine if not (key.endswith("_error") and key.removesuffix("_error") in mine)]
    ranges = list(_bin_ranges(edges)) if edges else [() for _ in range(n)]
    rows = [
        [("", text) for text in ranges[i]]
        + [_cell(mine[key][i], mine.get(f"{key}_error", [None] * n)[i]) for key in shown]
        for i in range(n)
    ]
    return table([*edges, *shown], rows) if rows else ""


def _bin_ranges(edges: Mapping[str, list[float]]) -> Iterator[tuple[str, ...]]:
    per_axis = [[_range(low, high) for low, high in pairwise(one)] for one in edges.values()]
    return product(*per_axis)


def _range(low: float, high: float) -> str:
    return f"{format_number(low)} to {format_number(high)}"


def _is_flat_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and not any(isinstance(one, (list, Mapping)) for one in value)


def _is_list_of_mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)
