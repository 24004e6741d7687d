"""RESULTS.md, from RESULTS.json alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from contenders import ROWS
from electron_samples import CLASSES
from rejections import BINS, REGIONS

__all__ = ["as_markdown", "restored"]

PUBLISHED = {"likelihood": 0.40, "product": 0.12, "trees_all": 0.09}
SUMMARY = {
    "likelihood": "likelihood",
    "product": "product of calorimeter and track trees",
    "trees_all": "one forest of both",
    "cnn_2020": "design of 2020",
    "compact": "compact network",
}
CAPTIONS = {
    "roc": "Background rejection against signal efficiency.",
    "gain_abs_eta": "Rejection over the likelihood's along |η|, at 92 % of the signal in each bin.",
    "gain_et": "The same along E_T.",
    "gain_mu": "The same along ⟨μ⟩.",
    "variables": "Background that trees leave, against the number of variables.",
}
FEW_LEFT = 200
WANTED = 50_000
MINUTES = 45
FEW_ERRORS = 1.6  # of the value: with less, a limit is quoted


def as_markdown(results: Mapping[str, Any]) -> str:
    """The whole page."""
    results = restored(results)
    parts = [
        _head(results),
        _summary(results),
        _samples(results),
        _table(results),
        _by_class(results),
        _training(results),
        _pattern(results),
        _goals(results),
        _bins(results),
        _reweighting(results),
        _check(results),
        _figures(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def restored(value: Any) -> Any:
    """Numbers that JSON does not have, from what stands for them."""
    if isinstance(value, dict):
        return {name: restored(one) for name, one in value.items()}
    if isinstance(value, list):
        return [restored(one) for one in value]
    return {None: float("nan"), "inf": float("inf"), "-inf": float("-inf")}.get(value, value)


def _head(results: Mapping[str, Any]) -> str:
    filled = dict(_filled(results))
    missing = [row.title for row in ROWS if row.name not in filled]
    partial = f"\n\n**Partial**: not filled yet: {', '.join(missing)}." if missing else ""
    return f"""# Identification: likelihood, trees and networks on the same candidates

Made by `python benchmarks/identification/run.py`, {results["made"]}; {results["machine"]}. The same
command fills rows that are missing. Nothing here is data of an experiment, and the published numbers are of other
candidates: what can agree is the pattern.{partial}"""


def _summary(results: Mapping[str, Any]) -> str:
    """The page in three lines."""
    rows = dict(_filled(results))
    found = {name: _efficiency(list(row["runs"].values()), "published", factor=100) for name, row in rows.items()}
    told = [
        f"{title} {_pm(*found[name])} %" + (f" (published {PUBLISHED[name]:.2f})" if name in PUBLISHED else "")
        for name, title in SUMMARY.items()
        if name in found
    ]
    return f"**At 92 % of the signal this much background is left**: {'; '.join(told)}." if told else ""


def _samples(results: Mapping[str, Any]) -> str:
    told, counts = results["samples"], results["counts"]
    rows = [
        [f"{one['process']} ({one['generator']})"]
        + [f"{told['candidates'][part].get(_source(one), 0):,}".replace(",", " ") for part in ("train", "test")]
        for one in told["sources"]
    ]
    classes = ", ".join(f"{counts[name]} {name}" for name in CLASSES.values())
    shares = ", ".join(f"{100 * results['shares']['used'][str(key)]:.3g} % {name}" for key, name in CLASSES.items())
    cuts = ", ".join(f"`{cut}`" for cut in told["selection"])
    text = f"""## Samples

calotools {told["version"]}; simulation tables `{told["tables"][:16]}`, code `{told["code"][:16]}`, samples
`{told["digest"]}`; ⟨μ⟩ of the run-2 profile. Selection: {cuts}. Test: {counts["signal"]} prompt electrons; {classes}.

**Which background.** The built-in fakes, which take less time than Pythia's jets.{_jets(results)} The fakes come with
{_range(counts)} % of each class, so that each has statistics; in training and in the test they are weighed to fixed
shares, near those that jets have before any identification ({shares}; `SHARES` of `electron_samples.py`),
and in the test each class is given the E_T, |η| and ⟨μ⟩ of the signal, so that nothing is won with them.
Errors are of effective statistics."""
    few = [name for name in CLASSES.values() if counts[name] < WANTED]
    if few:
        text += f" Of {', '.join(few)} there are fewer than {WANTED} in this run; more of them: `--events`."
    return text + "\n\n" + _markdown(["candidates simulated", "training", "test"], rows)


def _source(one: Mapping[str, Any]) -> str:
    return one["process"] if one["generator"] == "builtin" else f"{one['process']}_{one['generator']}"


def _jets(results: Mapping[str, Any]) -> str:
    """What the fakes are checked with, if this run has it."""
    shares = results["shares"].get("dijets")
    if not shares:
        return ""
    told = ", ".join(f"{100 * value:.2g} ± {100 * error:.1g} % {name}" for name, (value, error) in shares.items())
    jets = results.get("jets")
    few = f", an effective number of {jets['effective']:.0f} of {jets['n']} selected" if jets else ""
    return f" Those check them (below); in this run's few{few} the shares are {told}."


def _range(counts: Mapping[str, int]) -> str:
    """From the rarest to the most frequent class of the background, in percent of it."""
    parts = sorted(100 * counts[name] / sum(counts[one] for one in CLASSES.values()) for name in CLASSES.values())
    return f"{parts[0]:.0f} to {parts[-1]:.0f}"


def _table(results: Mapping[str, Any]) -> str:
    header = ["", "sees", "seeds", "AUC", "background at 92 % signal [%]", "rejection at 93 %", "at 88 %", "at 80 %"]
    rows = []
    for row in results["rows"].values():
        runs = list(row["runs"].values())
        if not runs:
            continue
        area = _mean([run["numbers"]["auc"] for run in runs])
        cells = [row["title"], row["sees"], str(len(runs)), _pm(*area, digits=5)]
        cells.append(_pm(*_efficiency(runs, "published", factor=100), digits=3))
        cells += [_rejection(runs, name) for name in ("loose", "medium", "tight")]
        rows.append(cells)
    text = """## Table

Errors: statistics of the test candidates; with several seeds also the error of their mean, in quadrature."""
    return f"{text}\n\n{_markdown(header, rows)}"


def _by_class(results: Mapping[str, Any]) -> str:
    header = ["rejection at 93, 88, 80 % signal", *CLASSES.values()]
    rows = []
    for row in results["rows"].values():
        runs = list(row["runs"].values())
        if runs:
            cells = [
                ", ".join(_rejection(runs, point, of=name) for point in ("loose", "medium", "tight"))
                for name in CLASSES.values()
            ]
            rows.append([row["title"], *cells])
    return "## Against each class\n\n" + _markdown(header, rows)


def _training(results: Mapping[str, Any]) -> str:
    header = ["", "parameters", "minutes allowed", "epochs (best)", "one epoch [s]", "training [s]", "seeds"]
    rows = []
    for _, row in _filled(results):
        told = _first_run(row)["training"]
        if told:
            network = "epochs_done" in told
            cells = (
                [f"{told['minutes_allowed']:g}", f"{told['epochs_done']} ({told['best_epoch']})"]
                if network
                else ["–"] * 2
            )
            cells += [
                f"{told['epoch_cpu_s']:.0f}" if network else "–",
                f"{told['train_cpu_s']:.0f}",
                ", ".join(row["runs"]),
            ]
            rows.append([row["title"], str(told["parameters"]), *cells])
    text = """## Training

Times are of the processor. Networks train for as many epochs as a measurement of their speed says fit into the minutes
allowed (one-cycle learning rate, batches of 500, candidates seen in a mirror along η and φ half of the time, the best
epoch of the validation part). Parameters of trees are leaves, of the likelihood contents of bins; their settings are
those of a search with Optuna on a part of the sample."""
    networks = [
        row["title"]
        for _, row in _filled(results)
        if row["kind"] == "network" and _first_run(row)["training"]["minutes_allowed"] < MINUTES
    ]
    if networks:
        text += f" With fewer than {MINUTES} minutes these are not at their end: {', '.join(networks)}."
    return f"{text}\n\n{_markdown(header, rows)}"


def _pattern(results: Mapping[str, Any]) -> str:
    """Published against measured, said from the numbers."""
    lines = ["## The published pattern", ""]
    found = {name: _efficiency(list(row["runs"].values()), "published", factor=100) for name, row in _filled(results)}
    rows = [
        [title, f"{PUBLISHED[name]:.2f}", _pm(*found[name], digits=3) if name in found else "–"]
        for name, title in (
            ("likelihood", "likelihood"),
            ("product", "calorimeter × track trees"),
            ("trees_all", "one forest of both"),
        )
    ]
    lines.append(_markdown(["background at 92 % signal [%]", "published", "here"], rows))
    if "likelihood" in found and "trees_all" in found:
        theirs, ours = PUBLISHED["likelihood"] / PUBLISHED["trees_all"], found["likelihood"][0] / found["trees_all"][0]
        lines += ["", f"Likelihood over joint trees: published {theirs:.1f}, here {ours:.2f}."]
    if "product" in found and "trees_all" in found:
        order = found["product"][0] > found["trees_all"][0]
        published = PUBLISHED["product"] / PUBLISHED["trees_all"]
        lines.append(
            f"Joint trees {'leave less than' if order else 'do not leave less than'} the product, as published: "
            f"{'yes' if order else 'no'} (product over joint {found['product'][0] / found['trees_all'][0]:.2f}; "
            f"published {published:.2f})."
        )
    lines += _saturation(found) + _where(results)
    return "\n".join(lines)


def _saturation(found: Mapping[str, tuple[float, float]]) -> list[str]:
    names = [name for name in ("trees_18", "trees_22", "trees_26", "trees_29", "trees_all") if name in found]
    if len(names) < 3:
        return []
    steps = ", ".join(f"{name.partition('_')[2]}: {found[name][0]:.3f}" for name in names)
    if not {"trees_18", "trees_29", "trees_all"} <= set(names):
        return [f"Background with more variables: {steps}."]
    early = found["trees_18"][0] / found["trees_29"][0]
    late = found["trees_29"][0] / found["trees_all"][0]
    saturates = late < 1.05 and early > late
    return [
        f"Background with more variables: {steps}. From 18 to 29 it falls by a factor of {early:.2f}, beyond by "
        f"{late:.2f}: {'it saturates, as published' if saturates else 'no saturation at 26 to 29 is seen'}."
    ]


def _where(results: Mapping[str, Any]) -> list[str]:
    """Gain of the compact network over the likelihood, in the crack and forward against the barrel."""
    rows = dict(_filled(results))
    name = "compact" if "compact" in rows else "trees_all"
    compared = _over_likelihood(rows[name]) if name in rows else []
    if not compared:
        return []
    regions = {place: _of_seeds([one["regions"][place] for one in compared]) for place in REGIONS}
    gain = {place: (one["value"], one["error"]) for place, one in regions.items()}
    said = ", ".join(f"{place} {_above(gain[place], gain['barrel'])}" for place in ("crack", "forward"))
    values = ", ".join(f"{place} {_pm(*one)}" for place, one in gain.items())
    return [
        f"Rejection of {rows[name]['title']} over the likelihood's at 92 %: {values}.",
        f"Published: more of it in the crack and forward. Here: {said}.",
    ]


def _above(one: tuple[float, float], other: tuple[float, float]) -> str:
    """Whether one is above the other, as far as errors allow to say."""
    away = (one[0] - other[0]) / max(float(np.hypot(one[1], other[1])), 1e-9)
    return "yes" if away > 1 else "no" if away < -1 else "not told within the errors"


def _goals(results: Mapping[str, Any]) -> str:
    rows = dict(_filled(results))
    if "compact" not in rows:
        return ""
    over = [run["over"] for run in rows["compact"]["runs"].values() if "over" in run]
    lines = ["## Goals", ""]
    table = []
    overall = [one["likelihood"]["points"]["loose"] for one in over if "likelihood" in one]
    if overall:
        value, error = _mean([(one["value"], one["error"]) for one in overall])
        table.append(["compact over likelihood at 93 %", "≥ 3", _pm(value, error), _reached(value, error, 3)])
        bins = [one for one in _in_bins(rows["compact"]) if one["left"] > FEW_LEFT]
        told = [one for one in bins if np.isfinite(one["value"])]  # elsewhere the network leaves nothing
        if told:
            lowest = min(told, key=lambda one: one["value"])
            text = f"{_pm(lowest['value'], lowest['error'])} is the lowest of {len(bins)} bins"
            table.append(
                [
                    "the same in every (η, E_T) bin with more than 200 left",
                    "≥ 2",
                    text,
                    _reached(lowest["value"], lowest["error"], 2),
                ]
            )
    for name in sorted({key for one in over for key in one} - {"likelihood"}):
        value, error = _mean(
            [
                (one[name]["points"]["loose"]["value"], one[name]["points"]["loose"]["error"])
                for one in over
                if name in one
            ]
        )
        table.append(
            [f"compact over the best forest ({name})", "≥ 1.3", _pm(value, error), _reached(value, error, 1.3)]
        )
    return "\n".join([*lines, _markdown(["", "goal", "here", ""], table)])


def _bins(results: Mapping[str, Any]) -> str:
    rows = dict(_filled(results))
    if "compact" not in rows:
        return ""
    found, eta, et = _in_bins(rows["compact"]), BINS["abs_eta"], BINS["et"]
    if not found:
        return ""
    header = [
        "compact over likelihood at 93 % in each bin",
        *(f"E_T {a:g}–{b:g}" for a, b in pairwise(et)),
    ]
    table = []
    for row, (low, high) in enumerate(pairwise(eta)):
        cells = found[row * (len(et) - 1) : (row + 1) * (len(et) - 1)]
        table.append([f"|η| {low:g}–{high:g}", *(f"{_ratio(one)} ({one['left']})" for one in cells)])
    text = (
        "Means over the seeds. In brackets: candidates of the background that the likelihood leaves, unweighted. A "
        "limit (16 %) where in too many replicas of the sample the network leaves none, nothing where it leaves none "
        "at all."
    )
    return f"{_markdown(header, table)}\n\n{text}"


def _reweighting(results: Mapping[str, Any]) -> str:
    header = ["background", "candidates", "effective", "AUC of a classifier in E_T, |η|, ⟨μ⟩", "largest distance (KS)"]
    rows = [
        [
            name,
            str(one["n_source"]),
            f"{one['effective_source']:.0f}",
            _pm(one["auc"], one["auc_error"], digits=4),
            f"{max(one['ks']):.4f}",
        ]
        for name, one in results["reweighting"].items()
    ]
    return "## Kinematics of the test background against the signal's\n\n" + _markdown(header, rows)


def _check(results: Mapping[str, Any]) -> str:
    """Pythia's jets beside the built-in fakes."""
    rows = []
    for name, row in _filled(results):
        found = _first(row)["check"]
        if name in ("likelihood", "trees_all", "compact") and any("dijets" in one for one in found.values()):
            cells = [_compared(found.get(one, {})) for one in CLASSES.values()]
            rows.append([row["title"], *cells])
    if not rows:
        return ""
    text = """## Pythia's jets beside the built-in fakes

Part [%] that passes the cut for 92 % of the signal, fakes / jets; each in its own kinematics, jets with their
weights."""
    return f"{text}\n\n{_markdown(['', *CLASSES.values()], rows)}"


def _compared(one: Mapping[str, Sequence[float]]) -> str:
    parts = []
    for source in ("fakes", "dijets"):
        if source in one:
            value, low, high = (100 * number for number in one[source][:3])
            parts.append(f"{value:.2f} (+{high - value:.2f} −{value - low:.2f})")
        else:
            parts.append("–")
    return " / ".join(parts)


def _figures(results: Mapping[str, Any]) -> str:
    lines = [f"![{CAPTIONS[name]}](figures/{name}.png)\n\n{CAPTIONS[name]}" for name in results.get("figures", [])]
    return "\n\n".join(["## Figures", "Of each row the first seed.", *lines]) if lines else ""


def _filled(results: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, row) for name, row in results["rows"].items() if row["runs"]]


def _first_run(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return row["runs"][min(row["runs"], key=int)]


def _first(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return _first_run(row)["numbers"]


def _over_likelihood(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What each seed of a row is over the likelihood, where that was measured."""
    runs = [row["runs"][seed].get("over", {}) for seed in sorted(row["runs"], key=int)]
    return [over["likelihood"] for over in runs if "likelihood" in over]


def _in_bins(row: Mapping[str, Any]) -> list[dict[str, float]]:
    """Rejection over the likelihood's in each bin of (|η|, E_T), over all seeds."""
    return [_of_seeds(some) for some in zip(*(one["bins"] for one in _over_likelihood(row)), strict=True)]


def _of_seeds(ratios: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of a ratio over seeds: a limit where it is one for any, NaN where it is for all."""
    told = [one for one in ratios if np.isfinite(one["value"])]
    if not told:
        return dict(ratios[0])
    value, error = _mean([(one["value"], one["error"]) for one in told])
    low, high = (float(np.mean([one[end] for one in told])) for end in ("low", "high"))
    return dict(told[0]) | {"value": value, "error": error, "low": low, "high": high}


def _mean(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Mean over seeds. The test candidates are the same: their error stays, that of the mean over seeds is added."""
    numbers = np.array([one[0] for one in values], float)
    error = float(np.mean([one[1] for one in values]))
    spread = float(numbers.std(ddof=1) / np.sqrt(len(numbers))) if len(numbers) > 1 else 0.0
    return float(numbers.mean()), float(np.hypot(error, spread))


def _efficiency(
    runs: Sequence[Mapping[str, Any]], point: str, *, of: str = "", factor: float = 1
) -> tuple[float, float]:
    points = [run["numbers"]["classes"][of][point] if of else run["numbers"]["points"][point] for run in runs]
    value, error = _mean([(one[0], 0.5 * (one[2] - one[1])) for one in points])
    return factor * value, factor * error


def _rejection(runs: Sequence[Mapping[str, Any]], point: str, *, of: str = "") -> str:
    """One over the background efficiency; its lower limit (68 %) where hardly anything is left."""
    value, error = _efficiency(runs, point, of=of)
    if value <= FEW_ERRORS * error:
        points = [run["numbers"]["classes"][of][point] if of else run["numbers"]["points"][point] for run in runs]
        return f"> {float(f'{1 / float(np.mean([one[2] for one in points])):.2g}'):g}"
    return _pm(1 / value, error / value**2)


def _ratio(one: Mapping[str, float]) -> str:
    """A ratio, or its lower limit where there is no upper one."""
    limit = np.isfinite(one["value"]) and not np.isfinite(one["high"])
    return f"> {one['low']:.1f}" if limit else _pm(one["value"], one["error"])


def _pm(value: float, error: float, *, digits: int = 0) -> str:
    """Number and error with two digits of the error, or `digits` after the point at least."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "–"
    if not np.isfinite(error) or error <= 0:
        return f"{value:.{max(digits, 2)}f}"
    places = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{places}f} ± {error:.{places}f}"


def _reached(value: float, error: float, goal: float) -> str:
    """Whether a goal is reached, and by more than the error."""
    if value < goal:
        return "**not reached**"
    return "reached" if value - error >= goal else "reached, by less than the error"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(one.replace("|", "&#124;") for one in line) + " |" for line in lines)


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    (place / "RESULTS.md").write_text(as_markdown(json.loads((place / "RESULTS.json").read_text())), encoding="utf-8")
