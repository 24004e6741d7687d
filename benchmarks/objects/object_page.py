"""The table of the objects' rows, with the study's numbers beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from object_variants import VARIANTS

from calotools.ntuple import count_entries, read_metadata

__all__ = ["as_markdown", "best_of", "numbers_of"]

STUDY = {"electron": 98.5, "jet": 99.9, "muon": 95.2, "tau": 93.6}
"""Of the study of 2017: what its network said of one candidate of each."""
_NEAR = 2.0


def numbers_of(files: Iterable[str]) -> dict[str, Any]:
    """Candidates of each file, and the version of the simulation that made them."""
    files = list(files)
    counts = count_entries(files, tree="objects", flavour="native")
    made = read_metadata(files[0])
    return {"candidates": list(counts.values()), "software": made["software"], "tables": made["tables"][:12]}


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    sample = results["sample"]
    lines = [
        "# Electron, jet, muon or tau",
        "",
        f"`python benchmarks/objects/run.py`: {sample['events']} events of Pythia each of",
        f"{', '.join(sample['processes'])}, {sum(sample['candidates'])} candidates with at least 15 GeV of visible",
        f"true E_T (tables {sample['tables']});",
        "the test part (20 % of the events) is measured. Efficiency of each class in percent: the share of its",
        "candidates that are taken for it, with half of the 68.3 % interval. Convolutions have 16 bits (bf16).",
        "",
        *_missing(results["rows"]),
        "| row | seed | electron | jet | muon | tau | mean | parameters | best epoch | minutes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_line(key, row) for key, row in results["rows"].items()),
        "| *one candidate each, 2017* | | 98.5 | 99.9 | 95.2 | 93.6 | 96.8 | | | |",
        "",
        "The study's percentages are what its network said of one electron, one jet, one muon and one tau: no",
        "efficiencies. What was missing there went from taus to jets (6.4 %) and from muons to taus (4.8 %).",
        "",
        *_of_study(results["rows"]),
        *_best(results["rows"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _missing(rows: Mapping[str, Any]) -> list[str]:
    there = {key.split("/")[0] for key, row in rows.items() if row["finished"]}
    missing = [f"`{name}` ({one.what})" for name, one in VARIANTS.items() if name not in there]
    return [f"**Partial**: not filled yet: {'; '.join(missing)}.", ""] if missing else []


def _line(key: str, row: Mapping[str, Any]) -> str:
    name, seed = key.split("/")
    what = f"{name}{' (ours)' if VARIANTS[name].ours else ''}: {VARIANTS[name].what}"
    if not row["finished"]:
        return f"| {what} | {seed} | (goes on in the next run) | | | | | | | {row['minutes']:.0f} |"
    own = [(row["value"][k][k], (row["high"][k][k] - row["low"][k][k]) / 2) for k in range(len(row["classes"]))]
    cells = " | ".join(f"{100 * value:.1f} ± {100 * error:.1f}" for value, error in own)
    mean = 100 * sum(value for value, _ in own) / len(own)
    tail = f"{row['parameters'] / 1e6:.2f} M | {row['best_epoch']} of {row['epochs']} | {row['minutes']:.0f}"
    return f"| {what} | {seed} | {cells} | {mean:.1f} | {tail} |"


def best_of(rows: Mapping[str, Any]) -> str:
    """The row with the highest mean of the efficiencies; empty: none is finished."""
    mean = {key: sum(row["value"][k][k] for k in range(4)) for key, row in rows.items() if row["finished"]}
    return max(mean, key=mean.__getitem__) if mean else ""


def _of_study(rows: Mapping[str, Any]) -> list[str]:
    """Its best variant, if one of ours is better."""
    key = best_of({name: row for name, row in rows.items() if not VARIANTS[name.split("/")[0]].ours})
    return [] if not key or key == best_of(rows) else [*_confusion(key, rows[key], "the best of the study's: "), ""]


def _confusion(key: str, row: Mapping[str, Any], which: str) -> list[str]:
    lines = [
        f"## What is taken for what, {which}`{key}`",
        "",
        f"| true | candidates | {' | '.join(row['classes'])} | goal: within {_NEAR:g} % of |",
        f"| --- | --- | {'--- | ' * len(row['classes'])}--- |",
    ]
    for k, name in enumerate(row["classes"]):
        cells = [
            f"{100 * row['value'][k][j]:.1f} ± {50 * (row['high'][k][j] - row['low'][k][j]):.1f}"
            for j in range(len(row["classes"]))
        ]
        reached = 100 * row["value"][k][k] >= STUDY[name] - _NEAR
        goal = f"{STUDY[name]}: {'reached' if reached else 'not reached'}"
        lines.append(f"| {name} | {row['n'][name]} | {' | '.join(cells)} | {goal} |")
    return lines


def _best(rows: Mapping[str, Any]) -> list[str]:
    key = best_of(rows)
    if not key:
        return []
    row = rows[key]
    said = ", ".join(f"{100 * row['mean_probability'][name][k]:.1f} % {name}" for k, name in enumerate(row["classes"]))
    figures = ("confusion", *(f"probability_{name}" for name in row["classes"]))
    return [
        *_confusion(key, row, "the best row: "),
        "",
        f"The row with the highest mean, chosen on the candidates that it is measured on. Mean probability of the true "
        f"class: {said}.",
        "",
        *(f"![{name}](figures/{name}.png)" for name in figures),
    ]
