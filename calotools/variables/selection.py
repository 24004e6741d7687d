"""Selections with a cut flow: cuts are strings such as ``et > 15`` or ``abs(eta) < 1.37 | abs(eta) > 1.52``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import awkward as ak
import numpy as np

from calotools.errors import ConfigError, nearest

__all__ = ["SCORE_STEP", "WEIGHT_STEP", "CutStep", "Selection", "add_cutflows", "compute", "fields_in", "select"]

SCORE_STEP = "scored"
"""The step of a cut flow in which candidates are left out that have no finite score."""
WEIGHT_STEP = "weights"
"""The step of a cut flow in which candidates are left out that the friend trees of weights have no weight for."""

_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    name: getattr(np, name)
    for name in ("abs", "sqrt", "log", "log10", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan2", "isnan")
}
_FUNCTIONS |= {"min": np.minimum, "max": np.maximum, "floor": np.floor, "sign": np.sign}
_ARITHMETIC: dict[type, Callable[..., np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.Mod: np.mod,
}
_COMPARE: dict[type, Callable[..., np.ndarray]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: lambda left, right: (left < right) | (left > right),
}
# In cuts & and | join comparisons, as physicists write them; in Python they would bind more tightly.
_WORDS = ((r"&&?", " and "), (r"\|\|?", " or "), (r"!(?!=)|~", " not "))


@dataclass(frozen=True)
class CutStep:
    """One line of a cut flow.

    Attributes
    ----------
    cut : str
    n_passed : int
        Candidates that pass this cut and all cuts before it.
    n_alone : int
        Candidates that pass this cut, whatever the others.
    sum_weight : float
        Sum of weights of `n_passed`.
    """

    cut: str
    n_passed: int
    n_alone: int
    sum_weight: float


@dataclass(frozen=True)
class Selection:
    """Which candidates pass, and where the others were lost.

    Attributes
    ----------
    mask : (n,) bool
    cutflow : tuple of CutStep
        The first line, ``all``, is before any cut.
    """

    mask: np.ndarray
    cutflow: tuple[CutStep, ...]


def select(candidates: ak.Array | Mapping[str, np.ndarray], cuts: Sequence[str]) -> Selection:
    """Apply cuts, all of which must hold.

    Parameters
    ----------
    candidates : (n,) awkward record array, or dict of str to (n,) array
    cuts : sequence of str
        Comparisons of fields and numbers with ``< <= > >= == !=``, ``+ - * / ** %``, functions (abs, sqrt, log, log10,
        exp, sin, cos, tan, sinh, cosh, tanh, arctan2, min, max, floor, sign, isnan), joined by ``& | !`` or ``and or
        not``. A comparison with a missing value (NaN) does not hold, not even ``!=``.

    Returns
    -------
    Selection
        Weights of the cut flow are the field ``weight`` where there is one, else 1.

    Raises
    ------
    ConfigError
        A cut is not such an expression, names an unknown field or function, or is not true or false.

    Examples
    --------
    >>> selection = select({"et": np.array([10.0, 20.0]), "eta": np.array([0.1, 1.4])}, ["et > 15", "abs(eta) < 1.37"])
    >>> selection.mask.tolist(), [step.n_passed for step in selection.cutflow]
    ([False, False], [2, 1, 0])
    """
    n, names = _size(candidates)
    weight = _column(candidates, "weight", names) if "weight" in names else np.ones(n)
    mask = np.ones(n, dtype=bool)
    steps = [CutStep("all", n, n, float(np.sum(weight)))]
    for cut in cuts:
        with np.errstate(all="ignore"):
            passes = np.broadcast_to(_evaluate(_parse(cut), candidates, names, cut), (n,))
        if passes.dtype != bool:
            raise ConfigError(
                f"cut '{cut}' gives {passes.dtype} numbers; compare it with something, as in '{cut} == 1'"
            )
        mask = mask & passes
        steps.append(CutStep(cut, int(mask.sum()), int(passes.sum()), float(np.sum(weight[mask]))))
    return Selection(mask, tuple(steps))


def compute(candidates: ak.Array | Mapping[str, np.ndarray], expression: str) -> np.ndarray:
    """Evaluate an expression of the kind that cuts compare, such as ``e / e_true``.

    Parameters
    ----------
    candidates : (n,) awkward record array, or dict of str to (n,) array
    expression : str
        Fields, numbers, arithmetic and the functions of `select`.

    Returns
    -------
    (n,) float64
        NaN or infinite where a value is missing or a division has no result; a comparison gives 0 or 1.

    Raises
    ------
    ConfigError
        It is not such an expression, or names an unknown field or function.

    Examples
    --------
    >>> compute({"e": np.array([10.0, 20.0])}, "2 * e")
    array([20., 40.])
    """
    n, names = _size(candidates)
    with np.errstate(all="ignore"):
        values = _evaluate(_parse(expression), candidates, names, expression)
    return np.broadcast_to(values, (n,)).astype(np.float64)


def add_cutflows(cutflows: Iterable[tuple[CutStep, ...]]) -> tuple[CutStep, ...]:
    """Sum the cut flows of several batches to which the same cuts were applied.

    Raises
    ------
    ConfigError
        Cuts differ.

    Examples
    --------
    >>> step = CutStep("all", 2, 2, 2.0)
    >>> add_cutflows([(step,), (step,)])
    (CutStep(cut='all', n_passed=4, n_alone=4, sum_weight=4.0),)
    """
    total: tuple[CutStep, ...] = ()
    for flow in cutflows:
        if total and [step.cut for step in flow] != [step.cut for step in total]:
            raise ConfigError(
                f"cut flows of different cuts cannot be added: {[s.cut for s in total]}, {[s.cut for s in flow]}"
            )
        total = tuple(_add(a, b) for a, b in zip(total, flow, strict=True)) if total else tuple(flow)
    return total


def _add(a: CutStep, b: CutStep) -> CutStep:
    return CutStep(a.cut, a.n_passed + b.n_passed, a.n_alone + b.n_alone, a.sum_weight + b.sum_weight)


def fields_in(cuts: Iterable[str]) -> set[str]:
    """Names of the fields that cuts need.

    Parameters
    ----------
    cuts : iterable of str

    Returns
    -------
    set of str

    Raises
    ------
    ConfigError
        A cut is not an expression.

    Examples
    --------
    >>> sorted(fields_in(["et > 15", "abs(eta) < 1.37 | abs(eta) > 1.52"]))
    ['et', 'eta']
    """
    trees = [_parse(cut) for cut in cuts]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called}


def _parse(cut: str) -> ast.expr:
    text = cut
    for pattern, word in _WORDS:
        text = re.sub(pattern, word, text)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ConfigError(f"cut '{cut}' is not an expression: {error.msg}; write it like 'et > 15'") from None


def _size(candidates: ak.Array | Mapping[str, np.ndarray]) -> tuple[int, list[str]]:
    if isinstance(candidates, Mapping):
        return len(next(iter(candidates.values()), ())), list(candidates)
    return len(candidates), ak.fields(candidates)


def _column(candidates: ak.Array | Mapping[str, np.ndarray], name: str, names: list[str]) -> np.ndarray:
    column = candidates[name]
    if isinstance(column, np.ndarray):
        return _signed(column)
    if ak.Array(column).ndim != 1 or ak.fields(column):
        flat = [one for one in names if ak.Array(candidates[one]).ndim == 1]
        raise ConfigError(f"'{name}' has several values per candidate and cannot be cut on; {nearest(name, flat)}")
    return _signed(ak.to_numpy(ak.fill_none(column, np.nan)))


def _signed(column: np.ndarray) -> np.ndarray:
    """The column; unsigned integers as signed ones, so that differences do not wrap round."""
    return column.astype(np.int64) if column.dtype.kind == "u" else column


def _evaluate(
    node: ast.expr, candidates: ak.Array | Mapping[str, np.ndarray], names: list[str], cut: str
) -> np.ndarray:
    def value(part: ast.expr) -> np.ndarray:
        return _evaluate(part, candidates, names, cut)

    match node:
        case ast.Constant(value=bool() | int() | float() as number):
            return np.asarray(number)
        case ast.Name(id=name):
            if name not in names:
                raise ConfigError(f"cut '{cut}' uses '{name}', which candidates do not have; {nearest(name, names)}")
            return _column(candidates, name, names)
        case ast.BoolOp(op=op, values=parts):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return join.reduce([_truth(value(part), cut) for part in parts])
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return ~_truth(value(part), cut)
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return np.multiply(-1.0, value(part))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](value(left), value(right))
        case ast.Compare(left=first, ops=ops, comparators=rest) if all(type(op) in _COMPARE for op in ops):
            sides = [value(part) for part in (first, *rest)]
            return np.logical_and.reduce(
                [_COMPARE[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False)]
            )
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]):
            return _call(name, [value(part) for part in parts], cut)
    raise ConfigError(
        f"cut '{cut}' holds '{ast.unparse(node)}', which cuts cannot do; allowed: comparisons, arithmetic, & | !"
    )


def _truth(values: np.ndarray, cut: str) -> np.ndarray:
    if values.dtype != bool:
        raise ConfigError(f"cut '{cut}' joins numbers with & | !; compare each with something, as in 'pass_tight == 1'")
    return values


def _call(name: str, values: list[np.ndarray], cut: str) -> np.ndarray:
    if name not in _FUNCTIONS:
        raise ConfigError(f"cut '{cut}' calls '{name}'; {nearest(name, _FUNCTIONS)}")
    try:
        return _FUNCTIONS[name](*values)
    except (TypeError, ValueError):
        raise ConfigError(f"cut '{cut}' calls '{name}' with {len(values)} arguments, which it does not take") from None
