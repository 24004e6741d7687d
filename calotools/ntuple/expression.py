"""Small arithmetic on named arrays, such as ``pt * cosh(eta)``: parsed, never executed as Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from calotools.errors import ConfigError, nearest

__all__ = ["evaluate", "names_in"]

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "arctan2": np.arctan2,
    "arcsinh": np.arcsinh,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "hypot": np.hypot,
    "log": np.log,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
    "where": np.where,
}
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
    ast.Mod: np.mod,
    ast.BitAnd: np.bitwise_and,
    ast.BitOr: np.bitwise_or,
    ast.RShift: np.right_shift,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Invert: np.invert,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


def names_in(expression: str) -> tuple[str, ...]:
    """Names of the arrays that an expression needs, sorted.

    Raises
    ------
    ConfigError
        The text is not an expression of the allowed kind.

    Examples
    --------
    >>> names_in("where(abs(eta) < 1.5, e1 / e, 0)")
    ('e', 'e1', 'eta')
    """
    tree = _parse(expression)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
    return tuple(sorted(names))


def evaluate(expression: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Evaluate an expression on arrays of one length.

    Parameters
    ----------
    expression : str
        Numbers, names, ``+ - * / ** % & | >> ~``, one comparison at a time, and functions such as ``cosh`` or
        ``where``.
    values : mapping of str to (n,) array

    Returns
    -------
    (n,) array
        Division by zero and the like give NaN or inf without a warning.

    Raises
    ------
    ConfigError
        An unknown name or function (with the nearest one), or anything else than arithmetic.

    Examples
    --------
    >>> evaluate("pt * cosh(eta)", {"pt": np.array([10.0]), "eta": np.array([0.0])})
    array([10.])
    """
    try:
        with np.errstate(all="ignore"):
            return np.asarray(_value(_parse(expression), values, expression))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"'{expression}' cannot be computed: {error}") from None


def _parse(expression: str) -> ast.expr:
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ConfigError(f"'{expression}' is not an expression: {error.msg}") from None
    _check(tree, expression)
    return tree


def _check(node: ast.expr, text: str) -> None:
    """Refuse everything but numbers, names, the operators and the functions above."""
    for part in _parts(node, text):
        _check(part, text)


def _parts(node: ast.expr, text: str) -> list[ast.expr]:
    match node:
        case ast.Constant(value=bool() | int() | float()) | ast.Name():
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return [left, right]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return [left, right]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in _FUNCTIONS:
                raise ConfigError(f"'{text}' uses function '{name}'; {nearest(name, _FUNCTIONS)}")
            return arguments
    raise ConfigError(
        f"'{ast.unparse(node)}' in '{text}' is not allowed: only arithmetic on fields, and {', '.join(_FUNCTIONS)}"
    )


def _value(node: ast.expr, values: Mapping[str, np.ndarray], text: str) -> Any:
    match node:
        case ast.Constant(value=number):
            return number
        case ast.Name(id=name):
            if name not in values:
                raise ConfigError(f"'{text}' uses '{name}', which is not a field; {nearest(name, values)}")
            return values[name]
        case ast.Call(func=ast.Name(id=name)):
            function = _FUNCTIONS[name]
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) | ast.Compare(ops=[op]):
            function = _OPERATORS[type(op)]
        case _:
            raise AssertionError(f"{node} was let through by _check")
    return function(*(_value(part, values, text) for part in _parts(node, text)))
