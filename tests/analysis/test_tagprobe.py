"""Tag-and-probe: selection, closure of fits and scale factors, counting where a fit cannot be made."""

import awkward as ak
import numpy as np
import pytest

from calotools.analysis import (
    TagProbeModel,
    TagProbeSample,
    check_closure,
    count_efficiencies,
    design_effect,
    efficiency_of_fits,
    fit_efficiencies,
    measure_scale_factors,
    scale_factors,
    tag_probe_sample,
)
from calotools.analysis.lineshapes import breit_wigner
from calotools.analysis.scalefactors import VARIATIONS
from calotools.containers import Efficiency
from calotools.errors import BranchError, ConfigError, ShapeError

_GRID = np.linspace(40, 150, 11_001)
_NATURAL = np.cumsum(breit_wigner(_GRID))
EDGES = {"et": np.array([20.0, 40.0])}


def z_masses(n, rng, *, sigma=1.5):
    return np.interp(rng.random(n), _NATURAL / _NATURAL[-1], _GRID) + rng.normal(0, sigma, n)


def toy(rng, *, n, efficiency, background=(0, 0), shift=0.0, et=30.0):
    """Signal with a known efficiency, and falling backgrounds in the passing and failing probes."""
    n = rng.poisson(n)
    counts = [rng.poisson(one) for one in background]
    mass = [z_masses(n, rng) + shift, 60 + rng.exponential(40, counts[0]), 60 + rng.exponential(30, counts[1])]
    passing = [rng.random(n) < efficiency, np.ones(counts[0], bool), np.zeros(counts[1], bool)]
    return TagProbeSample(np.concatenate(mass), np.concatenate(passing), {"et": np.full(n + sum(counts), et)})


def event(number, *legs):
    """One event of (et, phi, charge) legs at eta 0."""
    return [
        {"run": 1, "event": number, "candidate": i, "et": et, "e": et, "eta": 0.0, "phi": phi, "charge": charge}
        for i, (et, phi, charge) in enumerate(legs)
    ]


def test_every_ordered_pair_is_used():
    candidates = ak.Array(event(1, (45, 0, 1), (46, 3, -1)) + event(2, (45, 0, 1), (47, 3, -1)) + event(3, (50, 0, 1)))
    tag = np.array([True, True, False, True, True])
    sample = tag_probe_sample(candidates, tag=tag, probe=np.ones(5, bool), passing=tag)
    assert sorted(sample.axes["et"].tolist()) == [45, 45, 46]
    # Event 2: the 47 GeV leg is the tag of the 45 GeV leg, which fails.
    assert sorted(sample.passing.tolist()) == [False, True, True]
    assert len(np.unique(sample.event)) == 2


def test_same_sign_close_and_unmatched_pairs_are_dropped():
    legs = event(1, (45, 0, 1), (45, 3, 1)) + event(2, (45, 0, 1), (45, 0.3, -1)) + event(3, (45, 0, 1), (45, 3, -1))
    truth = [0, 0, 0, 0, 0, 5]
    candidates = ak.Array([leg | {"class_true": one} for leg, one in zip(legs, truth, strict=True)])
    yes = np.ones(6, bool)
    assert len(tag_probe_sample(candidates, tag=yes, probe=yes, passing=yes)) == 2
    assert len(tag_probe_sample(candidates, tag=yes, probe=yes, passing=yes, matched=True)) == 0
    assert len(tag_probe_sample(candidates, tag=yes, probe=yes, passing=yes, same_charge=True)) == 2
    assert len(tag_probe_sample(candidates, tag=yes, probe=yes, passing=yes, min_delta_r=0.2)) == 4


def test_distance_does_not_see_the_phi_wrap():
    candidates = ak.Array(event(1, (45, 3.1, 1), (45, -3.1, -1)))
    yes = np.ones(2, bool)
    assert len(tag_probe_sample(candidates, tag=yes, probe=yes, passing=yes)) == 0


def test_weights_and_pile_up_travel_with_the_probe():
    legs = event(1, (45, 0, 1), (46, 3, -1))
    candidates = ak.Array([leg | {"weight": 0.5, "mu": 33.0} for leg in legs])
    sample = tag_probe_sample(candidates, tag=np.ones(2, bool), probe=np.ones(2, bool), passing=np.ones(2, bool))
    assert sample.weight.tolist() == [0.5, 0.5]
    assert sample.axes["mu"].tolist() == [33.0, 33.0]


def test_selection_errors():
    candidates = ak.Array(event(1, (45, 0, 1), (46, 3, -1)))
    yes = np.ones(2, bool)
    with pytest.raises(ShapeError, match=r"2 candidates, but have \{'probe': 3\}"):
        tag_probe_sample(candidates, tag=yes, probe=np.ones(3, bool), passing=yes)
    with pytest.raises(BranchError, match="no field 'class_true'"):
        tag_probe_sample(candidates, tag=yes, probe=yes, passing=yes, matched=True)
    with pytest.raises(ShapeError, match="one entry per probe"):
        TagProbeSample(np.ones(2), np.ones(3, bool), {})


@pytest.mark.slow
@pytest.mark.parametrize("signal", ["template", "analytic"])
def test_toys_give_the_efficiency_back(signal):
    rng = np.random.default_rng(31)
    simulation = toy(rng, n=40_000, efficiency=0.85)
    model = TagProbeModel(signal=signal)
    fits = []
    for _ in range(60):
        data = toy(rng, n=3000, efficiency=0.85, background=(200, 300), shift=0.2)
        fits += fit_efficiencies(data, edges=EDGES, rng=rng, model=model, simulation=simulation)
    assert all(fit.valid and fit.method == "fit" for fit in fits)
    pulls = [(fit.efficiency - 0.85) / fit.error for fit in fits]
    assert abs(np.mean(pulls)) < 3 / np.sqrt(60)
    assert np.std(pulls) == pytest.approx(1, abs=3 / np.sqrt(120))


def test_background_is_subtracted():
    rng = np.random.default_rng(32)
    data = toy(rng, n=5000, efficiency=0.9, background=(300, 900), shift=0.3)
    (fit,) = fit_efficiencies(data, edges=EDGES, rng=rng, simulation=toy(rng, n=20_000, efficiency=0.9))
    assert fit.valid
    assert fit.efficiency == pytest.approx(0.9, abs=3 * fit.error)
    counted = count_efficiencies(data, edges=EDGES, window=(60.0, 120.0)).value[0]
    assert abs(counted - 0.9) > 5 * fit.error
    assert fit.low <= fit.efficiency <= fit.high
    assert fit.passing_background.sum() < fit.passing_model.sum()
    assert fit.failing_model.sum() == pytest.approx(fit.failing.sum(), rel=0.01)
    assert fit.bin == {"et": (20.0, 40.0)}


def test_weighted_data_give_the_same_efficiency():
    rng = np.random.default_rng(33)
    data = toy(rng, n=3000, efficiency=0.8, background=(100, 100))
    weighted = TagProbeSample(data.mass, data.passing, data.axes, np.full(len(data), 0.01))
    fits = [fit_efficiencies(one, edges=EDGES, rng=np.random.default_rng(1))[0] for one in (data, weighted)]
    assert fits[1].efficiency == pytest.approx(fits[0].efficiency, abs=0.1 * fits[0].error)
    assert fits[1].error == pytest.approx(fits[0].error, rel=0.05)
    assert fits[1].failing_model.sum() == pytest.approx(0.01 * fits[0].failing_model.sum(), rel=0.01)


def test_few_probes_are_counted_and_none_are_nan():
    rng = np.random.default_rng(34)
    edges = {"et": np.array([20.0, 40.0, 60.0])}
    few = TagProbeSample(np.full(12, 91.0), np.arange(12) > 2, {"et": np.full(12, 30.0)})
    fits = fit_efficiencies(few, edges=edges, rng=rng)
    assert [fit.method for fit in fits] == ["count", "count"]
    assert fits[0].efficiency == 0.75
    assert fits[0].low < 0.75 < fits[0].high
    assert fits[0].notes == "12 probes, too few to fit: counted at the peak, sidebands subtracted"
    result = efficiency_of_fits(fits, edges=edges, name="tight")
    assert np.isnan(result.value[1])
    assert result.valid.tolist() == [True, False]
    assert (fits[1].valid, fits[1].message) == (False, "no probes")


def test_few_probes_on_a_background_are_not_biased():
    rng = np.random.default_rng(38)
    values, covered = [], 0
    for _ in range(300):
        data = toy(rng, n=5, efficiency=0.9, background=(0, 30))
        (fit,) = fit_efficiencies(data, edges=EDGES, rng=rng) if data.passing.sum() < 10 else (None,)
        if fit is not None and fit.valid:
            assert fit.method == "count"
            values.append(fit.efficiency)
            covered += fit.low <= 0.9 <= fit.high
    assert len(values) > 200
    # Without subtraction: 4.5 of 35.
    assert np.median(values) > 0.5
    assert covered / len(values) > 0.6


def test_a_fit_that_is_not_valid_gives_no_efficiency():
    rng = np.random.default_rng(35)
    # No Z at all: a spike at the window's low edge.
    spike = TagProbeSample(60 + rng.exponential(0.3, 2000), rng.random(2000) < 0.5, {"et": np.full(2000, 30.0)})
    fits = fit_efficiencies(spike, edges=EDGES, rng=rng)
    result = efficiency_of_fits(fits, edges=EDGES)
    assert fits[0].valid == np.isfinite(result.value[0])
    if not fits[0].valid:
        assert fits[0].message


def test_probes_of_one_event_are_correlated():
    rng = np.random.default_rng(36)
    values, factors, naive = [], [], []
    for _ in range(300):
        # Both legs of an event are probed when both pass, since then both are tags; else the failing one is.
        legs = rng.random((2000, 2)) < 0.7
        number = np.arange(2000)
        both, one = number[legs.all(axis=1)], number[legs.sum(axis=1) == 1]
        passing = np.concatenate([np.ones(2 * len(both), bool), np.zeros(len(one), bool)])
        sample = TagProbeSample(
            np.full(len(passing), 91.0), passing, {"et": np.full(len(passing), 30.0)},
            event=np.concatenate([both, both, one]),
        )  # fmt: skip
        result = count_efficiencies(sample, edges=EDGES, window=(60.0, 120.0))
        values.append(result.value[0])
        factors.append(design_effect(sample))
        naive.append((result.high[0] - result.low[0]) / 2)
    # Exact: 2 - e.
    assert np.mean(factors) == pytest.approx(1.3, rel=0.01)
    assert np.mean(values) == pytest.approx(0.7, abs=3 * np.std(values) / np.sqrt(300))
    assert np.std(values) / np.mean(naive) == pytest.approx(1, abs=3 / np.sqrt(600))


def test_scale_factors_close_on_injected_truth():
    rng = np.random.default_rng(37)
    edges = {"et": np.array([20.0, 40.0, 60.0])}
    truth = {30.0: (0.70, 0.80), 50.0: (0.85, 0.90)}

    def both(which, **options):
        parts = [toy(rng, efficiency=pair[which], et=et, **options) for et, pair in truth.items()]
        return TagProbeSample(
            np.concatenate([one.mass for one in parts]),
            np.concatenate([one.passing for one in parts]),
            {"et": np.concatenate([one.axes["et"] for one in parts])},
        )

    data, simulation = both(0, n=3000, background=(100, 200), shift=0.2), both(1, n=20_000)
    injected = np.array([0.70 / 0.80, 0.85 / 0.90])
    result = measure_scale_factors(data, simulation, edges=edges, rng=rng, injected=injected)
    factors = result.factors
    assert factors.valid.all()
    assert set(factors.variations) == {"signal", "background", "window"}
    assert np.all(factors.syst < 0.02)
    closure = check_closure(factors.value, np.hypot(factors.stat, factors.syst), injected, valid=factors.valid)
    assert closure.ndf == 2
    assert closure.p_value > 0.003
    assert len(result.fits) == 2


def test_systematic_is_the_rms_of_the_valid_variations():
    one = np.array([0.8, 0.8])
    nominal = count_efficiencies(
        TagProbeSample(np.full(20, 91.0), np.arange(20) % 5 > 0, {"et": np.repeat([30.0, 50.0], 10)}),
        edges={"et": np.array([20.0, 40.0, 60.0])},
        window=(60.0, 120.0),
    )
    assert nominal.value == pytest.approx(one)
    from dataclasses import replace

    up = replace(nominal, value=np.array([0.84, 0.8]))
    down = replace(nominal, value=np.array([0.80, 0.8]), valid=np.array([True, False]))
    bad = replace(nominal, value=np.array([0.1, 0.1]), valid=np.array([False, False]))
    result = scale_factors(nominal, nominal, variations={"a": (up, nominal), "b": (down, nominal), "c": (bad, nominal)})
    assert result.syst[0] == pytest.approx(0.05 / np.sqrt(2))
    assert result.syst[1] == pytest.approx(0)
    assert np.isnan(result.variations["c"]).all()
    assert np.isnan(scale_factors(nominal, nominal).syst).all()


def test_scale_factor_of_a_bin_in_which_nothing_passes():
    edges, one = {"et": np.array([20.0, 40.0])}, np.ones(1)
    data = Efficiency(0.0 * one, 0.0 * one, 0.2 * one, edges, one, one > 0)
    simulation = Efficiency(0.8 * one, 0.7 * one, 0.9 * one, edges, one, one > 0)
    result = scale_factors(data, simulation)
    assert result.value.tolist() == [0.0]
    assert result.stat == pytest.approx([0.1 / 0.8])


def test_closure_leaves_out_what_is_not_valid():
    value, error, truth = np.array([0.9, np.nan, 0.5]), np.array([0.1, 0.1, 0.0]), np.ones(3)
    closure = check_closure(value, error, truth)
    assert (closure.ndf, closure.n_invalid) == (1, 2)
    assert closure.chi2 == pytest.approx(1.0)
    assert closure.p_value == pytest.approx(0.3173, abs=1e-4)


def test_wrong_models_are_refused():
    rng = np.random.default_rng(1)
    sample = TagProbeSample(np.full(40, 91.0), np.arange(40) % 2 > 0, {"et": np.full(40, 30.0)})
    with pytest.raises(ConfigError, match="no tag-and-probe signal 'gauss'"):
        fit_efficiencies(sample, edges=EDGES, rng=rng, model=TagProbeModel(signal="gauss"))
    with pytest.raises(ConfigError, match="no background 'linear'"):
        fit_efficiencies(sample, edges=EDGES, rng=rng, model=TagProbeModel(background="linear"))
    with pytest.raises(ConfigError, match="models need different names"):
        measure_scale_factors(sample, sample, edges=EDGES, rng=rng, models=(VARIATIONS[0], VARIATIONS[0]))
    with pytest.raises(ConfigError, match="edges are given for 'pt'"):
        fit_efficiencies(sample, edges={"pt": np.array([1.0, 2.0])}, rng=rng)
