"""Lines on stderr that are no warnings: what is logged, and that kernels are compiled."""

import importlib.util
import logging

import pytest

from calotools import stages
from calotools.cli.main import main
from calotools.cli.notes import show_compiling

KERNELS = """
from numba import njit


@njit(cache=True)
def twice(x):
    return 2 * x


@njit
def thrice(x):
    return 3 * x
"""


@pytest.fixture
def load(tmp_path):
    """The kernels as a process has them that has just started: none is compiled in memory."""
    (tmp_path / "kernels.py").write_text(KERNELS, encoding="utf-8")

    def new():
        spec = importlib.util.spec_from_file_location("kernels", tmp_path / "kernels.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return new


def test_a_kernel_that_is_compiled_is_told_once_and_one_that_is_loaded_is_not(load, capsys):
    with show_compiling("train"):
        kernels = load()
        assert (kernels.twice(2), kernels.twice(2.0)) == (4, 4.0)
    said = capsys.readouterr().err
    assert said.startswith("calotools: compiling kernels")
    assert said.count("\n") == 1
    with show_compiling("train"):
        again = load()
        assert again.twice(2) == 4
        assert again.thrice(2) == 6  # never in a cache: said every time, it would say nothing
    assert capsys.readouterr().err == ""
    assert again.twice.stats.cache_hits


def test_stages_without_kernels_are_not_watched(load, capsys):
    with show_compiling("report"):
        load().twice(2)
    assert capsys.readouterr().err == ""


def test_what_a_stage_logs_is_on_stderr_and_only_within_a_command(monkeypatch, capsys):
    def tell(config, *, progress):
        logging.getLogger("calotools.training.fitting.checkpoints").info("goes on after epoch %d", 3)
        logging.getLogger("calotools").debug("nobody's business")
        logging.getLogger("elsewhere").info("nor this")
        return []

    monkeypatch.setattr(stages, "inspect", tell)
    assert main(["inspect", "a.root"]) == 0
    assert capsys.readouterr().err == "calotools: goes on after epoch 3\n"
    tell(None, progress=None)
    assert capsys.readouterr().err == ""
