"""RESULTS.md from RESULTS.json alone: the table, where the gain is, goals, published ordering, ceiling, honesty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pictures
from claims import (
    CLAIMS,
    LEARNING,
    against_trees_of_all,
    end_bin,
    gain,
    learnt,
    slope,
    somewhere_worse,
    verdict,
    worst_bin,
)
from seeds import each_seed, honesty_of, numbers_of, over_seeds
from table_rows import REFERENCE, REGIONS, ROWS

Numbers = Mapping[str, Any]
HEAD = (
    "row", "published", "rIQR [%]", "rIQR over trees of all scalars [%]", "IQR [%]", "σ68 [%]", "MAE [GeV]",
    "parameters", "learnt from", "epochs", "minutes (processor)", "learnt / s", "applied / s", "seeds",
)  # fmt: skip
DERIVED = {
    "layer_sum": "calibrated layer sum",
    "tree_smeared": "the trees, smeared as our pseudo-data are against the simulation",
    "layer_sum_photons": "calibrated layer sum",
    "tree_smeared_photons": "the trees, smeared as our pseudo-data are against the simulation",
}
PUBLISHED_DERIVED = {"tree_smeared": "−2.0 %"}
PUBLISHED_PHOTONS = {
    "all": (23.6, 17.7, 27.5),
    "unconverted": (25.4, 20.7, 31.0),
    "converted": (9.7, 11.1, 18.4),
}
GOALS = (
    *(("electrons", name, None, 0.20) for name in ("compact", "ensemble")),
    *(("unconverted photons", name, "unconverted", 0.30) for name in ("compact_photons", "ensemble_photons")),
    *(("converted photons", name, "converted", 0.20) for name in ("compact_photons", "ensemble_photons")),
)


def write(numbers: Numbers, home: Path) -> None:
    """The page and its figures."""
    stored, numbers = numbers, _current(numbers)
    if not numbers["rows"]:
        return
    made = pictures.draw(numbers["rows"], home / "figures")
    sections = [
        _intro(numbers),
        _table("Electrons", "electrons", numbers),
        _table("Photons", "photons", numbers),
        _photons(numbers),
        _dependence(numbers, made),
        _goals(numbers),
        _learning(numbers),
        _older(stored, numbers),
        _ordering(numbers),
        _ceiling(numbers),
        _honesty(numbers, made),
        _remarks(numbers),
    ]
    text = "\n\n".join(one for one in sections if one)
    (home / "RESULTS.md").write_text(text + "\n", encoding="utf-8")


def _current(numbers: Numbers) -> Numbers:
    """The rows that were filled with the simulation and sizes of their particle's trees."""
    keys = _keys(numbers["rows"])
    rows = {name: row for name, row in numbers["rows"].items() if row["key"] == keys.get(_particle(name))}
    pairs = {
        name: one for name, one in numbers["comparisons"].items() if one["key"] == keys.get(_particle(name.split()[0]))
    }
    return {**numbers, "rows": rows, "comparisons": pairs}


def _keys(rows: Numbers) -> dict[str, Any]:
    """What the trees of each particle were filled with."""
    return {one: rows[f"{name}/1"]["key"] for one, name in REFERENCE.items() if f"{name}/1" in rows}


def _particle(name: str) -> str:
    return "photons" if name.rsplit("/", 1)[0].endswith("_photons") else "electrons"


def _intro(numbers: Numbers) -> str:
    rows, facts = numbers["rows"], numbers.get("simulation", {})
    sizes = "; ".join(f"{one} {key['train']}, {key['test']}" for one, key in _keys(rows).items())
    missing = [name for name in ROWS if f"{name}/1" not in rows]
    lines = [
        "# Energy of electrons and photons: trees, the published networks, and ours",
        "",
        "Made by `python benchmarks/energy/run.py` from simulated candidates, E_T 10–300 GeV flat in its logarithm, "
        "|η| < 2.47, pile-up of run 2 (⟨μ⟩ ≈ 34). Every row sees the same test candidates, which nothing was trained "
        "or stopped on. rIQR = 1 − IQR / IQR(trees), IQR of E/E_true − 1; errors are those of a bootstrap over events "
        "of the ratio itself. Of a row with several seeds everything is the mean, with the error of the mean over "
        "seeds in its own where nothing else is said. A seed is that of split, search, initialisation and order; each "
        "is compared with the same seed of the other row, or with its first where that has fewer.",
        "",
        "Simulation: calotools " + ", ".join(f"{name} {value}" for name, value in facts.items()) + ".",
        f"Generated to learn from (a tenth of which stops and calibrates) and to test on: {sizes}; half of each for "
        "the ceiling.",
    ]
    if missing:
        lines += ["", f"**Partial**: not filled yet: {', '.join(missing)}."]
    return "\n".join(lines)


def _table(title: str, particle: str, numbers: Numbers) -> str:
    rows = numbers["rows"]
    suffix = "" if particle == "electrons" else "_photons"
    names = [f"layer_sum{suffix}", f"tree_smeared{suffix}"]
    names += [name for name, row in ROWS.items() if row.particle == particle]
    lines = [_line(name, each_seed(rows, name), numbers["comparisons"]) for name in names if each_seed(rows, name)]
    if not lines:
        return ""
    notes = [
        "σ68 is half of the shortest interval with 68.27 % of E/E_true. Minutes of training: by the clock, on a "
        "machine that others used too, and in brackets of processor time; rates of learning are by the clock, "
        "of applying by processor time. With several seeds: mean, and their standard deviation in brackets; epochs of "
        "each (as many as fitted in), minutes and rates of the first.",
    ]
    return "\n".join([f"## {title}", "", *_markdown(HEAD, lines), "", *notes])


def _line(name: str, seeds: list[Numbers], comparisons: Numbers) -> tuple[str, ...]:
    row, first = ROWS.get(name), seeds[0]
    cost = first["cost"]
    title = row.title if row else DERIVED[name]
    published = row.published if row else PUBLISHED_DERIVED.get(name, "")
    other = comparisons.get(against_trees_of_all(name)) if row else None
    one = first["numbers"]["inclusive"]
    inclusive = [seed["numbers"]["inclusive"] for seed in seeds]

    def mean(metric: str, scale: float, digits: int) -> str:
        if metric not in one.metrics:
            return "–"
        values = [scale * float(part.metrics[metric][0]) for part in inclusive]
        spread = f" [{np.std(values, ddof=1):.{digits}f}]" if len(values) > 1 else ""
        return f"{np.mean(values):.{digits}f} ± {scale * float(one.errors[metric][0]):.{digits}f}{spread}"

    reference = name in REFERENCE.values()
    return (
        title,
        published or "–",
        "0 (reference)" if reference else mean("rel_improvement", 100, 1),
        f"{100 * other['value']:.1f} ± {100 * other['error']:.1f}" if other else "–",
        mean("iqr", 100, 3),
        mean("sigma68", 100, 3),
        mean("mae", 1, 3),
        f"{cost['parameters']:,}" if cost.get("parameters") else "–",
        f"{cost['n_train']:,}" if cost else "–",
        ", ".join(f"{seed['cost']['epochs']:.0f}" for seed in seeds) if cost.get("epochs") else "–",
        _minutes(cost) if cost else "–",
        f"{cost['candidates_per_s']:.0f}" if cost.get("candidates_per_s") else "–",
        f"{cost['apply_per_s']:.0f}" if cost else "–",
        ", ".join(str(seed["seed"]) for seed in seeds),
    )


def _markdown(head: Iterable[str], lines: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(line)} |" for line in lines),
    ]


def _percent(found: tuple[float, float] | None) -> str:
    return "–" if found is None else f"{100 * found[0]:.1f} ± {100 * found[1]:.1f}"


def _photons(numbers: Numbers) -> str:
    rows, lines = numbers["rows"], []
    for kind, values in PUBLISHED_PHOTONS.items():
        lines.append((f"published cnn(i), 19.9 M, {kind}", "–", *(f"{value:.1f}" for value in values)))
    for name, row in ROWS.items():
        found = numbers_of(rows, name)
        if row.particle != "photons" or found is None or name in REFERENCE.values() or row.kind != "full":
            continue
        for kind in PUBLISHED_PHOTONS:
            one = _of_class(found, None if kind == "all" else kind)
            regions = (_percent(gain(one["regions"][region])) for region in REGIONS)
            lines.append((f"{row.title}, {kind}", _percent(gain(one["inclusive"])), *regions))
    if len(lines) == len(PUBLISHED_PHOTONS):
        return ""
    head = ("rIQR over the trees [%]", "all η", *(f"{name}" for name in REGIONS))
    text = "Regions: barrel |η| < 1.3, crack 1.3–1.6, endcap beyond. Classes are those of the reconstruction."
    return "\n".join(["## Photons by region and conversion", "", *_markdown(head, lines), "", text])


def _dependence(numbers: Numbers, made: list[str]) -> str:
    rows, lines = numbers["rows"], []
    classes = ("unconverted", "converted")
    ours = {"compact": (None,), "ensemble": (None,), "compact_photons": classes, "ensemble_photons": classes}
    for name, kinds in ours.items():
        found = numbers_of(rows, name)
        for kind in kinds if found else ():
            one = _of_class(found, kind)
            binned = one["binned"]
            slopes = [slope(_of_class(row["numbers"], kind)["binned"]["mu"], "mu") for row in each_seed(rows, name)]
            steep, error = over_seeds(*zip(*slopes, strict=True))  # a seed's offset, the same in all bins, is no slope
            place, value, spread = worst_bin(binned["abs_eta"], "abs_eta")
            lines.append(
                (
                    f"{ROWS[name].title}, {kind or ROWS[name].particle}",
                    f"{1000 * steep:.2f} ± {1000 * error:.2f}",
                    _trend(steep, error),
                    f"{100 * value:.1f} ± {100 * spread:.1f} (\\|η\\| {place})",
                    "**yes**" if somewhere_worse(binned["abs_eta"]) else "no",
                    *(_percent(end_bin(binned["et_true"], number)) for number in (0, -1)),
                )
            )
    if not lines:
        return ""
    head = ("row", "slope of the gain [% per 10 ⟨μ⟩]", "with ⟨μ⟩ it", "smallest gain [%]",
        "in a bin of η worse than trees by 2 σ", "gain at 10–15 GeV [%]", "at 200–300 GeV [%]",
    )  # fmt: skip
    shown = [f"![{name}](figures/{name}.png)" for name in made if name.startswith(("gain", "iqr"))]
    return "\n".join(["## Where the gain is", "", *_markdown(head, lines), "", *shown])


def _trend(steep: float, error: float) -> str:
    if abs(steep) < 2 * error:
        return "no change seen"
    return "grows, as published" if steep > 0 else "**falls**, unlike the published one"


def _goals(numbers: Numbers) -> str:
    lines = []
    for what, name, kind, goal in GOALS:
        found = numbers_of(numbers["rows"], name)
        reached = gain(_of_class(found, kind)["inclusive"]) if found else None
        if reached is None:
            continue
        value, error = reached
        short = "missed by less than its error" if value + error >= goal else f"{100 * value / goal:.0f} % of it"
        said = "reached" if value >= goal else f"**not reached**: {short}"
        lines.append((what, ROWS[name].title, f"≥ {100 * goal:.0f} %", _percent((value, error)), said))
    if not lines:
        return ""
    head = ("candidates", "row", "goal", "rIQR over the trees [%]", "")
    return "\n".join(["## Goals", "", *_markdown(head, lines)])


def _learning(numbers: Numbers) -> str:
    """The compact network from samples of several sizes."""
    lines = []
    for name in LEARNING:
        stored = numbers.get("other_sizes", {}).items()
        found = [one for key, one in stored if key.rsplit("/", 1)[0] == name]
        found += [learnt(row) for row in each_seed(numbers["rows"], name)[:1]]
        for one in sorted(found, key=lambda one: float(one["cost"]["n_train"])) if len(found) > 1 else ():
            cost = one["cost"]
            told = PUBLISHED_PHOTONS if ROWS[name].particle == "photons" else ("all",)
            gains = (_percent(one["gains"].get(kind) if kind in told else None) for kind in PUBLISHED_PHOTONS)
            size = f"{cost['n_train']:,.0f}", f"{cost['parameters']:,.0f}", f"{cost['epochs']:.0f}"
            lines.append((f"{ROWS[name].title}, {ROWS[name].particle}", *size, _minutes(cost), *gains))
    if not lines:
        return ""
    head = ("row", "learnt from", "parameters", "epochs", "minutes (processor)")
    head += tuple(f"rIQR [%], {kind}" for kind in PUBLISHED_PHOTONS)
    text = "Each over the trees that learnt from the same candidates; seed 1."
    return "\n".join(["## More to learn from", "", *_markdown(head, lines), "", text])


def _older(stored: Numbers, current: Numbers) -> str:
    """Rows that were filled with another number of candidates to learn from, and not since."""
    rows = {
        key: row
        for key, row in stored["rows"].items()
        if (now := _keys(stored["rows"]).get(_particle(key)))
        and row["key"] == now | {"train": row["key"]["train"]} != now
        and not each_seed(current["rows"], key.rsplit("/", 1)[0])
    }
    names = [name for name in ROWS if each_seed(rows, name)]
    if not names:
        return ""
    lines = [_line(name, each_seed(rows, name), {}) for name in names]
    text = "The same test candidates; each over trees that learnt from as many. They are in no other section."
    return "\n".join(["## Rows that learnt from another number of candidates", "", *_markdown(HEAD, lines), "", text])


def _ordering(numbers: Numbers) -> str:
    lines = []
    for claim in CLAIMS:
        found = numbers["comparisons"].get(claim.key)
        said = f"{100 * found['value']:.1f} ± {100 * found['error']:.1f}" if found else "–"
        as_good = "as good as" in claim.text
        lines.append((claim.text, claim.published, said, verdict(found, as_good=as_good)))
    lines += _photon_claims(numbers["rows"])
    head = ("statement", "published", "1 − IQR/IQR of the other, here [%]", "here it")
    text = (
        "Both rows on the same candidates; a statement holds from two standard deviations. It is one of networks after "
        "the epochs above, of which the published ones had few: where one of them is behind, that may be its training "
        "and not its inputs."
    )
    return "\n".join(["## The published ordering", "", *_markdown(head, lines), "", text])


def _minutes(cost: Mapping[str, Any]) -> str:
    """By the clock, and of the processor where that is known of the whole training."""
    cpu = f" ({cost['cpu_seconds'] / 60:.1f})" if "cpu_seconds" in cost else ""
    return f"{cost['seconds'] / 60:.1f}{cpu}"


def _photon_claims(rows: Numbers) -> list[tuple[str, str, str, str]]:
    found = numbers_of(rows, "compact_photons")
    if found is None:
        return []
    one, other = (gain(found["conversion"][kind]["inclusive"]) for kind in ("unconverted", "converted"))
    if one is None or other is None:
        return []
    value, error = one[0] - other[0], float(np.hypot(one[1], other[1]))
    said = verdict({"value": value, "error": error})
    text = "the gain is larger for unconverted than for converted photons (difference of gains, compact)"
    return [(text, "30 % against 20 %", _percent((value, error)), said)]


def _ceiling(numbers: Numbers) -> str:
    rows, lines = numbers["rows"], []
    for particle, name, clean in (
        ("electrons", "compact", "compact_clean"),
        ("photons", "compact_photons", "compact_clean_photons"),
    ):
        three = [numbers_of(rows, one) for one in (REFERENCE[particle], name, clean)]
        if any(one is None for one in three):
            continue
        for kind in (None, *(("unconverted", "converted") if particle == "photons" else ())):
            trees, here, best = (_of_class(one, kind)["inclusive"] for one in three)
            own = gain(here)
            if own is not None and best is not None:
                lines.append((f"{kind} {particle}" if kind else particle, *_limit(trees, best, own)))
    if not lines:
        return ""
    head = ("candidates", "IQR without noise and pile-up [%]", "largest gain [%]", "gain reached [%]", "fraction of it")
    text = (
        "The compact network, trained and tested on candidates whose cells have neither electronic noise nor pile-up: "
        "what is left is the shower itself, material and sampling. No network that sees the full detector can get "
        "there, since what pile-up and noise do to a candidate is known from its cells in part only. It learnt from "
        "half as many candidates, so that with more the ceiling may be somewhat higher."
    )
    return "\n".join(["## Ceiling", "", *_markdown(head, lines), "", text])


def _of_class(found: Numbers, kind: str | None) -> Numbers:
    """What was measured of a row's candidates of one class, or of all."""
    return found["conversion"][kind] if kind else found  # type: ignore[no-any-return]


def _limit(trees: Any, best: Any, own: tuple[float, float]) -> tuple[str, str, str, str]:
    """Width without noise and pile-up, the gain that this would be, the gain that there is, and its share."""
    (reference, e_reference), (width, e_width) = (
        (float(one.metrics["iqr"][0]), float(one.errors["iqr"][0])) for one in (trees, best)
    )
    limit = 1 - width / reference
    e_limit = width / reference * float(np.hypot(e_width / width, e_reference / reference))
    share, e_share = own[0] / limit, float(np.hypot(own[1], own[0] * e_limit / limit)) / limit
    cells = _percent((limit, e_limit)), _percent(own), f"{100 * share:.0f} ± {100 * e_share:.0f} %"
    return (f"{100 * width:.3f} ± {100 * e_width:.3f}", *cells)


def _honesty(numbers: Numbers, made: list[str]) -> str:
    found = honesty_of(numbers["rows"])
    if found is None:
        return ""
    one = found["inclusive"]
    names = {
        "coverage68": ("within σ [%]", 100, 68.27),
        "coverage95": ("within 2σ [%]", 100, 95.45),
        "pull_median": ("median of the pull", 1, 0.0),
        "pull_width": ("IQR/1.349 of the pull", 1, 1.0),
    }
    lines = [
        (what, f"{honest:g}", f"{scale * float(one.metrics[key][0]):.3f} ± {scale * float(one.errors[key][0]):.3f}")
        for key, (what, scale, honest) in names.items()
    ]
    worst = []
    for axis, binned in found["binned"].items():
        values = np.asarray(binned.metrics["coverage68"], float)
        worst.append(f"{100 * np.nanmin(values):.1f} to {100 * np.nanmax(values):.1f} % in bins of {axis}")
    shown = [f"![{name}](figures/{name}.png)" for name in made if name.startswith("sigma")]
    text = "Within σ: " + ", ".join(worst) + "."
    head = ("", "honest", "here")
    return "\n".join(["## How honest σ is", "", *_markdown(head, lines), "", text, "", *shown])


def _remarks(numbers: Numbers) -> str:
    rows = numbers["rows"].values()
    networks = [one for one in rows if one["cost"].get("epochs")]
    threads = sorted({one["threads"] for one in rows if "threads" in one})
    lines = ["## How it was measured", ""]
    if networks:
        minutes = sorted({f"{one['minutes']:g}" for one in networks}, key=float)
        lines.append(
            f"- Networks were given about {' or '.join(minutes)} minutes on {' or '.join(map(str, threads))} "
            "thread(s), not until they stop improving: the number of epochs is what fitted in, with one cycle of the "
            "learning rate, and differs between rows: compare them with that in mind. Published networks had up to 300 "
            "epochs of millions of candidates; longer runs "
            "(`--minutes 45 --threads 2 --again`) will improve them, the large ones most. All see their training "
            "candidates in a mirror along η and φ half of the time (`trainer.mirror`); the published ones did not."
        )
    lines += [
        "- The published networks have their published sizes and inputs, in the optimiser's batches of 128 instead of "
        "1024 so that short trainings take enough steps. Which nine and twelve variables LGBM had, which four of each "
        "track, and the form of the time gate are our choices.",
        "- The trees have every input of the experiment's calibration, the same training candidates and a search of "
        "their own (settings, and whether one forest or one in each bin of |η| and E_T; on a part of the candidates, "
        "judged by the validation part); the minutes in the table are those of the final training.",
        "- Smeared trees have the further spread of our pseudo-data, 0.7 to 2.5 % by |η|, beside an IQR/1.349 of 1.6 "
        "%; the spread behind the published −2.0 % is not known.",
        "- Published numbers are those of real detector simulation, other samples and other candidates: to be compared "
        "in order and trend, not in size.",
    ]
    return "\n".join(lines)
