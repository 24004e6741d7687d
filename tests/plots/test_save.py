"""Style, numbers as text, and files: no global state, no dates, no half-written figure."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools import plots
from calotools.errors import ConfigError, OutputExistsError
from calotools.plots.numbers import format_interval, format_value
from calotools.plots.style import literal, new_figure, style


def test_style_leaves_no_trace_even_after_an_error():
    before = dict(mpl.rcParams)
    with pytest.raises(ValueError, match="inside"), style():
        raise ValueError("inside")
    assert dict(mpl.rcParams) == before


def test_figures_stay_out_of_pyplot(make_roc):
    plots.draw_roc([make_roc()])
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_label_is_never_the_experiments_by_default(make_roc):
    ax = plots.draw_roc([make_roc()]).axes[0]
    assert [text.get_text() for text in ax.texts][:2] == ["calotools", "simulation"]
    renamed = plots.draw_roc([make_roc()], label="My thesis, 2015 data").axes[0]
    assert [text.get_text() for text in renamed.texts][:2] == ["My", "thesis, 2015 data"]


def test_names_are_not_read_as_mathematics(make_roc):
    figure = plots.draw_roc([make_roc(name="a $x_ {cut}")], label="cost $")
    figure.canvas.draw()
    assert literal("$") == r"\$"


def test_same_figure_gives_same_bytes(tmp_path, make_peak):
    first = plots.save_figure(plots.draw_peak(make_peak()), tmp_path / "a", "peak")
    second = plots.save_figure(plots.draw_peak(make_peak()), tmp_path / "b", "peak")
    assert [path.suffix for path in first] == [".pdf", ".png"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_existing_figure_is_kept(tmp_path):
    (tmp_path / "one.png").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"one\.png' exists"):
        plots.save_figure(new_figure(), tmp_path, "one")
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]
    plots.save_figure(new_figure(), tmp_path, "one", overwrite=True)
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_failed_save_leaves_nothing(tmp_path):
    figure = new_figure()
    figure.text(0.5, 0.5, r"$\notacommand$")
    with pytest.raises(ValueError, match="notacommand"):
        plots.save_file(figure, tmp_path / "one.png")
    assert list(tmp_path.iterdir()) == []


def test_unknown_suffix(tmp_path):
    with pytest.raises(ConfigError, match=r"suffix '\.jpg'; allowed: \.pdf, \.png"):
        plots.save_file(new_figure(), tmp_path / "one.jpg")


def test_public_names_exist():
    for name in plots.__all__:
        assert callable(getattr(plots, name))
    with pytest.raises(AttributeError, match="no attribute 'draw_nothing'"):
        plots.draw_nothing  # noqa: B018


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e4))
def test_rounding_keeps_the_value_within_a_fraction_of_its_error(value, error):
    shown, shown_error = (float(part) for part in format_value(value, error).split(" ± "))
    assert abs(shown - value) <= 0.06 * error
    assert abs(shown_error - error) <= 0.06 * error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.9712, 0.0021, "0.9712 ± 0.0021"),
        (153.21, 9.96, "153 ± 10"),
        (12345.0, 240.0, "12340 ± 240"),
        (np.nan, 0.1, "—"),
        (1.0, np.nan, "1"),
        (None, None, "—"),
        (1.5, 0.0, "1.5"),
    ],
)
def test_values_as_text(value, error, text):
    assert format_value(value, error) == text


def test_interval_that_is_not_known():
    assert format_interval(0.9, float("nan"), 1.0) == "0.9"
