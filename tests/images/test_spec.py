"""Image specs: shipped ones, a user's file, and what is refused."""

import re

import numpy as np
import pytest

from calotools.containers import ImageSpec
from calotools.errors import ConfigError, InputFileError
from calotools.images import image_spec, shipped_specs, spec_from_dict, spec_to_dict

CMS = """
centre_layer = "crystals"
[grids.em]
n_eta = 5
n_phi = 5
d_eta = 0.0174533
d_phi = 0.0174533
[[layers]]
name = "crystals"
samplings = [1]
cell_size = [0.0174533, 0.0174533]
share = "centre"
"""


@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_are_complete(name):
    spec = image_spec(name)
    assert spec_from_dict(spec_to_dict(spec)) == spec
    window = (0.8, 32 * 2 * np.pi / 256) if name == "objects" else (0.175, 11 * 2 * np.pi / 256)
    assert all(grid.window == pytest.approx(window) for grid in spec.grids.values())
    assert all(tuple(layer.samplings) for layer in spec.layers)


def test_quantities_of_the_shipped_specs():
    assert image_spec("energy_full").quantities == ("energy", "time", "gain", "noise")
    assert [layer.name for layer in image_spec("electron_slides").layers] == [
        "strips",
        "middle",
        "back",
        "had1",
        "had2",
    ]


def test_own_file(tmp_path):
    path = tmp_path / "cms.toml"
    path.write_text(CMS)
    spec = image_spec(path)
    assert spec.shapes() == {"em": (1, 5, 5)}
    assert spec.layers[0].share == "centre"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "crystals"', 'nam = "crystals"', r"unknown key '.*nam'; nearest: 'name'"),
        ("n_phi = 5", "n_phi = 300", "image grid 'em' has 5 x 300 pixels; at most 255"),
        ("n_phi = 5", "n_phi = 0", "at least one pixel"),
        ('centre_layer = "crystals"', 'centre_layer = "middle"', "images are centred on layer 'middle'"),
        ("samplings = [1]", "samplings = [300]", "sampling 300 is not between"),
        ("[1]\ncell_size = [0.0174533, 0.0174533]\nshare", "[99]\nshare", None),
        ('[99]\nshare = "centre"', "", None),
    ],
)
def test_bad_files_are_explained(tmp_path, old, new, message):
    path = tmp_path / "own.toml"
    path.write_text(CMS.replace(old, new))
    if message is None:
        image_spec(path)
        return
    with pytest.raises(ConfigError, match=f"{re.escape(str(path))}.*{message}|{message}"):
        image_spec(path)


def test_a_spec_without_layers_is_explained(tmp_path):
    """Whatever its centre: in a file, which is named, and made in memory."""
    for centre in ("cluster", "hottest"):
        path = tmp_path / f"{centre}.toml"
        path.write_text(f'centre = "{centre}"\nlayers = []\n' + CMS[CMS.index("[grids") : CMS.index("[[layers")])
        with pytest.raises(
            ConfigError, match=rf"{centre}\.toml: .*\(grids: em\) has no layers.* add some, such as \[\["
        ):
            image_spec(path)
    with pytest.raises(ConfigError, match=r"the image spec \(grids: none\) has no layers"):
        ImageSpec(grids={}, layers=(), centre="cluster")


def test_unknown_width_and_shared_sampling(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        CMS.replace("[1]", "[99]").replace("cell_size = [0.0174533, 0.0174533]\n", "").replace('"centre"', '"overlap"')
    )
    with pytest.raises(ConfigError, match="the granularity table has no sampling 99; give cell_size"):
        image_spec(path)
    path.write_text(CMS + '[[layers]]\nname = "again"\nsamplings = [1]\n')
    with pytest.raises(ConfigError, match="sampling 1 is drawn in the layers 'crystals' and 'again'"):
        image_spec(path)


def test_unknown_names():
    with pytest.raises(ConfigError, match="no image spec 'elektron'; nearest: 'electron'"):
        image_spec("elektron")
    with pytest.raises(InputFileError, match=r"'absent.toml' does not exist"):
        image_spec("absent.toml")
