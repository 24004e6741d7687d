"""What a command says at its end, by what its stage returned."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calotools.ntuple import FileReport, TreeReport
    from calotools.stages.publish import Headline, Outcome

__all__ = ["print_result"]

_MANY = 8


def print_result(result: Path | Outcome | list[FileReport]) -> int:
    """Print a stage's result: a path, the headline numbers, or what files hold.

    Parameters
    ----------
    result : Path, Outcome or list of FileReport

    Returns
    -------
    int
        Exit code: 0, or that of the first file that could not be read.
    """
    if isinstance(result, Path):
        print(result)
    elif isinstance(result, list):
        for report in result:
            _print_file(report)
        return next((report.error.exit_code for report in result if report.error), 0)
    else:
        print(result.title)
        for one in result.headline:
            print(f"  {_headline(one)}")
    return 0


def _headline(one: Headline) -> str:
    error = "" if one.error is None or math.isnan(one.error) else f" ± {one.error:.2g}"
    unit = f" {one.unit}" if one.unit else ""
    comment = f"  ({one.comment})" if one.comment else ""
    # Counts are exact: 148260 parameters, not 1.4826e+05.
    exact = one.error is None and float(one.value).is_integer()
    value = str(int(one.value)) if exact else f"{one.value:.5g}"
    return f"{one.name}: {value}{error}{unit}{comment}"


def _print_file(report: FileReport) -> None:
    print(f"{report.file}: flavour {report.flavour or 'unknown'}")
    for tree in report.trees:
        _print_tree(tree)
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
