"""What the README sends a newcomer to runs as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from calotools.ntuple import load_flavour
from calotools.recipe import TrainConfig

ROOT = Path(__file__).parents[1]


def test_quickstart():
    script = ROOT / "examples" / "quickstart.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 60
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "width ratio, network over layer sum" in done.stdout
    assert Path(done.stdout.split()[-1]).exists()


def test_identification_from_python(tmp_path):
    script = ROOT / "examples" / "identify.py"
    place = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=place)
    assert done.returncode == 0, done.stderr
    auc = re.search(r"^AUC: (\S+) ± (\S+)", done.stdout, re.MULTILINE)
    assert auc is not None
    assert float(auc[1]) > 0.9
    assert "where 93.0 % was asked for" in done.stdout
    assert any(Path(done.stdout.split()[-1]).glob("roc*.png"))


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_are_valid(path):
    config = TrainConfig.from_toml(path)
    assert config.output.name == path.stem


def test_flavour_of_the_readme_is_valid(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    flavour = tmp_path / "mine.toml"
    flavour.write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    assert load_flavour(str(flavour)).name == "mine"


def test_readme_links_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / target).exists(), target


def test_sets_of_variables_in_the_pages_are_those_of_the_recipes():
    """And of the size that they are said to have."""
    text = (ROOT / "docs" / "identification.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+)[^|]* \| ([^|]+) \|$", text, re.MULTILINE))
    named = {number: re.findall(r"`(\w+)`", words) for number, words in rows.items()}
    for number, recipe in (("13", "identification_likelihood_13"), ("22", "identification_likelihood")):
        scalars = TrainConfig.from_toml(ROOT / "examples" / "recipes" / f"{recipe}.toml").scalars
        assert sorted(named[number]) == sorted(scalars)
        assert len(scalars) == int(number)
    assert len(set(named["22"]) - set(named["18"])) == 18
    for smaller, larger in (("22", "26"), ("26", "29"), ("29", "36")):
        assert len(set(named[larger])) == int(larger) - int(smaller)
