"""Expressions are arithmetic and nothing else."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calotools.errors import ConfigError
from calotools.ntuple.expression import evaluate, names_in

ARRAYS = {"a": np.array([1.0, -2.0, 3.5]), "b": np.array([4.0, 0.0, -1.0]), "n": np.array([1, 2, 3])}


def _texts():
    leaves = st.sampled_from(["a", "b", "n", "2", "0.5"])
    sums = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
            st.builds("{}({})".format, st.sampled_from(["abs", "cosh", "sqrt", "-"]), inner),
        ),
        max_leaves=8,
    )
    return st.one_of(sums, st.builds("where({} < {}, {}, n)".format, sums, sums, sums))


@given(text=_texts())
def test_agrees_with_python(text):
    functions = {"abs": np.abs, "cosh": np.cosh, "sqrt": np.sqrt, "where": np.where}
    with np.errstate(all="ignore"):
        try:
            wanted = eval(text, {"__builtins__": {}}, functions | ARRAYS)
        except ZeroDivisionError:
            return
    np.testing.assert_array_equal(evaluate(text, ARRAYS), wanted)
    assert set(names_in(text)) == set(re.findall(r"\b[abn]\b", text))


def test_what_cannot_be_computed():
    with pytest.raises(ConfigError, match=r"'-\(a < b\)' cannot be computed: .*boolean"):
        evaluate("-(a < b)", ARRAYS)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.dtype",
        "a[0]",
        "[a, b]",
        "lambda: a",
        "a if b else n",
        "a < b < n",
        "'text'",
        "x := a",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ConfigError, match=r"is not allowed|is not an expression|uses"):
        evaluate(text, ARRAYS)


def test_unknown_names_are_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"'a \+ aa' uses 'aa', which is not a field; nearest: 'a'"):
        evaluate("a + aa", ARRAYS)
    with pytest.raises(ConfigError, match="uses function 'coshh'; nearest: 'cosh'"):
        evaluate("coshh(a)", ARRAYS)


def test_division_by_zero_is_silent_and_not_finite():
    np.testing.assert_array_equal(np.isfinite(evaluate("a / b", ARRAYS)), [True, False, True])
