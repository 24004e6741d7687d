"""Baskets read straight into flat arrays give what uproot gives."""

import awkward as ak
import numpy as np
import pytest
import uproot

from calotools.errors import InputFileError
from calotools.ntuple.baskets import Baskets
from calotools.ntuple.source import open_baskets, read_baskets, read_steps

N = 300


def _write(path, *, compression, extends=3):
    rng = np.random.default_rng(1)
    with uproot.recreate(path, compression=compression) as file:
        for k in range(extends):
            counts = rng.integers(0, 9, N) * (k > 0)  # the first basket holds empty lists alone
            lists = ak.unflatten(rng.exponential(10, counts.sum()).round().astype(np.float32), counts)
            columns = {
                "e": rng.normal(size=N).round(),
                "n": rng.integers(0, 9, N, dtype=np.int16),
                "good": rng.random(N) < 0.5,
            }
            columns |= {"cell": ak.zip({"e": lists, "kind": ak.values_astype(lists, np.uint8)}), "zero": np.zeros(N)}
            if k == 0:
                types = {"e": "float64", "n": "int16", "good": "bool", "zero": "float64"}
                file.mktree("t", types | {"cell": "var * {e: float32, kind: uint8}"})
            file["t"].extend(columns)
    return str(path)


@pytest.mark.parametrize(
    "compression", [uproot.ZSTD(3), uproot.LZ4(4), uproot.ZLIB(1), uproot.LZMA(1), None], ids=lambda one: str(one)[:4]
)
@pytest.mark.parametrize("step", [N, 70, 1000])
def test_they_are_what_uproot_reads(tmp_path, compression, step):
    path = _write(tmp_path / "a.root", compression=compression)
    with uproot.open(path) as file:
        tree, names = file["t"], ["e", "n", "good", "cell_e", "cell_kind", "zero"]
        baskets = Baskets.of(tree, names, path=path)
        for start, arrays in read_baskets(baskets, step=step, start=40, stop=800):
            wanted = tree.arrays(names, entry_start=start, entry_stop=start + len(arrays))
            for name in names:
                assert ak.to_packed(arrays[name]).layout.is_equal_to(ak.to_packed(wanted[name]).layout), name
        assert start + len(arrays) == 800


def test_lists_of_std_vector(data):
    path = str(data("PHYSLITE_mc20_700322_Zee_100ev.root"))
    name = "AnalysisElectronsAuxDyn.pt"
    with uproot.open(path) as file:
        tree = file["CollectionTree"]
        ((_, arrays),) = read_baskets(Baskets.of(tree, [name], path=path), step=1000)
        assert ak.array_equal(arrays[name], tree[name].array())
        assert Baskets.of(tree, [name, "xTrigDecisionAux."], path=path) is None  # that is an object


def test_a_tree_is_not_held_open(tmp_path):
    path = _write(tmp_path / "a.root", compression=uproot.ZSTD(3))
    with uproot.open(path) as file:
        baskets = open_baskets(file["t"], ["e", "cell_e"], path=path)
        wanted = file["t"]["e"].array(library="np")
    assert np.array_equal(np.concatenate([a["e"] for _, a in read_baskets(baskets, step=100)]), wanted)


@pytest.mark.parametrize("branch", ["e", "cell_e"])
@pytest.mark.parametrize("where", [0, 14, -3])
def test_damage_is_named(tmp_path, branch, where):
    path = _write(tmp_path / "a.root", compression=uproot.LZ4(4))
    with uproot.open(path) as file:
        one = file["t"][branch]
        start, size = one.member("fBasketSeek")[1], one.member("fBasketBytes")[1]
        baskets = open_baskets(file["t"], [branch], path=path)
    whole = bytearray((tmp_path / "a.root").read_bytes())
    at = start + where if where >= 0 else start + size + where
    whole[at : at + 2] = bytes(255 - one for one in whole[at : at + 2])
    (tmp_path / "a.root").write_bytes(whole)
    list(read_baskets(baskets, step=N, stop=N))  # another basket is good
    with pytest.raises(InputFileError, match=rf"a\.root', tree 't', entries from 300: \['{branch}'\].*damaged"):
        list(read_baskets(baskets, step=N, start=N))


def test_a_file_that_disappears_is_named(tmp_path):
    path = _write(tmp_path / "a.root", compression=uproot.ZSTD(3))
    with uproot.open(path) as file:
        baskets = open_baskets(file["t"], ["e"], path=path)
    (tmp_path / "a.root").unlink()
    with pytest.raises(InputFileError, match=r"a\.root', tree 't', entries from 0: .*FileNotFoundError"):
        next(read_baskets(baskets, step=N))


def test_rntuples_are_for_uproot(tmp_path):
    path = str(tmp_path / "a.root")
    with uproot.recreate(path) as file:
        file.mkrntuple("t", {"e": np.arange(5.0)})
    with uproot.open(path) as file:
        assert open_baskets(file["t"], ["e"], path=path) is None
        ((_, arrays),) = read_steps(file["t"], ["e"], path=path, step=10)
    assert arrays["e"].to_list() == [0, 1, 2, 3, 4]
