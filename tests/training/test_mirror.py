"""Mirrored batches against batches of candidates that were mirrored cell by cell."""

import awkward as ak
import numpy as np
import pytest
import torch

from calotools.errors import ConfigError
from calotools.images import build_images, image_spec, pad_tracks
from calotools.ntuple import canonical_fields
from calotools.recipe import TrainConfig
from calotools.training import fit
from calotools.training.fitting.mirror import Mirror
from calotools.training.loading.batches import make_batch
from calotools.training.loading.input_scalers import InputScalers
from calotools.training.sample.labels import check_inputs
from calotools.variables import add_derived, fit_scaler, sign_changes

SCALARS = ("eta_cluster", "cell_index", "eta_mod", "dphi_tile_gap3", "mu", "charge")
TRACKS = ("delta_eta1", "delta_phi2", "d0", "z0", "charge")
# Written down here once more, from the definitions of ntuples/README.md.
ODD = {
    "eta": ("eta", "eta_cluster", "eta_s1", "eta_s2", "delta_eta1", "z0", "z_vertex"),
    "phi": ("phi", "phi_cluster", "charge", "d0", "d0_significance"),
}


@pytest.fixture(scope="module")
def candidates(make_candidates):
    """In barrel, crack and endcap, around phi = pi too; one lacks a variable."""
    rng = np.random.default_rng(5)
    eta = np.array([0.01, -0.63, 1.21, -1.44, 1.47, 1.93, -2.31, 2.2])
    phi = np.array([0.3, -1.2, np.pi - 0.005, 2.0, -2.6, 0.01, -3.13, 1.1])
    made = make_candidates(eta, phi, seed=6)
    counts, n = ak.num(made.tracks.pt), len(made)
    for name in TRACKS:
        values = rng.normal(0.3, 1.0, int(ak.sum(counts))).astype(np.float32)
        made = ak.with_field(made, ak.unflatten(values, counts), ("tracks", name))
    mu = np.where(np.arange(n) == 3, np.nan, rng.uniform(20, 60, n)).astype(np.float32)
    made = ak.with_field(made, mu, "mu")
    return ak.with_field(made, rng.choice([-1.0, 1.0], n).astype(np.float32), "charge")


def mirrored(candidates, axis):
    """As the detector would have seen the mirror image."""
    for name in ODD[axis]:
        if name in candidates.fields:
            candidates = ak.with_field(candidates, -candidates[name], name)
        for group in ("cells", "tracks"):
            if name in candidates[group].fields:
                candidates = ak.with_field(candidates, -candidates[group, name], (group, name))
    return candidates


def scalers_of(candidates):
    columns = add_derived(candidates, SCALARS)
    values, mask = pad_tracks(candidates, TRACKS, max_tracks=4)
    return InputScalers(
        scalars=fit_scaler(np.stack([ak.to_numpy(columns[name]) for name in SCALARS], axis=1), names=SCALARS),
        tracks=fit_scaler(values, names=TRACKS, mask=mask),
    )


def batch_of(candidates, scalers):
    columns = add_derived(candidates, SCALARS)
    return make_batch(
        build_images(candidates, image_spec("energy")).values,
        scalars=scalers.scale_scalars({name: ak.to_numpy(columns[name]) for name in SCALARS}, n=len(candidates)),
        tracks=scalers.scale_tracks(*pad_tracks(candidates, TRACKS, max_tracks=4)),
        base_energy=ak.to_numpy(candidates.e),
    )


@pytest.mark.parametrize("axis", ["eta", "phi"])
def test_a_mirrored_batch_is_that_of_mirrored_candidates(candidates, axis):
    scalers = scalers_of(candidates)
    batch, expected = batch_of(candidates, scalers), batch_of(mirrored(candidates, axis), scalers)
    seen = Mirror([axis], scalers).apply(batch, axis, torch.ones(len(candidates), dtype=torch.bool))
    assert not torch.allclose(batch.scalars, expected.scalars)
    for name, image in expected.images.items():
        assert not torch.allclose(batch.images[name], image, atol=1e-3)
        torch.testing.assert_close(seen.images[name], image, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(seen.scalars, expected.scalars, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(seen.tracks, expected.tracks, rtol=1e-4, atol=1e-4)
    assert torch.equal(seen.track_mask, batch.track_mask)
    assert seen.scalars[3, SCALARS.index("mu")] == 0  # what is missing stays missing
    assert (seen.tracks[~seen.track_mask] == 0).all()


@pytest.mark.parametrize("axis", ["eta", "phi"])
def test_every_native_variable_is_known(axis):
    """Those of cells and of the truth are no inputs of a network."""
    fields = {name for name, field in canonical_fields().items() if field.group not in ("cells", "truth")}
    names = sorted({name.rpartition(".")[2] for name in fields})
    assert {name for name, odd in zip(names, sign_changes(names, axis), strict=True) if odd} == set(ODD[axis])


@pytest.mark.parametrize("axis", ["eta", "phi"])
def test_derived_variables_follow_from_what_they_are_made_of(axis, candidates):
    names = ("cell_index", "eta_mod", "dphi_tile_gap3")
    one, other = add_derived(candidates, names), add_derived(mirrored(candidates, axis), names)
    for name, odd in zip(names, sign_changes(names, axis), strict=True):
        np.testing.assert_allclose(-other[name] if odd else other[name], one[name], atol=1e-6)


def test_what_is_not_known_is_refused(recipe, showers):
    changes = {"scalars": ("mu", "my_width"), "trainer": {"mirror": ("eta",), "epochs": 1}}
    with pytest.raises(ConfigError, match="whether 'my_width' changes its sign in a mirror along eta is not known"):
        fit(recipe("energy", **changes), showers)
    misspelt = {"scalars": ("pt_trak",), "trainer": {"mirror": ("eta",), "epochs": 1}}
    with pytest.raises(ConfigError, match="if its name is misspelt, nearest: 'pt_track'"):
        check_inputs(recipe("energy", **misspelt))
    check_inputs(recipe("energy", **changes | {"trainer": {"mirror": ("eta",), "mirror_keeps": ("my_width",)}}))
    trees = {"scalars": ("mu",), "tracks": (), "model": {"name": "trees"}, "trainer": {"mirror": ("eta",)}}
    with pytest.raises(ConfigError, match="model 'trees' learns without a mirror"):
        check_inputs(recipe("energy", **trees))


def test_half_of_the_candidates_are_mirrored_along_each_axis_and_the_rest_are_not_touched(candidates):
    scalers = scalers_of(candidates)
    rows = np.arange(len(candidates)).repeat(200)
    batch = batch_of(candidates[rows], scalers)
    torch.manual_seed(4)
    seen = Mirror(["eta", "phi"], scalers)(batch)
    eta, phi = (
        seen.scalars[:, SCALARS.index(name)] != batch.scalars[:, SCALARS.index(name)]
        for name in ("eta_cluster", "charge")
    )
    n = len(rows)
    for part, expected in ((eta, 0.5), (phi, 0.5), (eta & phi, 0.25)):
        assert abs(int(part.sum()) - expected * n) < 5 * np.sqrt(expected * (1 - expected) * n)
    for name in ("base_energy", "target", "weight", "row"):
        assert torch.equal(getattr(seen, name), getattr(batch, name))
    same = ~eta & ~phi
    for name, image in batch.images.items():
        assert torch.equal(seen.images[name][same], image[same])
        torch.testing.assert_close(seen.images[name].sum(dim=(2, 3)), image.sum(dim=(2, 3)), rtol=1e-5, atol=1e-3)


def test_an_unknown_axis_is_refused(recipe):
    with pytest.raises(ConfigError, match="'theta' is not allowed: Input should be 'eta' or 'phi'"):
        recipe("energy", trainer={"mirror": ("theta",)})


def test_resuming_mirrors_as_an_uninterrupted_fit(recipe, showers, tmp_path):
    def stop(name, done, total):
        if done > 0.8 * total:
            raise RuntimeError("stopped")

    def config(where: str, **changes) -> TrainConfig:
        trainer = {"epochs": 3, "batch_size": 400, "mirror": ("eta", "phi")}
        return recipe("energy", scalars=("mu", "eta"), trainer=trainer, output=tmp_path / where, **changes)

    whole = fit(config("whole"), showers)
    with pytest.raises(RuntimeError, match="stopped"):
        fit(config("parts"), showers, progress=stop)
    resumed = fit(config("parts", resume=True), showers)
    plain = fit(recipe("energy", scalars=("mu", "eta"), trainer={"epochs": 3, "batch_size": 400}), showers)
    for name, weight in whole.state_dict.items():
        assert torch.equal(weight, resumed.state_dict[name])
    assert any(not torch.equal(weight, plain.state_dict[name]) for name, weight in whole.state_dict.items())
