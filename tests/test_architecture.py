"""The house rules: imports go one way, and what only one room may do is done in that room alone."""

import ast
import graphlib
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).parents[1] / "calotools"
ORDER = ["_version", "_lazy", "progress", "errors", "outputs", "containers", "recipe", "detector", "ntuple"]
ORDER += ["variables", "images", "simulate", "models", "training", "deploy", "analysis", "plots", "stages", "cli"]
# analysis stands beside the networks, and plots draw results: neither may know them
FORBIDDEN = {
    "analysis": {"images", "simulate", "models", "training", "deploy"},
    "plots": {"images", "simulate", "models", "training", "deploy", "ntuple"},
    "models": {"simulate", "ntuple"},
    "training": {"simulate"},
    "deploy": {"simulate"},
}
DOORS = {
    "uproot": {"ntuple"},
    "matplotlib": {"plots"},
    "mplhep": {"plots"},
    "torch": {"models", "training", "deploy", "containers"},
    "lightning": {"training"},
    "iminuit": {"analysis"},
    "argparse": {"cli"},
    "rich": {"cli"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def without_typing(tree: ast.Module) -> ast.Module:
    """The module as it runs: a name that is imported for annotations alone opens no door."""

    class Runs(ast.NodeTransformer):
        def visit_If(self, node):
            typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            return None if typing else self.generic_visit(node)

    return Runs().visit(tree)


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(without_typing(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms(path):
    room = room_of(path)
    if room == "__init__":
        return
    assert room in ORDER, f"{room} is not in the import order"
    for name in imports(path):
        top, *rest = name.split(".")
        if top == "calotools" and rest:
            other = rest[0]
            assert ORDER.index(other) <= ORDER.index(room), f"{room} is below {other}"
            assert other not in FORBIDDEN.get(room, ()), f"{room} may not know {other}"
        if top in DOORS:
            assert room in DOORS[top], f"only {DOORS[top]} may import {top}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_doors(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    room = room_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec"), f"{path}:{node.lineno}"
            assert node.func.id not in ("print", "exit") or room == "cli", f"{path}:{node.lineno}"
        assert not isinstance(node, ast.Global), f"{path}:{node.lineno}: global state"
        if isinstance(node, ast.ExceptHandler):
            names = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else {"bare"}
            assert not names & {"bare", "Exception", "BaseException"}, f"{path}:{node.lineno}: catches everything"


def test_no_circle_of_imports():
    """Neither at the top of a module nor within its functions."""
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in FILES
    }
    graphlib.TopologicalSorter({name: imports(path) & names.keys() for name, path in names.items()}).prepare()


TRAINING = ["sample", "loading", "calibration", "fitting"]


@pytest.mark.parametrize("folder", TRAINING)
def test_folders_of_training_go_one_way(folder):
    """Each may know those before it (docs/decisions/0016)."""
    for path in sorted((PACKAGE / "training" / folder).rglob("*.py")):
        known = {name.split(".")[2] for name in imports(path) if name.startswith("calotools.training.")}
        assert known <= set(TRAINING[: TRAINING.index(folder) + 1]), path


def test_other_rooms_take_what_folders_of_training_offer():
    """From their `__init__`, not from their files (docs/decisions/0016)."""
    for path in (path for path in FILES if room_of(path) != "training"):
        parts = [name.split(".") for name in imports(path) if name.startswith("calotools.training.")]
        assert not [one for one in parts if one[2] in TRAINING and len(one) > 3], path


def modules_after(statement: str) -> set[str]:
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


HEAVY = {"torch", "lightning", "numba", "uproot", "awkward", "matplotlib", "vector", "scipy", "pydantic"}


def test_import_is_light():
    assert not modules_after("import calotools") & HEAVY


def test_help_is_light():
    statement = """
import contextlib, io
from calotools.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])"""
    assert not modules_after(statement) & HEAVY


@pytest.mark.parametrize("module", ["stages", "ntuple", "images", "variables", "simulate", "analysis", "plots"])
def test_no_torch_without_training(module):
    assert not modules_after(f"import calotools.{module}") & {"torch", "lightning"}


PACKAGES = sorted({path.parent for path in FILES})


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)
def test_no_name_hides_behind_a_module(folder):
    """A lazily imported name that is also a file turns into that module once the file is imported."""
    name = ".".join(folder.relative_to(PACKAGE.parent).parts)
    package = importlib.import_module(name)
    inside = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
    for public in set(package.__all__) & inside:
        importlib.import_module(f"{name}.{public}")
        assert not isinstance(getattr(package, public), ModuleType), public


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: path.name)
def test_every_public_name_exists(folder):
    module = importlib.import_module(".".join(folder.relative_to(PACKAGE.parent).parts))
    for name in module.__all__:
        assert getattr(module, name) is not None
