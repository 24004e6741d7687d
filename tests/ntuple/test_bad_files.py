"""Each kind of trouble has its own error, which says where and what to do."""

import awkward as ak
import numpy as np
import pytest
import uproot

from calotools.cli.main import main
from calotools.errors import (
    BranchError,
    CellError,
    ConfigError,
    EmptyInputError,
    InputFileError,
    TreeError,
    UnitError,
)
from calotools.ntuple import (
    NtupleWriter,
    RangeReader,
    check_cells,
    inspect_files,
    iterate_candidates,
    list_ranges,
    read_candidates,
)


@pytest.fixture
def sample(tmp_path, make_candidates):
    path = tmp_path / "a.root"
    with NtupleWriter(path) as writer:
        writer.extend("electrons", make_candidates(200))
    return path


def _write_tree(path, columns, *, tree="electrons"):
    with uproot.recreate(path) as file:
        file.mktree(tree, {name: ak.type(ak.Array(values)).content for name, values in columns.items()})
        file[tree].extend(columns)
    return path


def _columns(**changes):
    """A minimal native tree of three rows, in MeV."""
    columns = {
        "run": np.ones(3, np.uint32),
        "event": np.arange(3, dtype=np.uint64),
        "candidate": np.zeros(3, np.int32),
        "e": np.full(3, 50e3, np.float32),
        "eta": np.zeros(3, np.float32),
        "phi": np.zeros(3, np.float32),
    }
    return {name: values for name, values in (columns | changes).items() if values is not None}


def test_an_absent_file_names_those_most_like_it(tmp_path):
    for name in ("alpha", "beta", "gamma", "zee_2018"):
        (tmp_path / f"{name}.root").touch()
    with pytest.raises(InputFileError, match=r"does not exist; its folder holds \['[^']*zee_2018\.root'"):
        inspect_files(str(tmp_path / "zee_2019.root"))


def test_absent_files(tmp_path, sample):
    with pytest.raises(InputFileError, match=r"file '.*b\.root' does not exist; its folder holds \['.*a\.root'\]"):
        read_candidates(tmp_path / "b.root")
    with pytest.raises(InputFileError, match=r"no file matches '.*z\*\.root'"):
        read_candidates(tmp_path / "z*.root")
    with pytest.raises(InputFileError, match=r"is a folder; give the files in it"):
        read_candidates(tmp_path)
    with pytest.raises(InputFileError, match="no input file was given"):
        read_candidates([])
    with pytest.raises(InputFileError, match=r"a\.root' is named more than once"):
        read_candidates([sample, tmp_path / "*.root"])


def test_a_truncated_file(tmp_path, sample):
    whole = sample.read_bytes()
    (tmp_path / "cut.root").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError, match=rf"cut\.root' is truncated: .* declares {len(whole)} bytes, it has"):
        read_candidates(tmp_path / "cut.root")
    (tmp_path / "header.root").write_bytes(whole[:10])
    with pytest.raises(InputFileError, match="is truncated: 10 bytes, shorter than its header"):
        read_candidates(tmp_path / "header.root")


def test_what_is_not_a_root_file(tmp_path):
    (tmp_path / "text.root").write_text("hello")
    with pytest.raises(InputFileError, match=r"text\.root' is not a ROOT file: it starts with b'hell'"):
        read_candidates(tmp_path / "text.root")
    (tmp_path / "empty.root").write_bytes(b"")
    with pytest.raises(InputFileError, match=r"empty\.root' is empty \(0 bytes\)"):
        read_candidates(tmp_path / "empty.root")


def test_damaged_bytes_inside(tmp_path, sample):
    """The directory is whole, a basket is not."""
    with uproot.open(sample) as file:
        branch = file["electrons/cell_e"]
        start = branch.member("fBasketSeek")[0] + branch.basket(0).member("fKeylen")
    content = bytearray(sample.read_bytes())
    content[start + 20 : start + 2000] = bytes(1980)
    (tmp_path / "bad.root").write_bytes(bytes(content))
    with pytest.raises(InputFileError, match=r"bad\.root', tree 'electrons', entries from 0: .*'cell_e'.* damaged"):
        read_candidates(tmp_path / "bad.root", fields=["cells.e"])
    assert len(read_candidates(tmp_path / "bad.root", fields=["et"])) == 200


def test_a_damaged_tree_header(tmp_path, sample):
    with uproot.open(sample) as file:
        key = file.key("electrons")
        start = key.fSeekKey + key.fKeylen
    content = bytearray(sample.read_bytes())
    content[start + 10 : start + 500] = bytes(490)
    (tmp_path / "bad.root").write_bytes(bytes(content))
    with pytest.raises(InputFileError, match=r"bad\.root': its trees cannot be read"):
        read_candidates(tmp_path / "bad.root")


def test_the_wrong_tree(tmp_path, sample, make_candidates):
    with pytest.raises(TreeError, match=r"a\.root' holds no tree 'elecrons'; nearest: 'electrons'"):
        read_candidates(sample, tree="elecrons")
    with NtupleWriter(tmp_path / "two.root") as writer:
        writer.extend("electrons", make_candidates(2))
        writer.extend("photons", make_candidates(2))
    with pytest.raises(TreeError, match=r"holds \['electrons', 'photons'\]; say which \(--tree\)"):
        read_candidates(tmp_path / "two.root")
    with pytest.raises(TreeError, match=r"holds \['electrons'\]; flavour 'physlite' needs a tree 'CollectionTree'"):
        read_candidates(sample, flavour="physlite")


def test_a_missing_branch(tmp_path):
    path = _write_tree(tmp_path / "a.root", _columns(retaa=np.ones(3, np.float32)))
    said = r"branch 'reta' of field 'reta' is not in file '.*a\.root', tree 'electrons'; nearest: 'retaa'"
    with pytest.raises(BranchError, match=said + r".*; the name is stated in flavour 'native', '.*native\.toml'"):
        read_candidates(path, fields=["reta"])
    with pytest.raises(BranchError, match=r"field 'reeta' is not known .*; nearest: 'reta'"):
        read_candidates(path, fields=["reeta"])
    with pytest.raises(BranchError, match=r"branch 'cell_e' of field 'cells\.e' is not in"):
        read_candidates(path, fields=["cells"])


def test_a_branch_of_the_wrong_type(tmp_path):
    lists = ak.Array([[1.0], [2.0, 3.0], []])
    path = _write_tree(tmp_path / "a.root", _columns(reta=lists))
    with pytest.raises(
        BranchError, match=r"branch 'reta' holds a list of numbers per entry .*; a|but the field needs one"
    ):
        read_candidates(path, fields=["reta"])
    path = _write_tree(tmp_path / "b.root", _columns(cell_e=np.ones(3, np.float32)))
    with pytest.raises(BranchError, match=r"'cell_e' holds one number per entry .* the field needs a list of numbers"):
        read_candidates(path, fields=["cells.e"])
    path = _write_tree(tmp_path / "c.root", _columns(candidate=np.array([0.0, 0.5, 1.0])))
    with pytest.raises(
        BranchError, match=r"branch 'candidate', value 1 from entry 0: 0\.5 does not fit the type int32"
    ):
        read_candidates(path)
    path = _write_tree(tmp_path / "d.root", _columns(run=np.array([1, -5, 1], np.int32)))
    with pytest.raises(BranchError, match=r"branch 'run', value 1 .*: -5 does not fit the type uint32"):
        read_candidates(path)


def test_a_branch_of_strings(tmp_path):
    with uproot.recreate(tmp_path / "a.root") as file:
        form = ak.Array({**_columns(), "reta": ["a", "b", "c"]})
        file.mkrntuple("electrons", form.layout.form)
        file["electrons"].extend(form)
    with pytest.raises(BranchError, match=r"branch 'reta' holds string; a number is needed"):
        read_candidates(tmp_path / "a.root", fields=["reta"])


def test_lists_that_do_not_agree(tmp_path):
    cells = {"cell_e": ak.Array([[1.0], [2.0, 3.0], []]), "cell_eta": ak.Array([[1.0], [2.0], [3.0]])}
    path = _write_tree(tmp_path / "a.root", _columns(**cells))
    with pytest.raises(
        BranchError, match=r"entry 1: branch 'cell_eta' has 1 cells, other branches have 2; they must agree"
    ):
        read_candidates(path, fields=["cells"])


def test_zero_entries(tmp_path, sample):
    with NtupleWriter(tmp_path / "none.root") as writer:
        writer.extend("electrons", {name: values[:0] for name, values in _columns().items()})
    with pytest.raises(EmptyInputError, match=r"no candidate in \['.*none\.root'\]: zero entries"):
        read_candidates(tmp_path / "none.root")
    assert len(read_candidates([tmp_path / "none.root", sample])) == 200
    with uproot.recreate(tmp_path / "bare.root") as file:
        file["note"] = "no tree here"
    with pytest.raises(EmptyInputError, match=r"bare\.root' holds no TTree and no RNTuple"):
        read_candidates(tmp_path / "bare.root")


def test_no_flavour_or_the_wrong_one(tmp_path):
    path = _write_tree(tmp_path / "a.root", {"x": np.ones(3)})
    with pytest.raises(
        ConfigError, match=r"no flavour matches file '.*a\.root' with trees \['electrons'\]; shipped: \["
    ):
        read_candidates(path)
    with pytest.raises(ConfigError, match="flavour 'nativ' is not shipped; nearest: 'native'"):
        read_candidates(path, flavour="nativ")
    path = _write_tree(tmp_path / "b.root", _columns(candidate=None))
    with pytest.raises(ConfigError, match=r"nearest is 'native' \(tree 'electrons' lacks \['candidate'\]\)"):
        read_candidates(path)
    path = _write_tree(tmp_path / "c.root", _columns(), tree="mytree")
    with pytest.raises(ConfigError, match=r"nearest is 'native' \(tree 'mytree' is not called '"):
        read_candidates(path)
    assert len(read_candidates(path, flavour="native", tree="mytree")) == 3


def test_more_than_one_flavour(tmp_path):
    columns = _columns() | {name: np.ones(3) for name in ("p_eta", "p_phi", "p_f1", "p_Reta")}
    path = _write_tree(tmp_path / "a.root", columns)
    with pytest.raises(ConfigError, match=r"looks like more than one flavour: \['native', 'nbi'\]; name one"):
        read_candidates(path)


def test_gev_in_place_of_mev_and_the_reverse(tmp_path):
    path = _write_tree(tmp_path / "a.root", _columns(e=np.full(3, 45.0, np.float32)))
    with pytest.raises(
        UnitError, match=r"median of 'et' is 0\.045 GeV.*the file is in GeV, not MeV\? correct 'unit' in flav"
    ):
        read_candidates(path)
    mine = tmp_path / "mine.toml"
    mine.write_text('tree = "electrons"\n[candidate]\net = { branch = "e", unit = "GeV" }\neta = "eta"\nphi = "phi"\n')
    path = _write_tree(tmp_path / "b.root", _columns(e=np.full(3, 45e3, np.float32)))
    with pytest.raises(
        UnitError, match=r"median of 'et' is 45000 GeV, not plausible: the file is in MeV\?.*mine\.toml"
    ):
        read_candidates(path, flavour=mine)


def test_cells_in_another_unit_than_the_candidate(tmp_path):
    cells = ak.Array([[20.0, 30.0], [50.0], [45.0]])
    path = _write_tree(tmp_path / "a.root", _columns(cell_e=cells))
    with pytest.raises(UnitError, match=r"cells' energies sum to 0\.001 times the candidate's"):
        read_candidates(path)


def test_degrees_in_place_of_radians(tmp_path):
    path = _write_tree(tmp_path / "a.root", _columns(phi=np.array([10.0, 170.0, -90.0], np.float32)))
    with pytest.raises(UnitError, match=r"'phi' reaches 170 rad: the file is in degrees\?"):
        read_candidates(path)


def test_odd_cells_are_counted_and_bad_candidates_named(tmp_path):
    cells = {
        "cell_e": ak.Array([[50e3, np.nan, np.inf], [np.nan, np.nan], []]),
        "cell_eta": ak.Array([[0.0, 9.0, 0.0], [0.0, 0.0], []]),
        "cell_phi": ak.Array([[0.0, 0.0, 40.0], [0.0, np.nan], []]),
        "cell_sampling": ak.Array([[2, 200, 2], [2, 2], []]),
    }
    path = _write_tree(tmp_path / "a.root", _columns(**cells, e=np.array([50e3, np.nan, 50e3], np.float32)))
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'tree = "electrons"\n[candidate]\ne = { branch = "e", unit = "MeV" }\neta = "eta"\n[cells]\n'
        'e = { branch = "cell_e", unit = "MeV" }\neta = "cell_eta"\nphi = "cell_phi"\nsampling = "cell_sampling"\n'
    )
    with pytest.raises(UnitError, match=r"'cells.phi' reaches 40 rad"):
        read_candidates(path, flavour=mine)
    cells["cell_phi"] = ak.Array([[0.0] * 3, [0.0, np.nan], []])
    path = _write_tree(tmp_path / "b.root", _columns(**cells, e=np.array([50e3, np.nan, 50e3], np.float32)))
    (chunk,) = iterate_candidates(path, flavour=mine)
    assert chunk.problems == {
        "candidates with non-finite et": 1,
        "candidates without cells": 1,
        "cells with non-finite e": 4,
        "cells with non-finite phi": 1,
        "candidates without a cell of finite energy": 1,
        "cells with eta out of range": 1,
        "cells with sampling out of range": 1,
    }
    with pytest.raises(CellError, match=r"b\.root', tree 'electrons': candidate 2 has no cells \(1 of 3 candidates\)"):
        check_cells(chunk.candidates, source=chunk.source, start=chunk.start)
    with pytest.raises(CellError, match=r"candidate 11 has no cell of finite energy"):
        check_cells(chunk.candidates[:2], start=10)
    check_cells(chunk.candidates[:1])


def test_inspect_names_bad_files_and_goes_on(tmp_path, sample):
    (tmp_path / "b.root").write_bytes(sample.read_bytes()[:500])
    _write_tree(tmp_path / "c.root", {"x": np.ones(3)}, tree="other")
    good, cut, unknown = inspect_files(tmp_path / "*.root")
    assert (good.error, good.n_candidates) == (None, 200)
    assert isinstance(cut.error, InputFileError)
    assert isinstance(unknown.error, ConfigError)
    assert (unknown.trees[0].name, unknown.trees[0].entries, unknown.trees[0].unknown) == ("other", 3, ("x",))


def test_inspect_of_a_tree_in_the_wrong_unit_still_tells_the_branches(tmp_path):
    path = _write_tree(tmp_path / "a.root", _columns(e=np.full(3, 45.0, np.float32), mine=np.ones(3)))
    (report,) = inspect_files(path)
    assert isinstance(report.error, UnitError)
    assert report.trees[0].matched["e"] == "e"
    assert report.trees[0].unknown == ("mine",)


FLAVOUR = """
tree = "electrons"
[candidate]
e = { branch = "e", unit = "MeV" }
eta = "ETA"
phi = "phi"
charge = "no_such_charge"
"""


@pytest.mark.parametrize(("there", "code"), [("ETA", 0), ("eta", 5)])
def test_inspect_ends_as_reading_does_where_a_needed_field_is_missing(tmp_path, capsys, there, code):
    columns = _columns(**({"eta": None} | {there: np.zeros(3, np.float32)}))
    path = _write_tree(tmp_path / "a.root", columns)
    flavour = tmp_path / "mine.toml"
    flavour.write_text(FLAVOUR, encoding="utf-8")
    assert main(["inspect", str(path), "--flavour", str(flavour)]) == code
    printed = capsys.readouterr().out
    # what nothing depends on may be missing
    assert ("missing 2: eta, charge" if code else "missing 1: charge") in printed
    assert ("problem:" in printed) == bool(code)
    if code:
        with pytest.raises(BranchError, match="branch 'ETA' of field 'eta' is not in file") as refused:
            read_candidates(path, flavour=flavour, fields=["e", "eta"])
        assert refused.value.exit_code == code
        assert f"problem: {refused.value}" in printed


def test_inspect_misses_a_part_of_cells_and_not_all_of_them(tmp_path):
    text = FLAVOUR.replace("ETA", "eta") + '[cells]\ne = { branch = "cell_e", unit = "MeV" }\neta = "cell_eta"\n'
    flavour = tmp_path / "mine.toml"
    flavour.write_text(text, encoding="utf-8")
    without = _write_tree(tmp_path / "without.root", _columns())
    assert inspect_files(without, flavour=flavour)[0].error is None
    part = _write_tree(tmp_path / "part.root", _columns(cell_e=ak.Array([[50e3], [20e3, 30e3], [50e3]])))
    (report,) = inspect_files(part, flavour=flavour)
    assert isinstance(report.error, BranchError)
    assert "branch 'cell_eta' of field 'cells.eta' is not in" in str(report.error)


def test_a_step_of_zero(sample):
    with pytest.raises(ConfigError, match="step = 0; at least 1 entry"):
        next(iterate_candidates(sample, step=0))


@pytest.mark.parametrize(("factor", "said"), [(1e-3, r"in GeV, not MeV\?"), (1e3, r"in MeV, not GeV\?")])
def test_truth_in_another_unit_than_what_was_measured(tmp_path, make_candidates, factor, said):
    candidates = make_candidates(200)
    candidates["e_true"] = (candidates["e"] * np.random.default_rng(1).uniform(0.7, 1.3, 200) * factor).astype("f4")
    path = tmp_path / "a.root"
    with NtupleWriter(path) as writer:
        writer.extend("electrons", candidates)
    where = r"a\.root', tree 'electrons', branch 'e_true': median of e_true / e is \d\S* \(200 candidates\);.*"
    for fields in (None, ("e", "e_true")):
        with pytest.raises(UnitError, match=where + said + " correct 'unit' in flavour 'native'"):
            read_candidates(path, fields=fields)
    with RangeReader(fields=("e", "e_true")) as read, pytest.raises(UnitError, match=where + said):
        read(list_ranges(path)[0])
    assert len(read_candidates(path, fields=("e", "eta"))) == 200  # truth that nobody wants


def test_absurd_energies_of_cells_are_counted(tmp_path):
    cells = {"cell_e": ak.Array([[50e3, -2e9, np.inf], [50e3], [50e3]])}
    path = _write_tree(tmp_path / "a.root", _columns(**cells))
    (chunk,) = iterate_candidates(path)
    assert chunk.problems == {"cells with non-finite e": 1, "cells with e beyond 1e6 GeV": 1}


def test_truth_of_something_else_passes(tmp_path, make_candidates):
    drawn, rng = make_candidates(200), np.random.default_rng(1)
    nobody, few = np.full(200, np.nan), np.where(np.arange(200) < 190, np.nan, 0.04)
    muons = np.ones(200, np.float32)
    cases = (
        (drawn["e"], drawn["e"] * rng.uniform(0.1, 30, 200)),  # the jet of a fake
        (drawn["e"], nobody),
        (drawn["e"], few),
        (drawn["e"], np.where(np.arange(200) < 60, 0.04, drawn["e"])),
        (muons, np.full(200, 1000)),
    )
    for number, (e, true) in enumerate(cases):
        path = tmp_path / f"{number}.root"
        with NtupleWriter(path) as writer:
            writer.extend("electrons", drawn | {"e": e, "e_true": true.astype("f4")})
        assert len(read_candidates(path, fields=("e", "e_true"))) == 200
