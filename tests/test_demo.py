"""What `make demo` has to show: read from its outputs, and skipped where it was not run."""

import json
import re
from pathlib import Path

import pytest

from calotools.recipe import read_toml

DEMO = Path(__file__).parents[1] / "demo"


def headline(stage):
    path = DEMO / stage / "numbers.json"
    if not path.exists():
        pytest.skip(f"{path} is not there: run make demo first")
    lines = json.loads(path.read_text(encoding="utf-8"))["headline"]
    return {line["name"]: (line["value"], line["error"]) for line in lines}


def test_identification_beats_the_cuts():
    found = headline("evaluate_identification")
    assert found["AUC"][0] > 0.95
    for flag in ("pass_loose", "pass_medium", "pass_tight"):
        value, error = found[f"rejection over cut-based {flag}"]
        assert value - error > 1


def test_the_recipes_of_the_demo_are_there_and_write_apart():
    """Each of another folder than the others, whatever `-o` says: one of them run by hand replaces no other's."""
    recipes = DEMO.parent / "examples" / "recipes"
    used = re.findall(r"train \$\(R\)/(\w+)\.toml", (recipes.parent / "demo.mk").read_text(encoding="utf-8"))
    assert used == ["identification_compact", "electron_energy", "photon_energy"]
    models = {name: read_toml(recipes / f"{name}.toml")["model"]["name"] for name in used}
    assert models["identification_compact"] == "electron_compact"
    outputs = [str(read_toml(path).get("output", path.name)) for path in sorted(recipes.glob("identification*.toml"))]
    assert len(set(outputs)) == len(outputs)
    assert "demo/identification" not in outputs


@pytest.mark.parametrize("kind", ["electron", "photon"])
def test_energy_beats_the_layer_sum(kind):
    value, error = headline(f"evaluate_{kind}_energy")["relative improvement of the IQR"]
    assert value > 2 * error > 0


@pytest.mark.parametrize("pair", ["electron", "photon"])
def test_peak_is_not_wider(pair):
    value, error = headline(f"{pair}_peak")["width ratio, network over layer sum"]
    assert value < 1 + error


def test_z_is_where_it_should_be():
    for name, (value, _) in headline("electron_peak").items():
        if name.startswith("peak position"):
            assert value == pytest.approx(91.2, abs=0.5)


def test_tag_and_probe_closes():
    found = headline("tagprobe")
    for name in ("efficiency", "scale factor"):
        assert found[f"closure of the {name}, χ²/ndf"][0] < 2
