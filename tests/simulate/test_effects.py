"""Effects: strict configuration, material by place."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from calotools.errors import ConfigError
from calotools.simulate.effects import Effects
from calotools.simulate.pseudo_data import Injected
from calotools.simulate.setup import prepare
from calotools.simulate.stack import FRONT

PAGE = (Path(__file__).parents[2] / "docs" / "effects.md").read_text(encoding="utf-8")


def test_read_from_toml(tmp_path):
    path = tmp_path / "effects.toml"
    path.write_text("pileup = 0\nmaterial_by_eta = [[0.0, 1.0], [1.5, 1.1]]\n", encoding="utf-8")
    effects = Effects.from_toml(path)
    assert effects.pileup == 0
    assert effects.material_by_eta == ((0.0, 1.0), (1.5, 1.1))


def test_unknown_effect_names_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown key 'cross_talk'; .*crosstalk"):
        Effects(cross_talk=0)


def test_edges_must_increase():
    with pytest.raises(ConfigError, match="increasing lower edges"):
        Effects(material_by_eta=((1.5, 1.0), (0.0, 1.2)))
    with pytest.raises(ConfigError, match="material cannot be negative"):
        Effects(material_by_radius=((0.0, -1.0),))


def test_material_by_eta_and_radius():
    plain = prepare(Effects(), pileup=False).stack
    more = prepare(Effects(material_by_eta=((1.0, 1.5),)), pileup=False).stack
    inner, outer = np.arange(40), np.arange(40, 100)
    assert more.rows[inner, FRONT] == pytest.approx(plain.rows[inner, FRONT])
    assert (more.rows[outer, FRONT] > 1.2 * plain.rows[outer, FRONT]).all()
    pixels = prepare(Effects(material_by_radius=((0.0, 2.0), (200.0, 1.0))), pileup=False).stack
    change = pixels.layers[10, :, 1] / plain.layers[10, :, 1]
    assert change == pytest.approx(np.where(plain.layers[10, :, 0] < 200.0, 2.0, 1.0))


@pytest.mark.parametrize(("model", "part"), [(Effects, 0), (Injected, 1)])
def test_page_lists_every_key(model, part):
    lines = PAGE.split("## `--pseudo-data")[part].splitlines()
    rows = {row.split(" | ")[0]: row.split(" | ") for row in lines if row.startswith("| `")}
    for name, field in model.model_fields.items():
        _, default, allowed, *meaning = rows[f"| `{name}`"]
        assert " | ".join(meaning) == f"{field.description} |", name
        if isinstance(field.default, float):
            assert float(default) == field.default, name
        limits = [getattr(one, key) for key in ("ge", "gt", "le", "lt") for one in field.metadata if hasattr(one, key)]
        assert [float(number) for number in re.findall(r"-?[0-9.]+", allowed)] == limits, name


def test_examples_of_the_page_are_accepted():
    effects, injected = (tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.S))
    assert Effects(**effects).material == 0
    assert Injected(**injected).energy_scale == (0.005,)


@pytest.mark.parametrize("name", [name for name, field in Effects.model_fields.items() if field.annotation is float])
def test_a_number_is_not_true(name):
    with pytest.raises(ConfigError, match=f"'{name}' = True is not allowed: true and false are no numbers"):
        Effects(**{name: True})


def test_tables_of_numbers_hold_none_but_numbers():
    with pytest.raises(ConfigError, match=r"'material_by_eta' .* true and false are no numbers"):
        Effects(material_by_eta=((0.0, True),))
    with pytest.raises(ConfigError, match=r"'energy_scale' .* true and false are no numbers"):
        Injected(energy_eta_edges=(0, 2.47), energy_scale=(False,), energy_smearing=(0.0,))
    assert Effects(gain=False).gain is False
