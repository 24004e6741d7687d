"""What a library of boosted trees is asked for: grow a forest, say what it says, keep it as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, Self

import numpy as np

__all__ = ["Forest", "Part", "TreeSettings"]


@dataclass(frozen=True)
class TreeSettings:
    """How a forest is grown; the defaults suit 10^4 to 10^6 candidates.

    Attributes
    ----------
    library : {"lightgbm", "xgboost"}
        Whose trees; the other settings mean the same for both.
    objective : {"huber", "regression", "regression_l1", "binary", "multiclass"}
        As LightGBM names them.
    rounds, patience : int
        Trees at most, and without improvement on the validation part.
    learning_rate : float
    leaves, min_leaf : int
        Of a tree, and candidates in a leaf at least (for XGBoost and classes: curvature of the loss, 1 for 50).
    feature_fraction, bagging_fraction : float
        Parts drawn for each tree.
    l2 : float
    huber : float
        Errors beyond it count linearly; in the unit of the target, for ``huber``.
    n_classes : int
        Of ``multiclass``.
    threads : int
    seed : int
    """

    library: Literal["lightgbm", "xgboost"] = "lightgbm"
    objective: str = "huber"
    rounds: int = 2000
    patience: int = 50
    learning_rate: float = 0.05
    leaves: int = 63
    min_leaf: int = 50
    feature_fraction: float = 0.9
    bagging_fraction: float = 0.8
    l2: float = 1.0
    huber: float = 0.9
    n_classes: int = 1
    threads: int = 1
    seed: int = 1


@dataclass(frozen=True)
class Part:
    """Candidates that a forest is grown on, or stopped by.

    Attributes
    ----------
    variables : tuple of str
    values : (n, variable) array
        NaN where a variable is missing.
    target, weight : (n,) array
    """

    variables: tuple[str, ...]
    values: np.ndarray
    target: np.ndarray
    weight: np.ndarray


class Forest(Protocol):
    """The trees of one bin."""

    @classmethod
    def grow(cls, grow: Part, stop: Part, settings: TreeSettings) -> Self:
        """Grow it until the second part is no longer described better.

        Raises
        ------
        ConfigError
            The library is not installed.
        """
        ...

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of `text`."""
        ...

    def text(self) -> str:
        """Everything, in the library's own format: nothing that is run when it is read."""
        ...

    def predict(self, values: np.ndarray, *, threads: int) -> np.ndarray:
        """(n,) estimates or probabilities of class 1, or (n, class) probabilities."""
        ...

    def contributions(self, values: np.ndarray, *, threads: int) -> np.ndarray:
        """SHAP values and, last, what they start from: n * class * (variable + 1) of them, in this order."""
        ...

    def gains(self, n_variables: int) -> np.ndarray:
        """(variable,) gain of the splits on each."""
        ...
