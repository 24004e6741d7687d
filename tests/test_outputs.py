import pytest

from calotools.errors import OutputError, OutputExistsError
from calotools.outputs import check_output, new_file, new_folder


def test_existing_output_is_refused(tmp_path):
    path = tmp_path / "a.root"
    path.write_text("old")
    with pytest.raises(OutputExistsError, match=r"output '.*a\.root' exists; choose another name, or .*--overwrite"):
        check_output(path, overwrite=False)
    assert check_output(path, overwrite=True) == path


def test_parent_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"folder '.*file/deeper' of the output cannot be made"):
        check_output(tmp_path / "file" / "deeper" / "a", overwrite=False)


@pytest.mark.parametrize("inside", ["a", "deeper/a"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path, inside):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=rf"'{tmp_path}/file' is a file, not a folder; choose another"):
        check_output(tmp_path / "file" / inside, overwrite=False)


def test_failed_file_leaves_nothing_and_keeps_the_old(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="midway"), new_file(path, overwrite=True) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError("midway")
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_failed_folder_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="midway"), new_folder(tmp_path / "out") as temporary:  # noqa: PT012
        (temporary / "half").write_text("")
        raise RuntimeError("midway")
    assert list(tmp_path.iterdir()) == []


def test_folder_replaces_the_old_one(tmp_path):
    for content in ("one", "two"):
        with new_folder(tmp_path / "out", overwrite=True) as temporary:
            (temporary / content).write_text("")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["two"]
