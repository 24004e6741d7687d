"""RESULTS.json becomes RESULTS.md; standard library only.

python benchmarks/data_path/report.py            # write RESULTS.md again from RESULTS.json
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parent.parent
_HEADS = {
    "rate": "candidates/s",
    "ratio": "× reference",
    "quality": "spread",
    "coverage": "coverage",
    "first_batch_s": "first batch s",
    "rss_mib": "peak RSS MiB",
    "cpu_us": "CPU µs/candidate",
    "gb_per_s": "GB/s",
    "seconds": "s",
    "bytes_per_candidate": "bytes/candidate",
    "auc": "AUC",
    "iqr": "IQR",
    "loss": "loss",
}
_EXPLAINED = """\
Every number is the median of the rounds, with their range in brackets. In a round every contestant runs once in a
process of its own, one after the other, forwards and backwards in turn; ratios are formed within a round. *spread*:
standard deviation of the positions of a batch's candidates in the sample over that of all, 1 for a random choice;
*coverage*: hundredths of the sample that a batch has a candidate of, over those of a random choice. *first batch*:
after imports and with compiled kernels. *peak RSS*: of the process, and + that of its largest child. *CPU*: processor
time of all threads and processes; unlike the rate it hardly depends on what else the machine does."""


def as_markdown(results: dict[str, Any]) -> str:
    """The page."""
    machine = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in results["machine"].items())
    lines = [
        "# Benchmarks of the data path",
        "",
        f"Made by `make benchmark` ({results['size']['name']}): {machine}.",
        "",
    ]
    lines += [_EXPLAINED, "", *_busy(results), *_versions(results), "", *_overview(results)]
    for suite in results["suites"]:
        lines += [
            "",
            f"## {suite['title']}",
            "",
            suite["text"],
            "",
            *_table(suite),
            "",
            _when(suite),
            *_verdicts(suite),
        ]
    return "\n".join([*lines, ""])


def _busy(results: dict[str, Any]) -> list[str]:
    """A word of caution, where other work went on."""
    loads = [suite["load"] for suite in results["suites"] if "load" in suite]
    cores = results["machine"]["cores"]
    if not loads or max(loads) <= cores:
        return []
    return [
        f"**The machine was not quiet**: suites began with a load of {min(loads):g} to {max(loads):g}, {cores} cores. "
        "Rates are lower and spreads wider than they could be. How much two threads or workers gain over one cannot be "
        "told from this page. Ratios are of contestants in the same conditions.",
        "",
    ]


def _versions(results: dict[str, Any]) -> list[str]:
    lines = ["| environment | versions |", "|---|---|"]
    for name, versions in results["versions"].items():
        lines.append(f"| {name} | {', '.join(f'{key} {value}' for key, value in versions.items())} |")
    sizes = ", ".join(f"{kind} {size:g}" for kind, size in results["files_mib"].items())
    size = results["size"]
    return [
        *lines,
        "",
        f"Data: {size['simulated']} simulated candidates (electrons and fakes, ⟨μ⟩ = 40), repeated to "
        f"{size['files']} files of {size['per_file']}; MiB on disk: {sizes}.",
    ]


def _overview(results: dict[str, Any]) -> list[str]:
    lines = ["| target | measured | goal | |", "|---|---|---|---|"]
    for suite in results["suites"]:
        for goal in suite["goals"]:
            found, wanted, verdict = judge(suite, goal)
            lines.append(f"| {suite['name']}: {goal['text']} | {found} | {wanted} | {verdict} |")
    lines += [f"| {name}: {why} | not run | | not run |" for name, why in results.get("not_run", {}).items()]
    return lines


def _table(suite: dict[str, Any]) -> list[str]:
    columns = [name for name in suite["columns"] if any(_values(suite, one, name) for one in _names(suite))]
    heads = [_HEADS.get(name, name) for name in columns]
    lines = [f"| | cores | {' | '.join(heads)} |", "|---" * (len(columns) + 2) + "|"]
    notes = [f"- {one['name']}: {one['note']}." for one in suite["contestants"] if one["note"]]
    for one in suite["contestants"]:
        cells = [_cell(suite, one["name"], name) for name in columns]
        name = f"**{one['name']}**" if one["name"] == suite["reference"] else one["name"]
        failed = next((record["failed"] for record in one["rounds"] if "failed" in record), None)
        cells = cells if failed is None else [f"failed: {failed}", *[""] * (len(columns) - 1)]
        lines.append(f"| {name} | {one['cores']} | {' | '.join(cells)} |")
    return [*lines, "", *notes]


def _when(suite: dict[str, Any]) -> str:
    rounds = max((len(one["rounds"]) for one in suite["contestants"]), default=0)
    return f"Rounds: {rounds}; load of the machine when it began: {suite.get('load', 'not known')}."


def _verdicts(suite: dict[str, Any]) -> list[str]:
    lines = []
    for goal in suite["goals"]:
        found, wanted, verdict = judge(suite, goal)
        lines.append(f"- {goal['text']}: {found}, wanted {wanted}: {verdict}.")
    return ["", *lines] if lines else []


def judge(suite: dict[str, Any], goal: dict[str, Any]) -> tuple[str, str, str]:
    """What was found, what was wanted, and whether the median reaches it."""
    low, high = goal["at_least"], goal["at_most"]
    wanted = f"≥ {low:g}" if low is not None else f"≤ {high:g}"
    of = _values(suite, goal["of"], goal["metric"])
    to = _values(suite, goal["to"], goal["metric"]) if goal["to"] else [1.0] * len(of)
    ratios = [a / b for a, b in zip(of, to, strict=False)]
    if not ratios:
        return "not measured", wanted, "not measured"
    middle = statistics.median(ratios)
    met = middle >= low if low is not None else middle <= high
    return _spread(ratios, _plain), wanted, "reached" if met else "**not reached**"


def failures(suite: dict[str, Any]) -> list[str]:
    """Contestants that did not answer, and why."""
    found = [(one["name"], record) for one in suite["contestants"] for record in one["rounds"]]
    return [f"{name}: {record['failed']}" for name, record in found if "failed" in record]


def _names(suite: dict[str, Any]) -> list[str]:
    return [one["name"] for one in suite["contestants"]]


def _values(suite: dict[str, Any], name: str, metric: str) -> list[float]:
    """A metric in every round; a ratio is formed within the round."""
    if metric == "ratio":
        return [
            a / b
            for a, b in zip(_values(suite, name, "rate"), _values(suite, suite["reference"], "rate"), strict=False)
        ]
    rounds = next((one["rounds"] for one in suite["contestants"] if one["name"] == name), [])
    return [record[metric] for record in rounds if record.get(metric) is not None]


def _cell(suite: dict[str, Any], name: str, metric: str) -> str:
    values = _values(suite, name, metric)
    if not values:
        return ""
    write = _whole if metric in ("rate", "rss_mib", "bytes_per_candidate") else _plain
    children = _values(suite, name, "rss_child_mib") if metric == "rss_mib" else []
    worker = next(one["worker"] for one in suite["contestants"] if one["name"] == name)
    # ROOT starts a compiler to look at its headers; only processes that load data count
    counted = children and worker != "root_loader" and statistics.median(children) > 1
    return _spread(values, write) + (f" + {_whole(statistics.median(children))}" if counted else "")


def _spread(values: list[float], write: Callable[[float], str]) -> str:
    middle = write(statistics.median(values))
    low, high = write(min(values)), write(max(values))
    return middle if low == high else f"{middle} ({low}–{high})"


def _whole(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")


def _plain(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def write(results: dict[str, Any], folder: Path) -> None:
    """RESULTS.json, and the page made from it."""
    (folder / "RESULTS.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "RESULTS.md").write_text(as_markdown(results), encoding="utf-8")


def main(folder: Path) -> None:
    """Write the page again."""
    results = json.loads((folder / "RESULTS.json").read_text(encoding="utf-8"))
    (folder / "RESULTS.md").write_text(as_markdown(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else BENCHMARKS)
