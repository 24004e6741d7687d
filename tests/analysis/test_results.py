"""Results survive the way through JSON."""

import json
from dataclasses import fields

import numpy as np
import pytest

from calotools.analysis import from_dict, read_numbers, to_dict, write_numbers
from calotools.analysis.results import NOUNS
from calotools.containers import Efficiency, ScaleFactors
from calotools.errors import ConfigError, InputFileError, OutputExistsError


def example(noun):
    """A noun with a value of the declared kind in every field."""
    values = {}
    for number, one in enumerate(fields(noun)):
        kind = str(one.type)
        if kind == "Efficiency":
            values[one.name] = example(Efficiency)
        elif kind.startswith("dict[str, np"):
            values[one.name] = {"a": np.array([1.0, np.nan])}
        elif "tuple" in kind:
            values[one.name] = {"et": (20.0, np.inf)}
        elif kind.startswith("dict"):
            values[one.name] = {"a": 0.5, "b": float("nan")}
        elif "ndarray" in kind:
            values[one.name] = np.array([True, False]) if one.name == "valid" else np.array([number, np.nan, np.inf])
        else:
            values[one.name] = {"str": "text", "bool": True, "int": 7, "float": float("nan")}[kind]
    return noun(**values)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda one: one.__name__)
def test_nouns_come_back_equal(noun):
    value = example(noun)
    text = json.dumps(to_dict({"results": [value]}), allow_nan=False)
    back = from_dict(json.loads(text))["results"][0]
    assert type(back) is noun
    for one in fields(noun):
        left, right = getattr(value, one.name), getattr(back, one.name)
        if isinstance(left, Efficiency):
            assert to_dict(left) == to_dict(right)
        else:
            np.testing.assert_equal(right, left)


def test_absent_truth_stays_absent():
    one = np.ones(1)
    efficiency = Efficiency(one, one, one, {}, one, one > 0)
    factors = ScaleFactors(one, one, one, efficiency, efficiency, {}, one > 0)
    assert from_dict(to_dict(factors)).injected is None


def test_file_is_plain_json_and_not_overwritten(tmp_path):
    path = write_numbers(tmp_path / "numbers.json", {"auc": np.float64(0.9), "n": np.int64(3), "edges": (1.0, 2.0)})
    assert json.loads(path.read_text()) == {"auc": 0.9, "n": 3, "edges": [1.0, 2.0]}
    with pytest.raises(OutputExistsError, match=r"numbers\.json' exists"):
        write_numbers(path, {})
    write_numbers(path, {"auc": 1.0}, overwrite=True)
    assert read_numbers(path) == {"auc": 1.0}


def test_what_is_not_a_number_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a Generator cannot be written as JSON"):
        write_numbers(tmp_path / "numbers.json", {"rng": np.random.default_rng(1)})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="no result 'Rocc'; nearest: 'Roc'"):
        from_dict({"noun": "Rocc"})
    with pytest.raises(InputFileError, match="do not exist"):
        read_numbers(tmp_path / "absent.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputFileError, match=r"broken\.json' is not JSON"):
        read_numbers(tmp_path / "broken.json")
