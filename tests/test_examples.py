"""What the README sends a newcomer to runs as it stands."""

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
