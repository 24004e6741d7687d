"""Flavour files: what they may say, and what comes out of trees that follow them."""

import awkward as ak
import numpy as np
import pytest
import uproot

from calotools.errors import BranchError, ConfigError, InputFileError
from calotools.ntuple import canonical_fields, load_flavour, read_candidates, sample_trees, shipped_flavours
from calotools.ntuple.units import convert_factor, unit_dimension


def _write_tree(path, columns, *, tree):
    with uproot.recreate(path) as file:
        file.mktree(tree, {name: ak.type(ak.Array(values)).content for name, values in columns.items()})
        file[tree].extend(columns)
    return path


def _write_rntuple(path, columns, *, tree):
    with uproot.recreate(path) as file:
        rows = ak.Array(columns)
        file.mkrntuple(tree, rows.layout.form)
        file[tree].extend(rows)
    return path


def _write_flavour(path, text):
    path.write_text(text)
    return path


def test_the_canonical_schema_is_sound():
    fields = canonical_fields()
    branches = [field.branch for field in fields.values()]
    assert len(set(branches)) == len(branches)
    assert {field.group.partition(".")[0] for field in fields.values()} == {
        "event",
        "candidate",
        "cells",
        "tracks",
        "truth",
    }
    for name, field in fields.items():
        assert np.dtype(field.type).kind in "iuf", name
        assert unit_dimension(field.unit) != "energy" or field.unit == "MeV"
        assert field.meaning
        assert name.endswith("_true") == (field.group == "truth")


@pytest.mark.parametrize("name", shipped_flavours())
def test_shipped_flavours_are_sound(name):
    flavour = load_flavour(name)
    assert flavour.name == name
    assert flavour.description
    for role in flavour.trees:
        assert role.detect, "a shipped flavour must be recognisable"
    kinematics = {"eta", "phi"} | ({"e"} if "e" in flavour.fields else {"pt"})
    assert kinematics <= set(flavour.fields)
    for field in flavour.fields.values():
        canonical = canonical_fields().get(field.name)
        if canonical and field.branches:
            assert unit_dimension(field.unit) == unit_dimension(canonical.unit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('treee = "t"', r"mine\.toml': unknown key 'treee'; nearest: 'tree'"),
        ('[candidates]\ne = "e"', "unknown key 'candidates'; nearest: 'candidate'"),
        ('[candidate]\ne = { brnch = "e", unit = "MeV" }', r"\[candidate\] brnch = 'e'|unknown key 'brnch'"),
        ('[candidate]\ne = { branch = "e", unit = "Mev" }', "unit 'Mev' is not known; nearest: 'MeV'"),
        (
            '[candidate]\ne = { branch = "e", unit = "mm" }',
            r"\[candidate\] e: unit = 'mm', but this field needs a unit of",
        ),
        (
            '[candidate]\ne = "e"',
            r"\[candidate\] e: no unit is given, but this field needs a unit of the kind of 'MeV'",
        ),
        ('[candidate]\nreta = { branch = "r", unit = "mm" }', "unit = 'mm', but this field needs none"),
        (
            '[candidate]\ne = { branch = "e", value = 1.0, unit = "MeV" }',
            "exactly one of 'branch', 'expression' and 'value'",
        ),
        ("[candidate]\ne = 5", r"\[candidate\] e = 5; give the branch's name"),
        ('[candidate]\ne = { expression = "pt * cosh(etaa)" }', r"e: 'pt \* cosh\(etaa\)' uses 'etaa'; nearest: 'eta'"),
        ("[candidate]\ne = { expression = \"__import__('os')\" }", r"uses function '__import__'"),
        ('layout = "jagged"', "layout = 'jagged'; allowed: 'rows', 'events'"),
        ("layout = ", r"mine\.toml' is not valid TOML"),
    ],
)
def test_mistakes_in_a_flavour_file(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        _load_and_read(_write_flavour(tmp_path / "mine.toml", text), tmp_path)


def _load_and_read(path, folder):
    flavour = load_flavour(path)
    sample = _write_tree(folder / "t.root", {"eta": np.ones(2)}, tree="t")
    return read_candidates(sample, flavour=path, fields=list(flavour.fields))


def test_an_absent_flavour_file():
    with pytest.raises(InputFileError, match=r"nowhere\.toml' does not exist"):
        load_flavour("nowhere.toml")


def test_units_sentinels_types_constants_and_expressions(tmp_path):
    columns = {
        "E": np.array([45e3, -999.0, 80e3]),
        "eta": np.array([0.0, 1.0, -999.0]),
        "phi_deg": np.array([0.0, 90.0, -180.0]),
        "d0_cm": np.array([0.1, -99.0, 0.3], np.float32),
        "nhits": np.array([1.0, 2.0, 3.0], np.float32),
        "tight": np.array([True, False, True]),
        "layer": ak.Array([[1, 2], [], [2]]),
        "ecell": ak.Array([[20e3, 25e3], [], [79e3]]),
    }
    path = _write_tree(tmp_path / "a.root", columns, tree="t")
    flavour = _write_flavour(
        tmp_path / "mine.toml",
        """
        tree = "t"
        missing = [-999]
        [candidate]
        e = { branch = ["energy", "E"], unit = "MeV" }
        eta = "eta"
        phi = { branch = "phi_deg", unit = "deg" }
        d0 = { branch = "d0_cm", unit = "cm", missing = -99 }
        n_pixel = "nhits"
        pass_tight = "tight"
        double = { expression = "2 * et + n_pixel" }
        charge = { value = -1 }
        [cells]
        e = { branch = "ecell", unit = "MeV" }
        sampling = { branch = "layer" }
        gain = { expression = "where(sampling == 2, 1, 0)" }
        noise = { value = 0.05 }
        """,
    )
    found = read_candidates(path, flavour=flavour)
    np.testing.assert_allclose(found.e, [45.0, np.nan, 80.0])
    np.testing.assert_allclose(found.et, [45.0, np.nan, np.nan])
    np.testing.assert_allclose(found.phi, [0.0, np.pi / 2, -np.pi])
    np.testing.assert_allclose(found.d0, [1.0, np.nan, 3.0], rtol=1e-6)
    np.testing.assert_allclose(found.double, [91.0, np.nan, np.nan])
    assert found.n_pixel.to_list() == [1, 2, 3]
    assert (found.pass_tight.to_list(), found.charge.to_list()) == ([1, 0, 1], [-1.0] * 3)
    assert [str(ak.to_numpy(found[name]).dtype) for name in ("n_pixel", "pass_tight", "charge")] == [
        "int32",
        "int32",
        "float32",
    ]
    assert found.cells.gain.to_list() == [[0, 1], [], [1]]
    assert str(ak.type(found.cells.gain)) == "3 * var * int8"
    np.testing.assert_allclose(ak.flatten(found.cells.noise), [0.05] * 3, rtol=1e-6)
    np.testing.assert_allclose(ak.flatten(found.cells.e), [20.0, 25.0, 79.0])
    assert read_candidates(path, flavour=flavour, fields=["weight"]).weight.to_list() == [1.0] * 3


def test_numbers_of_run_event_and_candidate_where_the_tree_has_none(tmp_path):
    flavour = _write_flavour(tmp_path / "mine.toml", 'tree = "t"\n[event]\nevent = "ev"\n[candidate]\neta = "eta"\n')
    for name, events in (("a.root", [7, 7, 7, 8, 9, 9]), ("b.root", [9, 7])):
        _write_tree(tmp_path / name, {"eta": np.zeros(len(events)), "ev": np.array(events, np.int64)}, tree="t")
    found = read_candidates(tmp_path / "?.root", flavour=flavour)
    assert found.candidate.to_list() == [0, 1, 2, 0, 0, 1, 0, 0]
    assert len(set(found.run[:6])) == len(set(found.run[6:])) == 1
    assert found.run[0] != found.run[6], "event 9 of the second file is another event"
    no_event = _write_flavour(tmp_path / "bare.toml", 'tree = "t"\n[candidate]\neta = "eta"\n')
    assert read_candidates(tmp_path / "a.root", flavour=no_event).event.to_list() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_candidates_of_an_event_are_counted_across_chunks(step):
    from calotools.ntuple.numbering import Numbering

    rows = ak.Array({"run": [1] * 7, "event": [5, 5, 5, 6, 7, 7, 5]})
    numbering = Numbering(run=0)
    parts = [numbering.complete(rows[start : start + step]).candidate for start in range(0, 7, step)]
    assert ak.concatenate(parts).to_list() == [0, 1, 2, 0, 0, 1, 0]


def _d3pd():
    return {
        "RunNumber": np.array([1, 1, 1], np.int32),
        "EventNumber": np.array([10, 11, 12], np.int32),
        "averageIntPerXing": np.array([20.0, 30.0, 40.0], np.float32),
        "el_cl_E": ak.Array([[50e3, 30e3], [], [40e3]]),
        "el_E": ak.Array([[51e3, 31e3], [], [41e3]]),
        "el_cl_eta": ak.Array([[0.5, -1.0], [], [2.0]]),
        "el_eta": ak.Array([[0.5, -1.0], [], [2.0]]),
        "el_phi": ak.Array([[0.5, -1.0], [], [2.0]]),
        "el_weta2": ak.Array([[0.010, -999.0], [], [0.012]]),
        "el_Ethad": ak.Array([[1e3, 2e3], [], [0.0]]),
        "el_emaxs1": ak.Array([[3e3, 2e3], [], [4e3]]),
        "el_Emax2": ak.Array([[1e3, 2e3], [], [0.0]]),
        "el_cl_cell_E": ak.Array([[[30e3, 20e3], [30e3]], [], [[40e3, -50.0, 10.0]]]),
        "el_cl_cell_eta": ak.Array([[[0.5, 0.4], [-1.0]], [], [[2.0, 2.1, 2.2]]]),
    }


def test_lists_of_candidates_per_event_are_flattened(tmp_path):
    """RNTuple, because uproot writes lists of lists only there."""
    path = _write_rntuple(tmp_path / "a.root", _d3pd(), tree="egamma")
    assert sample_trees(path) == ("electrons",)
    found = read_candidates(path)
    assert found.event.to_list() == [10, 10, 12]
    assert found.candidate.to_list() == [0, 1, 0]
    assert found.mu.to_list() == [20.0, 20.0, 40.0]
    np.testing.assert_allclose(found.e, [51.0, 31.0, 41.0])
    np.testing.assert_allclose(found.weta2, [0.010, np.nan, 0.012])
    np.testing.assert_allclose(found.rhad, np.array([1.0, 2.0, 0.0]) * np.cosh([0.5, -1.0, 2.0]) / [50, 30, 40])
    np.testing.assert_allclose(found.eratio, [0.5, 0.0, 1.0])
    np.testing.assert_allclose(ak.flatten(found.cells.e), [30.0, 20.0, 30.0, 40.0, -0.05, 0.01])
    assert ak.num(found.cells.e).to_list() == [2, 1, 3]


def test_event_fields_alone_still_give_one_row_per_candidate(tmp_path):
    path = _write_rntuple(tmp_path / "a.root", _d3pd(), tree="egamma")
    assert read_candidates(path, fields=["mu"]).mu.to_list() == [20.0, 20.0, 40.0]


def test_lists_of_candidates_that_do_not_agree(tmp_path):
    columns = _d3pd() | {"el_phi": ak.Array([[0.5], [], [2.0]])}
    path = _write_rntuple(tmp_path / "a.root", columns, tree="egamma")
    with pytest.raises(BranchError, match=r"entry 0: branch 'el_phi' has 1 candidates, other branches have 2"):
        read_candidates(path)


def test_nbi_probes(tmp_path):
    columns = {
        "runNumber": np.ones(2, np.int32),
        "eventNumber": np.array([5, 6], np.int64),
        "p_e": np.array([60e3, 70e3], np.float32),
        "p_eta": np.zeros(2, np.float32),
        "p_phi": np.zeros(2, np.float32),
        "p_f1": np.array([0.3, -999.0], np.float32),
        "p_Reta": np.array([0.9, 0.95], np.float32),
        "p_eAccCluster": np.array([58e3, 69e3], np.float32),
        "p_LHTight": np.array([1, 0], np.int32),
        "p_truth_E": np.array([61e3, 71e3], np.float32),
    }
    found = read_candidates(_write_tree(tmp_path / "a.root", columns, tree="analysis"))
    np.testing.assert_allclose(found.et, [60.0, 70.0])
    np.testing.assert_allclose(found.f1, [0.3, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found.e_acc, [58.0, 69.0])
    assert found.pass_tight.to_list() == [1, 0]
    np.testing.assert_allclose(found.e_true, [61.0, 71.0])


def test_links_are_followed_inside_their_event():
    from calotools.ntuple.columns import Place
    from calotools.ntuple.link import follow_link

    place = Place("a.root", "t", 0)
    links = ak.Array(
        [
            [
                [{"m_persKey": 9, "m_persIndex": 1}],
                [{"m_persKey": 9, "m_persIndex": 0}, {"m_persKey": 9, "m_persIndex": 1}],
            ],
            [],
            [
                [],
                [{"m_persKey": 0, "m_persIndex": 0}],
                [{"m_persKey": 3, "m_persIndex": 0}],
                [{"m_persKey": 9, "m_persIndex": 0}],
            ],
        ]
    )
    target = ak.Array([[1.0, 2.0], [7.0], [5.0]])
    found = follow_link(target, links, branch="x", place=place)
    np.testing.assert_allclose(ak.flatten(found), [2.0, 1.0, np.nan, np.nan, np.nan, 5.0])
    assert ak.num(found).to_list() == [2, 0, 4]
    lists = follow_link(ak.Array([[[1.0], [2.0, 3.0]], [[7.0]], [[5.0, 6.0]]]), links, branch="x", place=place)
    assert lists.to_list() == [[[2.0, 3.0], [1.0]], [], [[], [], [], [5.0, 6.0]]]
    with pytest.raises(BranchError, match=r"candidate 0: its link points to element 1 of 'x', which has 1"):
        follow_link(ak.Array([[1.0], [7.0], [5.0]]), links, branch="x", place=place)


def test_units_that_are_not_known():
    with pytest.raises(ConfigError, match="unit 'Gev' is not known; nearest: 'GeV'"):
        convert_factor("Gev")
