"""A forest of LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.errors import ConfigError
from calotools.models.forests import Part, TreeSettings

if TYPE_CHECKING:
    import lightgbm

__all__ = ["LightGBMForest"]


@dataclass(frozen=True)
class LightGBMForest:
    """See `Forest`."""

    booster: lightgbm.Booster

    @classmethod
    def grow(cls, grow: Part, stop: Part, settings: TreeSettings) -> LightGBMForest:
        """See `Forest`."""
        library = _library()
        booster = library.train(
            _parameters(settings),
            _data(grow),
            num_boost_round=settings.rounds,
            valid_sets=[_data(stop)],
            callbacks=[library.early_stopping(settings.patience, verbose=False)],
        )
        return cls(booster)

    @classmethod
    def from_text(cls, text: str) -> LightGBMForest:
        """See `Forest`."""
        return cls(_library().Booster(model_str=text))

    def text(self) -> str:
        """See `Forest`."""
        return str(self.booster.model_to_string(num_iteration=self.booster.best_iteration))

    def predict(self, values: np.ndarray, *, threads: int) -> np.ndarray:
        """See `Forest`."""
        return np.asarray(self.booster.predict(values, num_threads=threads))

    def contributions(self, values: np.ndarray, *, threads: int) -> np.ndarray:
        """See `Forest`."""
        return np.asarray(self.booster.predict(values, num_threads=threads, pred_contrib=True))

    def gains(self, n_variables: int) -> np.ndarray:  # noqa: ARG002 - it knows
        """See `Forest`."""
        return np.asarray(self.booster.feature_importance(importance_type="gain"))


def _library() -> Any:
    try:
        import lightgbm
    except ImportError:
        raise ConfigError(
            "boosted trees need LightGBM, which is not installed; run: pip install 'calotools[trees]'"
        ) from None
    return lightgbm


def _data(part: Part) -> lightgbm.Dataset:
    return _library().Dataset(part.values, part.target, weight=part.weight, feature_name=list(part.variables))


def _parameters(settings: TreeSettings) -> dict[str, Any]:
    return {
        "objective": settings.objective,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.min_leaf,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.bagging_fraction,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "alpha": settings.huber,
        "num_class": settings.n_classes,
        "num_threads": settings.threads,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
