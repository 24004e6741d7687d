"""Positions, material, depths and effective media."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.detector import (
    Sampling,
    build_cells,
    effective_medium,
    layer_edges,
    load_table,
    material_before,
    material_inside,
    shower_position,
    shower_radius,
    stack_medium,
)
from calotools.errors import ConfigError

ETA = np.linspace(-2.5, 2.5, 2001)


def test_layers_lie_one_behind_the_other():
    cases = [(0.0, 1.3, [0, 1, 2, 3, 12, 13]), (1.55, 2.45, [4, 5, 6, 7, 8, 9, 10, 11])]
    for low, high, samplings in cases:
        eta = np.linspace(low, high, 200)
        distance = [np.hypot(*shower_position(one, eta)) for one in samplings]
        assert (np.diff(distance, axis=0) > 0).all()


@given(st.sampled_from(list(Sampling)), st.floats(0.05, 2.5))
def test_position_lies_on_the_line_from_the_origin(sampling, eta):
    r, z = shower_position(sampling, [eta, -eta])
    np.testing.assert_allclose(np.arcsinh(z / r), [eta, -eta], rtol=1e-12)
    assert r[0] == r[1]
    assert shower_radius(sampling, eta) == r[0]


def test_depth_is_nearly_continuous():
    """The published polynomials join at |eta| = 0.8 and 1.5 to a few mm, so a typing error would show."""
    for sampling, border in ((1, 0.8), (3, 0.8), (5, 1.5), (6, 1.5)):
        jump = np.diff(shower_position(sampling, border + np.array([-1e-9, 1e-9]))[0 if sampling < 4 else 1])
        assert abs(jump[0]) < 100, sampling
    np.testing.assert_allclose(shower_position(5, [1.4999999, 1.5])[1], 3850, atol=70)


def test_endcap_plane_is_never_reached_at_right_angles():
    assert np.isinf(shower_radius(6, 0.0))


def test_hadronic_depth_lies_between_the_faces():
    faces = load_table("position")["faces"]
    cells = build_cells()
    for name, (low, high) in ((key, value) for key, value in faces.items() if isinstance(value, list)):
        frame = "z" if name.startswith("HEC") or name == "TileGap3" else "r"
        depth = abs(cells[frame][cells["sampling"] == Sampling[name]])
        assert ((depth > low) & (depth < high)).all(), name


def test_material_grows_towards_the_strips():
    inside, presampler, strips = (material_before(ETA, what) for what in ("id", "presampler", "strips"))
    assert (inside > 0).all()
    assert (presampler > inside).all()
    assert (strips > presampler).all()
    np.testing.assert_allclose(strips, strips[::-1])
    assert abs(ETA[strips.argmax()]) == pytest.approx(1.45, abs=0.01)  # the crack


def test_conversion_fractions():
    """True conversions in the tracker, 1 - exp(-7/9 x): 30 % in the middle of the barrel, 83 % in the endcap."""
    fraction = 1 - np.exp(-7 / 9 * material_before([0.0, 1.6], "id"))
    np.testing.assert_allclose(fraction, [0.30, 0.83], atol=0.01)


@given(st.floats(-2.5, 2.5), st.lists(st.floats(0, 2000), min_size=2, max_size=20))
def test_material_never_falls_with_radius(eta, radii):
    depth = material_inside(np.sort(radii), eta)
    assert (np.diff(depth) >= 0).all()
    assert (depth >= 0).all()
    assert depth.max() <= material_before(eta, "id") * (1 + 1e-12)
    assert material_inside(2000.0, eta) == material_before(eta, "id")


def test_layer_edges_never_decrease():
    edges = layer_edges(ETA)
    assert edges.shape == (2001, 4)
    assert (np.diff(edges, axis=1) >= 0).all()
    assert (np.diff(edges, axis=1)[:, :2] > 0).all()
    np.testing.assert_allclose(edges, edges[::-1])
    np.testing.assert_allclose(edges[:, 0], material_before(ETA))


def test_layer_edges_of_the_barrel_agree_with_the_calibration():
    """The depths that ATLAS calibrates with at eta = 0: strips end at 6, middle at 22, all at 23.7 X0."""
    calibration = load_table("material")["calibration"]
    edges = layer_edges(0.0)
    assert edges[1] == pytest.approx(calibration["strips_end"], abs=0.5)
    assert edges[2] == pytest.approx(22.0, abs=0.5)
    assert edges[3] == pytest.approx(calibration["total"][0], abs=0.3)
    np.testing.assert_allclose(np.diff(edges), [4.4, 16.0, 1.7], atol=0.4)
    # published: 22 X0 rising to 30 at 0.8, then 24 to 33, without what is before
    assert np.diff(layer_edges([0.0, 0.79, 0.81, 1.27])[:, [0, -1]]).ravel() == pytest.approx([22, 30, 24, 33], rel=0.2)


def test_layer_edges_of_the_endcap_keep_the_middles():
    endcap = load_table("material")["endcap"]
    eta = np.array(endcap["eta"])
    thickness = np.diff(layer_edges(eta), axis=1)
    front = np.array(endcap["strips"]) - endcap["strips_half_width"]
    middles = front[:, np.newaxis] + np.cumsum(thickness, axis=1) - thickness / 2
    np.testing.assert_allclose(middles.T, [endcap[name] for name in ("strips", "middle", "back")])


@pytest.mark.parametrize(
    ("stack", "z", "critical", "moliere", "frequency"),
    [("barrel_inner", 59.4, 10.7, 40.0, 3.05), ("barrel_outer", 53.5, 12.0, 46.0, 3.9)],
)
def test_effective_media_of_atlas(stack, z, critical, moliere, frequency):
    medium = stack_medium(stack)
    assert medium.z == pytest.approx(z, rel=0.02)
    assert 1e3 * medium.critical_energy == pytest.approx(critical, rel=0.02)
    assert medium.moliere_radius == pytest.approx(moliere, rel=0.05)
    assert medium.sampling_frequency == pytest.approx(frequency, rel=0.05)
    assert medium.e_over_mip == pytest.approx(0.691, abs=0.001)
    published = dict(zip(("barrel_inner", "barrel_outer"), load_table("material")["barrel"]["x0"], strict=True))
    assert medium.x0 == pytest.approx(published[stack], rel=0.08)


def test_one_material_is_itself():
    lead = load_table("medium")["material"]["lead"]
    medium = effective_medium({"lead": 1.0}, {"lead": 3.0})
    assert (medium.z, medium.a) == pytest.approx((lead["z"], lead["a"]))
    assert medium.x0 == pytest.approx(10 * lead["x0"] / lead["density"])
    assert medium.e_over_mip == 1.0
    assert medium.critical_energy == pytest.approx(2.66e-3 * (lead["x0"] * lead["z"] / lead["a"]) ** 1.1)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(1.1, 5))
def test_medium_depends_on_shares_alone(lead, argon, factor):
    thin, thick = (effective_medium({"lead": n * lead}, {"argon": n * argon}) for n in (1.0, factor))
    assert thick.x0 == pytest.approx(thin.x0)
    assert thick.moliere_radius == pytest.approx(thin.moliere_radius)
    assert thick.sampling_frequency == pytest.approx(thin.sampling_frequency / factor)


def test_wrong_media():
    with pytest.raises(ConfigError, match="material 'leed' is not in the medium table; nearest: 'lead'"):
        effective_medium({"leed": 1.0}, {"argon": 1.0})
    with pytest.raises(ConfigError, match=r"layers \{'argon': -1.0\}.*positive thickness"):
        effective_medium({"lead": 1.0}, {"argon": -1.0})
    with pytest.raises(ConfigError, match=r"stack 'barrel' is not.*nearest: 'barrel_"):
        stack_medium("barrel")
