"""The validation as a page: what was measured, what it should be, pass or fail."""

from __future__ import annotations

import math
from collections.abc import Sequence

from calotools.containers import Check
from calotools.plots.numbers import format_number, format_value
from calotools.stages.validation.section import Section

__all__ = ["write_page"]

_NAMED = 6  # numbers of a part that the words at the top name

_INTRODUCTION = """# The detector simulation, validated

{words}

Made by one command, whose numbers are in [numbers.json](numbers.json):

    {command}

Every number has a statistical error (one standard deviation). *Pass*: in the allowed range. *Fail*: outside by two
errors or more, with the distance in errors. *Open*: the error does not decide, because the number is outside by less
than two errors, or inside with an error larger than half of the range. *Quoted*: there is no target. Published numbers
without a public table are marked approximate.

{summary}
"""


def write_page(sections: Sequence[Section], *, command: str) -> str:
    """The page as Markdown.

    Parameters
    ----------
    sections : sequence of Section
    command : str
        What made it.

    Returns
    -------
    str
    """
    parts = [_INTRODUCTION.format(command=command, summary=_summary(sections), words=_in_words(sections))]
    parts += [_section(one) for one in sections]
    return "\n".join(parts)


def _in_words(sections: Sequence[Section]) -> str:
    """What to trust and what not, from the numbers."""
    judged = {one.title: [check for check in one.checks if check.verdict != "quoted"] for one in sections}
    bad = {title: [check for check in checks if check.verdict in _BAD] for title, checks in judged.items()}
    good = [f"{title} ({_count(judged[title])})" for title in judged if judged[title] and not bad[title]]
    trust = "; ".join(good) if good else "no part is without a number outside its range"
    lines = [
        f"**To trust**, as far as a sample of this size decides: {trust}. No number there is outside its range by two "
        "errors."
    ]
    if any(bad.values()):
        lines.append("**Not to trust** without a look, of each part the worst first:")
        lines.append("\n".join(f"- {title}: {_worst(bad[title], judged[title])}" for title in bad if bad[title]))
    return "\n\n".join(lines)


def _count(checks: Sequence[Check]) -> str:
    n = sum(check.verdict == "pass" for check in checks)
    return f"{n} of {len(checks)} numbers inside"


def _worst(bad: Sequence[Check], judged: Sequence[Check]) -> str:
    shown = sorted(bad, key=lambda one: -one.outside if math.isfinite(one.outside) else 0.0)[:_NAMED]
    names = "; ".join(_plain(one.name) for one in shown) + ("; …" if len(bad) > _NAMED else "")
    return f"{len(bad)} of {len(judged)} numbers are outside: {names}"


def _summary(sections: Sequence[Section]) -> str:
    lines = ["| part | pass | open | fail | quoted |", "|---|---|---|---|---|"]
    kinds = (("pass",), ("open",), _BAD, ("quoted",))
    for one in sections:
        counts = [sum(check.verdict in kind for check in one.checks) for kind in kinds]
        lines.append(f"| {one.title} | " + " | ".join(str(count) for count in counts) + " |")
    return "\n".join(lines)


_BAD = ("fail", "not measured")


def _section(section: Section) -> str:
    parts = [f"## {section.title}", section.text]
    for verdicts, title in ((_BAD, "Outside the allowed range:"), (("open",), "Not decided by this sample:")):
        found = [one for one in section.checks if one.verdict in verdicts]
        if found:
            parts += [title, _table(found)]
    if all(one.verdict in ("pass", "quoted") for one in section.checks):
        parts.append("Everything with a target is inside its allowed range.")
    parts.append(
        f"<details><summary>All {len(section.checks)} numbers</summary>\n\n{_table(section.checks)}\n\n</details>"
    )
    parts += [f"![{name}](figures/{name}.png)\n\n*{caption}*" for name, (_, caption) in section.figures.items()]
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
    if one.verdict not in ("fail", "open"):
        return one.verdict
    word = "**fail**" if one.verdict == "fail" else "open"
    return f"{word}, outside by {one.outside:.1f} errors" if one.outside > 0 else word
