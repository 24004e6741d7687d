"""What a command says at its end, by what its stage returned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calotools.cli.progress import describe_duration
from calotools.plots.numbers import format_value
from calotools.stages import describe_written

if TYPE_CHECKING:
    from calotools.ntuple import FileReport, TreeReport
    from calotools.stages.publish import Headline, Outcome

__all__ = ["print_result"]

_MANY = 8


def print_result(
    result: Path | Outcome | list[FileReport], *, output: Path | None = None, seconds: float | None = None
) -> int:
    """Print a stage's result: the headline numbers or what files hold; at the end, what was written.

    Parameters
    ----------
    result : Path, Outcome or list of FileReport
    output : Path, optional
        Where an Outcome was written that does not say so itself.
    seconds : float, optional
        That the stage took.

    Returns
    -------
    int
        Exit code: 0, or that of the first file that could not be read.
    """
    if isinstance(result, list):
        for report in result:
            _print_file(report)
        return next((report.error.exit_code for report in result if report.error), 0)
    if isinstance(result, Path):
        output = result
    else:
        print(result.title)
        for one in result.headline:
            print(f"  {_headline(one)}")
        output = result.folder or output
    if output is not None:
        took = "" if seconds is None else f", {describe_duration(seconds)}"
        print(f"{output}: {describe_written(output)}{took}")
    return 0


def _headline(one: Headline) -> str:
    comment = f"  ({one.comment})" if one.comment else ""
    return f"{one.name}: {format_value(one.value, one.error, one.unit)}{comment}"


def _print_file(report: FileReport) -> None:
    flavour = f"flavour {report.flavour or 'unknown'}"
    print(f"{report.file}: {report.kind or flavour}")
    for tree in report.trees:
        if report.kind:
            print(f"  tree {tree.name}: {tree.entries} entries; branches: {_shorten(tree.unknown)}")
        else:
            _print_tree(tree)
    for one in report.skipped:
        print(f"  skipped {one}")
    if report.error:
        print(f"  problem: {report.error}")


def _print_tree(tree: TreeReport) -> None:
    kind = f" as {tree.label}" if tree.label and tree.label != tree.name else ""
    print(f"  tree {tree.name}{kind}: {tree.entries} entries, {tree.n_candidates} candidates")
    if not tree.matched:
        print(f"    no flavour knows it; branches: {_shorten(tree.unknown)}")
        return
    if tree.entries == 0:
        print("    problem: it has no entries")
    print(f"    matched {len(tree.matched)}: {_shorten(tuple(tree.matched))}")
    print(f"    missing {len(tree.missing)}: {_shorten(tree.missing)}")
    print(f"    unknown {len(tree.unknown)}: {_shorten(tree.unknown)}")
    mean, least, most = tree.cells
    if most:
        print(f"    cells per candidate: mean {mean:.1f}, least {least}, most {most}")
    for problem, count in tree.problems.items():
        print(f"    problem: {problem}: {count}")


def _shorten(names: tuple[str, ...]) -> str:
    rest = f", and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + rest if names else "none"
