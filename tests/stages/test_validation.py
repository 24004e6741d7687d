"""The validation: its parts on small samples, its page, and the comparison with a known other sample."""

import json
import os
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from calotools.containers import Check
from calotools.detector import resolution_terms
from calotools.errors import ConfigError, OutputExistsError
from calotools.recipe import ValidateConfig
from calotools.stages import validate_simulation
from calotools.stages.validation.electronics import measure_pulse
from calotools.stages.validation.gun import hottest_middle, shapes_of, shoot
from calotools.stages.validation.page import write_page
from calotools.stages.validation.resolution import REGIONS, Points, constant_reach, measure_energy
from calotools.stages.validation.section import Section, near, quoted, within
from calotools.stages.validation.shapes import measure_pions
from calotools.stages.validation.showers import read_showers, simulate_showers

ROOT = Path(__file__).parents[2]
FLAVOUR = ROOT / "examples/flavours/geant4_showers.toml"
STACK = ROOT / "tests/simulate/flat.toml"


def config(tmp_path, **values):
    return ValidateConfig(output=tmp_path / "out", n=2000, **values)


def verdicts(section, start):
    found = {one.name: one for one in section.checks if one.name.startswith(start)}
    assert found, f"no check begins with '{start}'"
    return found


def published(n, *, seed, scale=1.0, shift=0.0):
    """Toy candidates whose energy has exactly the published resolution."""
    rng = np.random.default_rng(seed)
    eta = rng.uniform(-2.47, 2.47, n)
    e = 10 * 30 ** rng.random(n) * np.cosh(eta)
    a, b, c = resolution_terms(eta)
    sigma = scale * np.sqrt(a**2 / e + (b / e) ** 2 + c**2)
    measured = e * (1 + shift + sigma * rng.normal(size=n))
    columns = {"e": measured, "e_true": e, "eta_true": eta, "et": measured / np.cosh(eta), "eta_s2": eta}
    return columns | {"conversion_type": np.zeros(n), "e_over_p": rng.normal(1.01, 0.03, n)}


def test_the_published_resolution_is_recognised(tmp_path):
    toys = {"electrons": published(60_000, seed=1), "photons": published(60_000, seed=2)}
    section = measure_energy(toys, config(tmp_path))
    widths, largest = verdicts(section, "σ/E over published"), verdicts(section, "largest median")
    assert len(widths) == 2 * 3 * len(REGIONS)
    assert {one.verdict for one in widths.values()} == {"pass"}
    pulls = np.array([(one.value - 1) / one.error for one in widths.values()])
    assert abs(pulls.mean()) < 0.6
    assert 0.6 < pulls.std() < 1.4
    assert sum(one.verdict == "pass" for one in largest.values()) >= 9


def test_a_wrong_resolution_and_scale_fail(tmp_path):
    toys = {"electrons": published(40_000, seed=1, scale=1.4), "photons": published(40_000, seed=2, shift=0.03)}
    section = measure_energy(toys, config(tmp_path))
    assert {one.verdict for one in verdicts(section, "σ/E over published, electrons").values()} == {"fail"}
    assert {one.verdict for one in verdicts(section, "largest median of E/E_true − 1, photons").values()} == {"fail"}


def test_pulse_sums(tmp_path):
    assert {one.verdict for one in measure_pulse(config(tmp_path)).checks} == {"pass"}


def test_hottest_cell_is_the_hottest():
    shot = shoot(11, 30.0, eta=np.linspace(-2.3, 2.3, 40), rng=np.random.default_rng(1))
    for i, row in enumerate(hottest_middle(shot)):
        own = slice(shot.offsets[i], shot.offsets[i + 1])
        middle = np.isin(shot.sampling[own], (2, 6))
        assert shot.e[row] == shot.e[own][middle].max()


def test_layer_fractions_add_up():
    shapes = shapes_of(shoot(11, 40.0, eta=np.full(50, 0.3), rng=np.random.default_rng(2)))
    assert shapes["f0"] + shapes["f1"] + shapes["f2"] + shapes["f3"] == pytest.approx(np.ones(50), abs=1e-5)


def test_pions_look_wider_than_photons(tmp_path):
    section = measure_pions(config(tmp_path))
    assert all(one.value > 0.5 for one in verdicts(section, "AUC of eratio").values())
    rejections = [one.value for one in verdicts(section, "π⁰ rejection").values()]
    assert rejections[0] > rejections[1] > 1.0, "the photons of a harder pion are closer together"


def test_page_says_what_failed(tmp_path):
    checks = (
        near("width | one", quoted_value(1.5, 0.1), 1.0, relative=0.2, unit="GeV", source="a table"),
        within("six", quoted_value(1.1, 0.2), 0.0, 1.0),
        within("two", quoted_value(0.5, 0.1), 0.0, 1.0),
        quoted("three", quoted_value(7.0, 1.0)),
        Check("four", float("nan"), float("nan"), 0.0, 1.0),
    )
    page = write_page([Section("Part", "How.", checks, {}, {})], command="calotools validate-simulation -o DIR")
    assert "| Part | 1 | 1 | 2 | 1 |" in page
    row = "| width \\| one | 1.50 ± 0.10 GeV | 0.8 to 1.2 | 1 (a table) | **fail**, outside by 3.0 errors |"
    assert row in page
    assert "| six | 1.10 ± 0.20 | 0 to 1 |  | open, outside by 0.5 errors |" in page
    assert "| four | — | 0 to 1 |  | not measured |" in page
    first = page.index("## Part")
    assert page.index("width", first) < page.index("six") < page.index("All 5 numbers")


def test_page_begins_with_what_to_trust_and_what_not():
    bad = [within(f"number {k}", quoted_value(2.0 + k, 0.1), 0.0, 1.0) for k in range(8)]
    good = (within("inside", quoted_value(0.5, 0.1), 0.0, 1.0), within("near", quoted_value(1.1, 0.2), 0.0, 1.0))
    sections = [Section("Bad", "How.", (*bad, *good)), Section("Good", "How.", good), Section("Said", "How.", ())]
    page = write_page(sections, command="calotools validate-simulation -o DIR")
    words = page[: page.index("Made by one command")]
    assert "Good (1 of 2 numbers inside). No number there is outside its range by two errors." in words
    worst = "; ".join(f"number {k}" for k in (7, 6, 5, 4, 3, 2))
    assert f"- Bad: 8 of 10 numbers are outside: {worst}; …" in words
    assert "Said" not in words


def test_a_constant_term_at_its_limit_has_an_error():
    """As far as the widths allow: two in three samples of a calorimeter with just that term tell it from none."""
    rng, e = np.random.default_rng(2), np.geomspace(15, 600, 8)
    width = np.hypot(0.1 / np.sqrt(e), 1e-9)
    points = Points(e, 0 * e, 0 * e, width, 0.02 * width, width)
    reach = constant_reach(points)
    design = np.stack([1 / e, np.ones(8)], axis=1) / (2 * 0.02 * width**2)[:, None]
    found = [
        np.linalg.lstsq(design, (width + 0.02 * width * rng.normal(size=8)) ** 2 / (0.04 * width**2), rcond=None)[0][1]
        for _ in range(2000)
    ]
    assert reach**2 == pytest.approx(np.std(found), rel=0.05)
    assert 5e-4 < reach < 5e-3


def quoted_value(value, error):
    from calotools.analysis import Estimate

    return Estimate(value, error)


@pytest.fixture
def shower_file():
    path = Path(os.environ.get("CALOTOOLS_TESTDATA", ROOT.parent / "shared/data")) / "geant4_showers.root"
    if not path.exists():
        pytest.skip(f"no {path.name} in {path.parent}; set CALOTOOLS_TESTDATA")
    return path


def test_both_samples_keep_the_same_cells(tmp_path, shower_file):
    theirs, least = read_showers(config(tmp_path, geant4=shower_file, flavour=str(FLAVOUR), stack=STACK))
    ours = simulate_showers(theirs, config(tmp_path, stack=STACK), least=least)
    assert len(theirs) == len(ours) == 4000
    for showers in (theirs, ours):
        assert set(np.unique(showers.sampling)) == {0, 1, 2, 3}
        for layer in range(4):
            assert showers.e[showers.sampling == layer].min() >= least[layer] * (1 - 1e-5)
        whole = np.add.reduceat(showers.e.astype(float), showers.offsets[:-1]) / showers.e_true
        assert showers.layer_fractions().sum(axis=1) == pytest.approx(whole, rel=1e-5)
        middle = np.nanmax(showers.distances(2, along="eta"))
        assert middle < 0.14
    assert ak.num(ours.candidates(np.arange(5)).cells.e).tolist() == np.diff(ours.offsets)[:5].tolist()


def test_geant4_needs_its_calorimeter(tmp_path, shower_file):
    with pytest.raises(ConfigError, match=r"give its description too \(stack\)"):
        read_showers(config(tmp_path, geant4=shower_file, flavour=str(FLAVOUR)))


@pytest.mark.slow
def test_one_command(tmp_path):
    """Everything but Geant4, small: the folder is whole, and its numbers can be read again."""
    outcome = validate_simulation(config(tmp_path))
    folder = tmp_path / "out"
    numbers = json.loads((folder / "numbers.json").read_text())
    assert {one["name"] for one in numbers["headline"]} == {one.name for one in outcome.headline}
    for name in outcome.figures:
        assert (folder / "figures" / f"{name}.png").stat().st_size > 5000
        assert f"figures/{name}.png" in (folder / "simulation.md").read_text()
    checks = [check for part in numbers["results"].values() for check in part["checks"]]
    assert {"pass", "quoted"} <= {one["verdict"] for one in checks}
    assert all(one["value"] is not None for one in checks if "σ/E over" in one["name"] and "crack" not in one["name"])
    with pytest.raises(OutputExistsError, match="out"):
        validate_simulation(config(tmp_path))
