"""What is written is what is read, in either container, whatever the chunks."""

import resource

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calotools.errors import BranchError, ConfigError, InputFileError, OutputError, OutputExistsError
from calotools.ntuple import (
    NtupleWriter,
    canonical_fields,
    inspect_files,
    iterate_candidates,
    read_candidates,
    read_metadata,
    sample_trees,
)


def _write(path, trees, **options):
    with NtupleWriter(path, **options) as writer:
        for tree, candidates in trees.items():
            writer.extend(tree, candidates)
    return path


def _close(found, wanted):
    """Energies are converted twice in single precision: at most two units in the last place."""
    found, wanted = (ak.to_numpy(ak.flatten(one, axis=None)) for one in (found, wanted))
    np.testing.assert_allclose(found, wanted, rtol=3e-7, atol=0)


@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
def test_every_canonical_field_survives(tmp_path, make_candidates, kind):
    written = make_candidates(50)
    found = read_candidates(_write(tmp_path / "a.root", {"electrons": written}, format=kind))
    for name, field in canonical_fields().items():
        group, _, member = name.rpartition(".")
        theirs, ours = (one[group][member] if group else one[name] for one in (found, written))
        _close(theirs, ours)
        assert ak.type(theirs).content == ak.type(ak.Array(ours)).content, name
        assert str(ak.to_numpy(ak.flatten(theirs, axis=None)).dtype) == field.type


@pytest.mark.parametrize("kind", ["ttree", "rntuple"])
def test_branches_are_native_names_in_native_units(tmp_path, make_candidates, kind):
    path = _write(tmp_path / "a.root", {"electrons": make_candidates(5)}, format=kind)
    with uproot.open(path) as file:
        tree = file["electrons"]
        names = set(tree.keys()) - {"ncell", "ntrack"}
        energy = tree["e"].array(library="np")
    assert names == {field.branch for field in canonical_fields().values()}
    np.testing.assert_allclose(energy, make_candidates(5)["e"] * 1000, rtol=1e-6)


def test_both_containers_read_the_same(tmp_path, make_candidates):
    files = [
        _write(tmp_path / f"{kind}.root", {"photons": make_candidates(30)}, format=kind)
        for kind in ("ttree", "rntuple")
    ]
    one, other = (read_candidates(path) for path in files)
    assert one.fields == other.fields
    assert ak.array_equal(one, other, dtype_exact=True)


def test_content_does_not_depend_on_the_writer_s_chunks(tmp_path, make_candidates):
    whole = ak.Array(make_candidates(4500, truth=False, cells=(1, 4)))
    one = _write(tmp_path / "one.root", {"electrons": whole})
    with NtupleWriter(tmp_path / "many.root") as writer:
        for start in range(0, 4500, 700):
            writer.extend("electrons", whole[start : start + 700])
    with uproot.open(one) as a, uproot.open(tmp_path / "many.root") as b:
        assert [a["electrons/cell_e"].basket_entry_start_stop(i) for i in (0, 1)] == [(0, 4000), (4000, 4500)]
        assert b["electrons/cell_e"].num_baskets == 2
    assert ak.array_equal(read_candidates(one), read_candidates(tmp_path / "many.root"))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step=st.integers(1, 60))
def test_content_does_not_depend_on_the_reader_s_step(tmp_path, make_candidates, step):
    path = tmp_path / "a.root"
    if not path.exists():
        _write(path, {"electrons": make_candidates(47)})
    fields = ["et", "cells.e", "tracks.pt"]
    chunks = list(iterate_candidates(path, fields=fields, step=step))
    assert [chunk.start for chunk in chunks] == list(range(0, 47, step))
    assert ak.array_equal(ak.concatenate([chunk.candidates for chunk in chunks]), read_candidates(path, fields=fields))


def test_files_are_read_in_the_order_given_and_globs_sorted(tmp_path, make_candidates):
    for first in (20, 0, 10):
        _write(tmp_path / f"part{first:02}.root", {"electrons": make_candidates(10, first=first)})
    assert read_candidates(tmp_path / "part*.root").event.to_list() == list(range(30))
    named = [tmp_path / "part20.root", tmp_path / "part1*.root"]
    assert read_candidates(named, fields=["et"]).event.to_list() == [*range(20, 30), *range(10, 20)]


def test_only_what_was_asked_for_is_read(tmp_path, make_candidates):
    path = _write(tmp_path / "a.root", {"electrons": make_candidates(8)})
    found = read_candidates(path, fields=["reta", "cells.e", "tracks"], max_candidates=3)
    assert len(found) == 3
    assert found.fields == ["run", "event", "candidate", "reta", "cells", "tracks"]
    assert found.cells.fields == ["e"]
    assert set(found.tracks.fields) == {one.name[7:] for one in canonical_fields().values() if one.group == "tracks"}


def test_absent_truth_stays_absent_and_a_skim_can_be_written_again(tmp_path, make_candidates):
    first = _write(tmp_path / "a.root", {"electrons": make_candidates(9, truth=False)})
    read = read_candidates(first)
    assert not [name for name in read.fields if name.endswith("_true")]
    again = read_candidates(_write(tmp_path / "b.root", {"electrons": read[[1, 4, 5]]}))
    assert again.event.to_list() == [1, 4, 5]
    _close(again.cells.e, read.cells.e[[1, 4, 5]])


def test_nan_survives(tmp_path):
    candidates = {"e": [1.0, np.nan], "eta": [0.5, 1.0], "phi": [0.0, 0.0], "candidate": [0, 0]}
    found = read_candidates(_write(tmp_path / "a.root", {"photons": candidates}), fields=["e"])
    assert found.e[0] == 1.0
    assert np.isnan(found.e[1])


def test_metadata_and_several_trees(tmp_path, make_candidates):
    trees = {"electrons": make_candidates(3), "photons": make_candidates(2)}
    path = _write(tmp_path / "a.root", trees, metadata={"seed": 7, "effects": {"noise": False}})
    assert read_metadata(path) == {"seed": 7, "effects": {"noise": False}}
    assert sample_trees(path) == ("electrons", "photons")
    assert len(read_candidates(path, tree="photons")) == 2


def test_metadata_of_a_foreign_file_is_empty(tmp_path):
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("t", {"x": "float32"})
    assert read_metadata(tmp_path / "a.root") == {}


def test_metadata_that_is_not_json(tmp_path):
    with uproot.recreate(tmp_path / "a.root") as file:
        file["calotools"] = "{"
    with pytest.raises(InputFileError, match=r"a\.root.*'calotools' is not JSON"):
        read_metadata(tmp_path / "a.root")


def test_an_existing_output_is_kept(tmp_path, make_candidates):
    path = _write(tmp_path / "a.root", {"electrons": make_candidates(3)})
    with pytest.raises(OutputExistsError, match=r"a\.root' exists"), NtupleWriter(path):
        pass
    assert len(read_candidates(path)) == 3
    _write(path, {"electrons": make_candidates(4)}, overwrite=True)
    assert len(read_candidates(path)) == 4


def test_nothing_half_written_stays(tmp_path, make_candidates):
    class InterruptedWorkError(Exception):
        pass

    def work():
        with NtupleWriter(tmp_path / "a.root") as writer:
            writer.extend("electrons", make_candidates(5000, truth=False, cells=(1, 4)))
            raise InterruptedWorkError("in the middle")

    with pytest.raises(InterruptedWorkError, match="in the middle"):
        work()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_an_error_that_names_the_output(tmp_path, make_candidates):
    candidates = make_candidates(300)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OutputError, match=r"output '.*a\.root' cannot be written: File too large"):
            _write(tmp_path / "a.root", {"electrons": candidates})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_fields_that_are_not_native_are_refused(tmp_path):
    with pytest.raises(BranchError, match=r"field 'ett' is not of the native ntuple; nearest: 'et'"):
        _write(tmp_path / "a.root", {"electrons": {"ett": [1.0]}})
    assert list(tmp_path.iterdir()) == []


def test_fields_must_not_change_while_writing(tmp_path):
    def work():
        with NtupleWriter(tmp_path / "a.root") as writer:
            writer.extend("electrons", {"et": [1.0], "eta": [0.0]})
            writer.extend("electrons", {"et": [1.0], "phi": [0.0]})

    with pytest.raises(BranchError, match=r"tree 'electrons'.*lack \['eta'\] and add \['phi'\]"):
        work()


def test_unknown_format_and_compression(tmp_path):
    with pytest.raises(ConfigError, match="format = 'tree'; nearest: 'ttree'"):
        NtupleWriter(tmp_path / "a.root", format="tree")
    with pytest.raises(ConfigError, match="compression = 'lz'; nearest: 'lz4'"):
        NtupleWriter(tmp_path / "a.root", compression="lz")


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_compressions_hold_the_same(tmp_path, make_candidates, compression):
    path = _write(tmp_path / "a.root", {"electrons": make_candidates(6)}, compression=compression)
    _close(read_candidates(path).cells.e, make_candidates(6)["cells"].e)


def test_rows_of_cells_and_candidates_stay_together(tmp_path, make_candidates):
    """A selected (indexed, masked) array is written as selected."""
    whole = ak.Array(make_candidates(40))
    mask = np.arange(40) % 3 == 1
    path = _write(tmp_path / "a.root", {"electrons": whole[mask][::-1]})
    found = read_candidates(path)
    assert found.event.to_list() == whole.event[mask][::-1].to_list()
    assert ak.num(found.cells.e).to_list() == ak.num(whole.cells.e)[mask][::-1].to_list()
    _close(found.cells.e, whole.cells.e[mask][::-1])


def test_inspect_of_what_was_written(tmp_path, make_candidates):
    path = _write(tmp_path / "a.root", {"electrons": make_candidates(20, truth=False), "photons": make_candidates(3)})
    (report,) = inspect_files(path)
    electrons, photons = report.trees
    assert (report.flavour, report.error, report.n_candidates) == ("native", None, 23)
    assert (electrons.n_candidates, photons.n_candidates) == (20, 3)
    assert set(electrons.missing) == {one.name for one in canonical_fields().values() if one.group == "truth"}
    assert photons.missing == ()
    assert photons.matched["cells.e"] == "cell_e"
    counts = ak.num(make_candidates(20, truth=False)["cells"].e)
    assert electrons.cells == (pytest.approx(float(np.mean(counts))), int(np.min(counts)), int(np.max(counts)))
    assert electrons.unknown == ()
    assert electrons.problems == {}
