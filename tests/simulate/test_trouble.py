"""What goes wrong while simulating is said clearly, and leaves nothing behind."""

import errno
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from calotools.errors import ConfigError, OutputError, WorkerError
from calotools.recipe import SimulateConfig
from calotools.simulate import driver, simulate
from calotools.simulate.blocks import Recipe, simulate_block
from calotools.simulate.effects import Effects
from calotools.simulate.generator import CANDIDATES_PER_EVENT
from calotools.simulate.pseudo_data import Injected
from calotools.simulate.response import Particles, simulate_response


def config(folder, **values):
    return SimulateConfig(**{"process": "electrons", "n": 410, "mu": 0, "output": folder / "a.root", **values})


class Deadly:
    """Kills the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (3,)


def test_a_killed_process_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "simulate_block", Deadly())
    with pytest.raises(WorkerError, match=r"a process of --jobs 2 ended before its work was done.*use fewer jobs"):
        simulate(config(tmp_path, jobs=2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
def test_a_full_disk_names_the_output_and_leaves_nothing(tmp_path, monkeypatch, kind):
    from uproot.sink.file import FileSink

    written = 0
    write = FileSink.write

    def until_full(self, location, serialization):
        nonlocal written
        written += len(serialization)
        if written > 200_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, location, serialization)

    monkeypatch.setattr(FileSink, "write", until_full)
    message = r"output '.*a\.root' cannot be written: No space left on device; free some space"
    with pytest.raises(OutputError, match=message):
        simulate(config(tmp_path, n=200, format=kind))
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_a_folder_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "simulate_block", None)
    (tmp_path / "a.root").mkdir()
    with pytest.raises(OutputError, match=r"a\.root' is a folder, a file is going to be written"):
        simulate(config(tmp_path, overwrite=True))


def test_a_folder_that_cannot_be_made_or_written(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "simulate_block", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"folder '.*file/deeper' of the output cannot be made: Not a directory"):
        simulate(config(tmp_path / "file" / "deeper"))
    if os.access("/proc", os.F_OK):
        with pytest.raises(OutputError, match=r"output '/proc/a\.root' cannot be written"):
            simulate(SimulateConfig(process="electrons", n=1, output="/proc/a.root"))


@pytest.mark.parametrize("eta", [2.9, -5.0])
def test_eta_outside_the_detector(eta):
    none = np.zeros(2)
    two = Particles(*(np.array([value, value]) for value in (0, 11, 50.0, 0.3, 1.0, 0.0, 0.0)))
    two.candidate[1], two.eta[1] = 1, eta
    message = rf"candidate 1 has no particle inside the detector: the nearest has \|eta\| = {abs(eta):.2f}"
    with pytest.raises(ConfigError, match=message):
        simulate_response(
            two, n_candidates=2, mu=none, mu_average=none, effects=Effects(), rng=np.random.default_rng(1)
        )


def _recipes():
    for process in CANDIDATES_PER_EVENT:
        yield Recipe(process, 5, 230, 0.0, Effects(), None)
    yield Recipe("zee", 5, 230, 0.0, Injected().change(Effects()), Injected())


def _columns(block):
    table = block.candidates
    found = dict(table.flat)
    for name, lists in table.lists.items():
        found |= {f"{name}.offsets": lists.offsets, **{f"{name}.{key}": one for key, one in lists.columns.items()}}
    return found


def test_every_process_gives_the_same_block_anywhere_and_in_any_order():
    """What --jobs and --shard rest on: a block in a process of its own, made last first."""
    recipes = list(_recipes())
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = [[pool.submit(simulate_block, recipe, number) for number in (1, 0)] for recipe in recipes]
        for recipe, futures in zip(recipes, elsewhere, strict=True):
            for number, future in zip((0, 1), futures[::-1], strict=True):
                here, there = simulate_block(recipe, number), future.result()
                columns, others = _columns(here), _columns(there)
                assert list(columns) == list(others)
                for name, column in columns.items():
                    np.testing.assert_array_equal(column, others[name], err_msg=f"{recipe.process} {name}")
                assert here.n_events == there.n_events == (200, 30)[number]
                if recipe.injected is not None:
                    np.testing.assert_array_equal(here.counts.total, there.counts.total)
                    assert here.counts.background == there.counts.background
