"""What is not known is not drawn as if it were: empty bins, failed fits, open intervals, skipped candidates."""

import dataclasses

import awkward as ak
import numpy as np
import pytest

from calotools import plots
from calotools.containers import Images, RejectionRatio, Resolution, Roc
from calotools.errors import BranchError, CellError, ConfigError, EmptyInputError, InputFileError, ShapeError
from calotools.plots.display import boxes_of
from calotools.plots.distributions import densities
from calotools.plots.efficiency import inverted
from calotools.plots.peak import pulls
from calotools.plots.roc import rejection

MU = {"mu": np.array([0.0, 20.0, 40.0, 60.0])}


def texts(ax):
    return " ".join(text.get_text() for text in ax.texts)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn_heights(ax):
    """y of every marker that has a marker, over all lines of an axes."""
    lines = [line for line in ax.lines if line.get_marker() not in ("", "None", None)]
    return np.concatenate([np.asarray(line.get_ydata(), float) for line in lines])


def test_empty_bin_has_no_point_and_is_hatched(make_efficiency):
    figure = plots.draw_efficiency([make_efficiency([0.8, np.nan, 0.9], edges=MU)])
    ax = figure.axes[0]
    assert sorted(drawn_heights(ax)[np.isfinite(drawn_heights(ax))]) == [0.8, 0.9]
    assert [patch.get_hatch() for patch in ax.patches] == ["////"]
    assert "empty bin" in legend(ax)


@pytest.mark.parametrize(("n", "name"), [(0, "empty bin"), (8, "too few candidates")])
def test_bin_with_candidates_and_no_value_is_not_called_empty(n, name):
    metrics = {"iqr": np.array([0.02, np.nan, 0.03])}
    one = Resolution(metrics, {"iqr": np.array([0.001, np.nan, 0.001])}, MU, np.array([50, n, 50]), "network")
    assert legend(plots.draw_resolution([one]).axes[0]) == ["network", name]


def test_bin_that_is_not_valid_is_named_in_the_legend(make_efficiency):
    one = make_efficiency([0.8, 0.7, 0.9], edges=MU, valid=np.array([True, False, True]))
    assert "fit not valid" in legend(plots.draw_efficiency([one]).axes[0])
    all_bad = make_efficiency([0.8, 0.7, 0.9], edges=MU, valid=np.zeros(3, bool))
    assert "network (no valid bin)" in legend(plots.draw_efficiency([all_bad]).axes[0])


def test_error_bars_are_the_interval(make_efficiency):
    one = make_efficiency([0.8, 0.7, 0.9], edges=MU)
    container = plots.draw_efficiency([one]).axes[0].containers[0]
    ends = np.array([segment[:, 1] for segment in container.lines[2][1].get_segments()])
    np.testing.assert_allclose(ends, np.stack([one.low, one.high], axis=1))


def test_rejection_without_background_is_a_limit(make_efficiency):
    one = make_efficiency([0.01, 0.0, 0.02], edges=MU, size=0.005)
    value, low, high = inverted(one)
    assert np.isnan(value[1])
    np.testing.assert_allclose(low[[0, 2]], 1 / one.high[[0, 2]])
    np.testing.assert_allclose(high[[0, 2]], 1 / one.low[[0, 2]])
    assert "lower limit" in legend(plots.draw_rejection([one]).axes[0])


def test_rejection_without_any_value_is_drawn_as_empty(make_efficiency):
    one = make_efficiency([np.nan, np.nan, np.nan], edges=MU)
    ax = plots.draw_rejection([one], empty="no cut, or empty").axes[0]
    assert 0 < ax.get_ylim()[0] < ax.get_ylim()[1]
    assert "no cut, or empty" in legend(ax)


def test_roc_without_background_left_is_not_drawn_as_infinite(make_roc):
    roc = make_roc()
    background, low = roc.background.copy(), roc.low.copy()
    background[:150] = low[:150] = 0.0
    bare = dataclasses.replace(roc, background=background, low=low)
    value, _, high = rejection(bare)
    assert np.isnan(value[:150]).all()
    assert np.isinf(high[:150]).all()
    curve = plots.draw_roc([bare]).axes[0].lines[0]
    assert np.isfinite(curve.get_ydata()).all()


def test_a_ratio_of_curves_has_the_band_that_it_was_given_and_none_without(make_roc):
    rocs = [make_roc(4.2, "one"), make_roc(5.1, "other")]
    x = np.linspace(0.4, 1, 61)
    ratio = RejectionRatio(x, x + 0.5, x + 0.4, x + 0.7)
    lower = plots.draw_roc(rocs, ratios=[ratio]).axes[1]
    np.testing.assert_allclose(lower.lines[0].get_ydata(), 1)
    np.testing.assert_allclose(lower.lines[1].get_xydata(), np.column_stack([x, x + 0.5])[x >= 0.5])
    assert band_at(lower, 1, 0.8) == pytest.approx([1.2, 1.5])
    assert band_at(lower, 0, lower.lines[0].get_xdata()[30]) == pytest.approx([1, 1])
    plain = plots.draw_roc(rocs).axes[1]
    assert np.ptp(band_at(plain, 1, plain.lines[1].get_xdata()[200])) == 0
    with pytest.raises(ShapeError, match="2 ratios for 2 ROC curves; give one for each but the first"):
        plots.draw_roc(rocs, ratios=[ratio, ratio])


def test_cuts_are_points_where_they_are_and_the_panel_is_of_the_ratio(make_roc, make_efficiency):
    """An interval without an end ends somewhere; where no background passes a cut, nothing is drawn."""
    one = {"all": np.array([0.0, 1.0])}
    background = {"loose": make_efficiency([0.2], edges=one), "tight": make_efficiency([0.04], edges=one)}
    background["none"] = make_efficiency([0.0], edges=one)
    x, y = np.array([[0.9], [0.7], [0.6]]), np.array([[2.0], [3.0], [np.nan]])
    ratios = [RejectionRatio(*row) for row in zip(x, y, y - 0.5, np.array([[2.7], [np.inf], [np.inf]]), strict=True)]
    cuts = dict(zip(background, zip(background.values(), ratios, strict=True), strict=True))
    main, panel = plots.draw_roc([make_roc()], working_points=[0.8], cuts=cuts).axes
    drawn = [line.get_xydata()[0] for line in main.lines if line.get_marker() in ("s", "D")]
    np.testing.assert_allclose(drawn, [[0.9, 5.0], [0.7, 25.0]])
    bars = [one.get_segments()[0][:, 1] for one in panel.collections]
    np.testing.assert_allclose(bars, [[1.5, 2.7], [2.5, 6.0]])
    assert [text.get_text().partition(":")[0] for text in main.get_legend().get_texts()][-2:] == ["loose", "tight"]
    with pytest.raises(ShapeError, match="ratios to cuts are of one ROC curve, not of 2"):
        plots.draw_roc([make_roc(), make_roc()], cuts=cuts)


def test_a_window_of_scores_says_what_is_outside_and_rounding_does_not_set_the_scale():
    values = {"signal": np.linspace(0, 5, 100), "a background that is told apart": np.linspace(-30, 5, 700)}
    weights = {"signal": np.r_[1e-17, np.ones(99)]}
    ax = plots.draw_scores(values, weights=weights, window=(-10, 6)).axes[0]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["signal", "a background that is told apart (57.14% not shown)"]
    assert ax.get_xlim() == (-10, 6)
    assert ax.get_ylim()[0] > 1e-4


def band_at(ax, number, x):
    """Both ends of a shaded band of a panel."""
    corners = ax.collections[number].get_paths()[0].vertices
    there = corners[np.isclose(corners[:, 0], x), 1]
    return [there.min(), there.max()]


def test_working_points_of_many_curves_do_not_fill_the_legend(make_roc):
    figure = plots.draw_roc([make_roc(name=f"class {i}") for i in range(5)], working_points=[0.8, 0.9])
    assert len(legend(figure.axes[0])) == 5 + 2


def test_invalid_peak_shows_the_reason_and_no_numbers(make_peak):
    good = plots.draw_peak(make_peak())
    assert r"\sigma_{68}" in texts(good.axes[0])
    bad = plots.draw_peak(make_peak(valid=False, message="call limit reached at $x_"))
    assert "FIT NOT VALID" in texts(bad.axes[0])
    assert "call limit reached" in texts(bad.axes[0])
    assert r"\sigma_{68}" not in texts(bad.axes[0])
    assert "fit (not valid)" in legend(bad.axes[0])
    bad.canvas.draw()


def test_invalid_fit_in_a_comparison_shows_the_reason(make_peak):
    figure = plots.draw_peak_comparison(make_peak(valid=False, message="at a limit"), make_peak(2.0))
    assert "FIT NOT VALID" in texts(figure.axes[0])


def test_notes_of_a_valid_fit_are_written(make_peak):
    assert "tail fixed" in texts(plots.draw_peak(make_peak(notes="tail fixed")).axes[0])


def test_invalid_tagprobe_shows_no_efficiency(make_tagprobe):
    figure = plots.draw_tagprobe(make_tagprobe(valid=False, message="no minimum"))
    assert "FIT NOT VALID\nno minimum" in texts(figure.axes[0])
    assert "varepsilon" not in texts(figure.axes[0])


def test_counted_tagprobe_has_no_curve(make_tagprobe):
    counted = dataclasses.replace(make_tagprobe(), method="count", low=0.84, high=0.87)
    figure = plots.draw_tagprobe(counted)
    assert "counted, not fitted" in texts(figure.axes[0])
    assert "fit" not in legend(figure.axes[0])


def test_pulls_use_the_model_where_nothing_was_seen():
    np.testing.assert_allclose(pulls(np.array([0.0, 9.0]), np.array([4.0, 6.0]), np.array([0.0, 9.0])), [-2.0, 1.0])
    assert np.isnan(pulls(np.zeros(1), np.zeros(1), np.zeros(1))).all()


def test_scale_factor_of_an_empty_bin_is_hatched(make_factors):
    figure = plots.draw_scale_factors(make_factors())
    hatched = [ax for ax in figure.axes for patch in ax.patches if patch.get_hatch()]
    assert len(hatched) == 1


def test_axes_order_does_not_matter_for_maps(make_factors):
    one = make_factors().data
    swapped = dataclasses.replace(
        one,
        edges={"eta": one.edges["eta"], "et": one.edges["et"]},
        **{name: getattr(one, name).reshape(5, 5).T.ravel() for name in ("value", "low", "high", "valid", "n_total")},
    )
    first, second = (plots.draw_efficiency_map([result]).axes for result in (one, swapped))
    for left, right in zip(first, second, strict=True):
        if left.lines:
            np.testing.assert_array_equal(drawn_heights(left), drawn_heights(right))


def test_densities_integrate_to_what_is_inside():
    rng = np.random.default_rng(1)
    edges = np.linspace(0.8, 1.2, 31)
    values = np.append(rng.normal(1, 0.1, 1000), np.nan)
    density, error, lost = densities(values, np.full(1001, 2.0), edges=edges, name="x")
    assert density @ np.diff(edges) == pytest.approx(1 - lost)
    inside = np.isfinite(values) & (values >= 0.8) & (values <= 1.2)
    assert lost == pytest.approx(1 - inside.sum() / 1001)
    np.testing.assert_allclose(error * 1001 * np.diff(edges), np.sqrt(np.histogram(values, edges)[0]))


def test_score_of_exactly_one_is_shown():
    assert densities(np.ones(3), np.ones(3), edges=np.linspace(0, 1, 11), name="x")[2] == 0.0


def test_skipped_candidates_are_counted_in_the_legend():
    figure = plots.draw_scores({"signal": np.array([0.1, 0.9, np.nan, np.nan])})
    assert legend(figure.axes[0]) == ["signal (50.00% not shown)"]


def test_pixels_without_cells_are_blank(make_roc):
    from calotools.plots.images import mean_image

    values = np.ones((2, 1, 2, 1), np.float32)
    mask = np.array([[[[True], [False]]], [[[False], [False]]]])
    images = Images({"energy_em": values}, {"em": mask}, {}, np.zeros((2, 2)), np.zeros(2))
    np.testing.assert_array_equal(mean_image(images, "energy_em", "em"), [[[1.0], [np.nan]]])
    with pytest.raises(ConfigError, match=r"hold no 'enrgy_em'; nearest: 'energy_em'"):
        mean_image(images, "enrgy_em", "em")


def test_display_unwraps_phi(toy_candidate):
    boxes = boxes_of(toy_candidate)
    assert list(boxes) == ["presampler", "strips", "middle", "back", "hadronic"]
    for one in boxes.values():
        assert np.ptp(one.phi) < 0.5
        assert abs(one.phi.mean() - 3.13) < 0.1
    total = sum(one.values["e"].sum() for one in boxes.values())
    assert total == pytest.approx(ak.sum(toy_candidate.cells.e))


def test_display_needs_cells():
    with pytest.raises(BranchError, match=r"needs cells\.e, cells\.eta"):
        plots.draw_candidate(ak.Record({"eta": 0.1, "phi": 0.0}))
    cells = ak.zip({"e": [np.nan], "eta": [0.1], "phi": [0.0], "sampling": [2]})
    with pytest.raises(CellError, match="no finite cell among 1"):
        plots.draw_candidate(ak.Record({"eta": 0.1, "phi": 0.0, "cells": cells}))


def test_display_of_energy_alone_has_one_row(toy_candidate):
    cells = toy_candidate.cells[["e", "eta", "phi", "sampling"]]
    figure = plots.draw_candidate(ak.Record({"eta": 0.4, "phi": 3.13, "cells": cells}))
    assert len(figure.axes) == 5 + 1


def test_history_rows_may_be_incomplete(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,train_loss,val_loss\n0,0.7,\n0,,0.6\n1,0.5,\n1,,0.65\n")
    ax = plots.draw_history(plots.read_history(path)).axes[0]
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[0, 0.6], [1, 0.65]])
    assert "lowest, at 0" in legend(ax)


def test_history_errors(tmp_path):
    with pytest.raises(InputFileError, match=r"log\.csv' cannot be read"):
        plots.read_history(tmp_path / "log.csv")
    (tmp_path / "log.csv").write_text("epoch\nfive\n")
    with pytest.raises(InputFileError, match="not a table of numbers"):
        plots.read_history(tmp_path / "log.csv")
    with pytest.raises(EmptyInputError, match="no training curve has a finite value; columns: epoch"):
        plots.draw_history({"epoch": np.arange(3.0)})


def test_wrong_number_of_axes_is_an_error(make_efficiency, make_factors):
    with pytest.raises(
        ShapeError, match=r"draw_efficiency draws results along one axis; 'data' has 2 axes \(et, eta\)"
    ):
        plots.draw_efficiency([make_factors().data])
    with pytest.raises(ShapeError, match=r"draw_efficiency_map draws results with two axes; this one has 1 \(mu\)"):
        plots.draw_efficiency_map([make_efficiency([0.8, 0.7, 0.9], edges=MU)])
    with pytest.raises(ShapeError, match="2 values for 3 bins of mu"):
        plots.draw_rejection([make_efficiency([0.8, 0.7], edges=MU)])


@pytest.mark.parametrize(
    "name", ["draw_roc", "draw_efficiency", "draw_rejection", "draw_resolution", "draw_efficiency_map"]
)
def test_nothing_to_draw_is_an_error(name):
    with pytest.raises(EmptyInputError, match=f"{name} was given no"):
        getattr(plots, name)([])


def test_unknown_metric_is_an_error():
    one = Resolution({"iqr": np.ones(3)}, {"iqr": np.ones(3)}, MU, np.ones(3, int), "network")
    with pytest.raises(ConfigError, match="resolution 'network' has no metric 'iqrr'; nearest: 'iqr'"):
        plots.draw_resolution([one], metric="iqrr")


def test_no_distribution_is_an_error():
    with pytest.raises(EmptyInputError, match="'signal' has no finite value of positive weight among 1"):
        plots.draw_scores({"signal": np.array([np.nan])})
    with pytest.raises(ShapeError, match="'signal' has 2 values and 1 weights"):
        plots.draw_scores({"signal": np.zeros(2)}, weights={"signal": np.ones(1)})


def test_more_curves_than_colours_are_all_drawn_and_told_apart():
    x = np.linspace(0.01, 1, 50)
    rocs = [
        Roc(
            x,
            x**4,
            x**4 * 0.9,
            x**4 * 1.1,
            auc=0.8,
            auc_error=0.01,
            n_signal=90.0,
            n_background=90.0,
            name=f"method {k}",
        )
        for k in range(12)
    ]
    upper, ratios = plots.draw_roc(rocs, ratio=True).axes
    for panel in (upper, ratios):
        pens = {(line.get_color(), line.get_linestyle()) for line in panel.get_lines()}
        assert len(pens) == 12
    samples = {f"sample {k}": np.full(10, k / 12) for k in range(12)}
    assert len(legend(plots.draw_scores(samples).axes[0])) == 12


def test_bands_of_a_reweighted_sample_count_groups():
    """Values ten times over, as those of one luminosity block, have the band of what they are."""
    rng = np.random.default_rng(1)
    edges = np.linspace(0, 60, 7)
    one, two = rng.normal(30, 8, 400), rng.normal(30, 8, 400)
    place = np.repeat(np.arange(400), 10)
    bands = []
    for repeats, groups in ((1, None), (10, {"target": place, "source": place})):
        samples = {"target": one, "source": two}
        samples = {name: (np.repeat(x, repeats), np.ones(400 * repeats)) for name, x in samples.items()}
        figure = plots.draw_reweighting(samples, edges=edges, axis="mu", groups=groups)
        bands.append([patch.get_paths()[0].vertices for patch in figure.axes[0].collections])
    assert len(bands[0]) > 0
    np.testing.assert_allclose(bands[1], bands[0])
    with pytest.raises(ShapeError, match="'source' has 400 values and 3 groups; they must agree"):
        plots.draw_reweighting(
            {"target": (one, np.ones(400)), "source": (two, np.ones(400))},
            edges=edges,
            axis="mu",
            groups={"source": np.zeros(3, int)},
        )


def test_error_bars_of_importances_end_inside_the_frame():
    values, errors = {"maps": 0.5, "rate": 0.1, "dropout": -0.2}, {"maps": 0.3, "rate": 0.1, "dropout": 0.4}
    low, high = plots.draw_importance(values, errors=errors).axes[0].get_xlim()
    assert low < -0.6
    assert high > 0.8
