"""The validation as a page: what was measured, what it should be, pass or fail."""

from __future__ import annotations

import math
from collections.abc import Sequence

from calotools.containers import Check
from calotools.plots.numbers import format_number, format_value
from calotools.stages.validation.section import Section

__all__ = ["write_page"]

_INTRODUCTION = """# The detector simulation, validated

Made by one command, whose numbers are in `numbers.json`:

    {command}

Every number has a statistical error (one standard deviation). A verdict is by the value alone: *pass* when it is in the
allowed range, *fail* when it is not, with the distance to the range in errors; *quoted* when there is no target.
Published numbers without a public table are marked approximate.

{summary}
"""


def write_page(sections: Sequence[Section], *, command: str, figures: str = "figures") -> str:
    """The page as Markdown.

    Parameters
    ----------
    sections : sequence of Section
    command : str
        What made it.
    figures : str
        Folder of the figures, relative to the page.

    Returns
    -------
    str
    """
    parts = [_INTRODUCTION.format(command=command, summary=_summary(sections))]
    parts += [_section(one, figures) for one in sections]
    return "\n".join(parts)


def _summary(sections: Sequence[Section]) -> str:
    lines = ["| part | pass | fail | quoted |", "|---|---|---|---|"]
    for one in sections:
        counts = [sum(check.verdict in kind for check in one.checks) for kind in (("pass",), _BAD, ("quoted",))]
        lines.append(f"| {one.title} | " + " | ".join(str(count) for count in counts) + " |")
    return "\n".join(lines)


_BAD = ("fail", "not measured")


def _section(section: Section, figures: str) -> str:
    parts = [f"## {section.title}", section.text]
    failed = [one for one in section.checks if one.verdict in _BAD]
    if failed:
        parts += ["Outside the allowed range:", _table(failed)]
    else:
        parts.append("Everything with a target is inside its allowed range.")
    parts.append(
        f"<details><summary>All {len(section.checks)} numbers</summary>\n\n{_table(section.checks)}\n\n</details>"
    )
    parts += [f"![{name}]({figures}/{name}.png)\n\n*{caption}*" for name, (_, caption) in section.figures.items()]
    return "\n\n".join(parts) + "\n"


def _table(checks: Sequence[Check]) -> str:
    lines = ["| quantity | measured | allowed | target | verdict |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(one) for one in checks)])


def _row(one: Check) -> str:
    target = "" if math.isnan(one.target) else format_number(one.target, 3)
    source = f"{target} ({one.source})" if target and one.source else target or one.source
    measured = format_value(one.value, one.error, one.unit)
    return f"| {_plain(one.name)} | {measured} | {_allowed(one)} | {_plain(source)} | {_verdict(one)} |"


def _plain(text: str) -> str:
    """Text whose bars do not end a column."""
    return text.replace("|", "\\|")


def _allowed(one: Check) -> str:
    if math.isnan(one.low):
        return ""
    return f"{format_number(one.low, 3)} to {format_number(one.high, 3)}"


def _verdict(one: Check) -> str:
    if one.verdict != "fail":
        return one.verdict
    return "**fail**" if math.isnan(one.outside) else f"**fail** by {one.outside:.1f} errors"
