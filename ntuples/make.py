"""Make the shipped samples again, and the README that documents them.

python ntuples/make.py
"""

from __future__ import annotations

from pathlib import Path

from calotools.ntuple import canonical_fields
from calotools.recipe import SimulateConfig
from calotools.simulate import simulate

HERE = Path(__file__).parent
SEED = 20260101
SAMPLES = {
    "zee": {"process": "zee", "n": 150},
    "zee_pseudo_data": {"process": "zee", "n": 60, "pseudo_data": True},
    "hyy": {"process": "hyy", "n": 60},
    "electrons": {"process": "electrons", "n": 250},
    "photons": {"process": "photons", "n": 90},
    "fakes": {"process": "fakes", "n": 250},
}
GROUPS = {
    "event": "Event",
    "candidate": "Candidate",
    "candidate.shapes": "Shower shapes and isolation",
    "candidate.track": "Matched track",
    "candidate.flags": "Identification",
    "cells": "Cells (jagged)",
    "tracks": "Tracks (jagged)",
    "truth": "Truth (simulation only)",
}
INTRODUCTION = """# Samples and the native ntuple

Small samples made by calotools' own simulation (not by an experiment), so that tests and the quickstart need no
generation. `python ntuples/make.py` makes them and this page again: same seed, same candidates. Everyone may use them
under the licence of calotools.

One row per candidate, in tree `electrons` or `photons`; a TTree or an RNTuple with the same branch names. Units in the
file are those of the table (MeV, mm, ns, rad, as xAOD); inside calotools energies are GeV. A missing value is NaN.
Run, event and candidate number identify a row; the run number of simulation holds process and seed, channel numbers
999xxx are calotools', and data have channel 0.
"""


def command(name: str) -> str:
    settings = SAMPLES[name]
    pseudo = " --pseudo-data" if settings.get("pseudo_data") else ""
    return f"calotools simulate {settings['process']} -n {settings['n']} --seed {SEED}{pseudo} -o ntuples/{name}.root"


def readme() -> str:
    """The page, made from the schema."""
    lines = [INTRODUCTION, "| file | made by |", "| --- | --- |"]
    lines += [f"| `{name}.root` | `{command(name)}` |" for name in SAMPLES]
    lines += ["", "`zee_pseudo_data.injected.toml` says what was injected into the pseudo-data, and what came of it."]
    for group, title in GROUPS.items():
        lines += ["", f"## {title}", "", "| branch | canonical name | type | unit | meaning |"]
        lines.append("| --- | --- | --- | --- | --- |")
        for name, field in canonical_fields().items():
            if field.group == group:
                meaning = field.meaning.replace("|", "\\|")
                lines.append(f"| `{field.branch}` | `{name}` | {field.type} | {field.unit} | {meaning} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    for name, settings in SAMPLES.items():
        simulate(SimulateConfig(**settings, seed=SEED, output=HERE / f"{name}.root", overwrite=True))
    (HERE / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
