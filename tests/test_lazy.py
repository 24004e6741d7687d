"""Packages whose names are imported when they are first used."""

import subprocess
import sys

import pytest

import calotools
import calotools.analysis
import calotools.recipe


def test_a_name_that_does_not_exist():
    with pytest.raises(AttributeError, match=r"module 'calotools.recipe' has no attribute 'TrainKonfig'"):
        calotools.recipe.TrainKonfig  # noqa: B018
    with pytest.raises(ImportError, match=r"cannot import name 'TrainKonfig' from 'calotools.recipe'"):
        from calotools.recipe import TrainKonfig  # noqa: F401


def test_a_name_is_that_of_its_module():
    from calotools.analysis.roc import measure_roc

    assert calotools.analysis.measure_roc is measure_roc


def test_names_are_listed():
    for package in (calotools, calotools.analysis, calotools.recipe):
        assert dir(package) == sorted(package.__all__)


def test_a_name_imports_its_own_module_alone():
    code = """
import sys
import calotools.recipe
assert not [name for name in sys.modules if name.startswith("calotools.recipe.")]
calotools.recipe.ReportConfig
assert "calotools.recipe.report" in sys.modules
assert "calotools.recipe.train" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
