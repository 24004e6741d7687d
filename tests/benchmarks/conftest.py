"""Folders of benchmarks are no packages: several have a module of the same name, such as `run`."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def forget_modules():
    """What a test imports from a benchmark's folder is not what the next one finds under that name."""
    yield
    for name, module in list(sys.modules.items()):
        if BENCHMARKS in Path(getattr(module, "__file__", None) or "").parents:
            del sys.modules[name]
