"""A forest of XGBoost, grown leaf by leaf as LightGBM's are, from the same settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools.errors import ConfigError, NumericalError, nearest
from calotools.models.forests import Part, TreeSettings

if TYPE_CHECKING:
    import xgboost

__all__ = ["XGBoostForest"]

_OBJECTIVES = {
    "huber": "reg:pseudohubererror",
    "regression": "reg:squarederror",
    "regression_l1": "reg:absoluteerror",
    "binary": "binary:logistic",
    "multiclass": "multi:softprob",
}
# XGBoost limits a leaf's summed curvature of the loss, not its candidates. Of classes that are told apart well each
# candidate has little: its default of 1 stands for the 50 candidates that are ours.
_CURVATURE = {"binary": 1 / 50, "multiclass": 1 / 50}


@dataclass(frozen=True)
class XGBoostForest:
    """See `Forest`."""

    booster: xgboost.Booster

    @classmethod
    def grow(cls, grow: Part, stop: Part, settings: TreeSettings) -> XGBoostForest:
        """See `Forest`."""
        if settings.objective not in _OBJECTIVES:
            raise ConfigError(
                f"trees of XGBoost have no objective '{settings.objective}'; {nearest(settings.objective, _OBJECTIVES)}"
            )
        for part in (grow, stop):
            if (part.weight < 0).any():
                raise NumericalError(
                    f"{(part.weight < 0).sum()} of {len(part.weight)} weights are negative, which XGBoost cannot use; "
                    "choose model.settings.library = 'lightgbm', or other weights"
                )
        booster = _library().train(
            _parameters(settings, grow),
            _data(grow.values, threads=settings.threads, label=grow.target, weight=grow.weight),
            num_boost_round=settings.rounds,
            evals=[(_data(stop.values, threads=settings.threads, label=stop.target, weight=stop.weight), "stop")],
            early_stopping_rounds=settings.patience,
            verbose_eval=False,
        )
        return cls(booster[: booster.best_iteration + 1])

    @classmethod
    def from_text(cls, text: str) -> XGBoostForest:
        """See `Forest`."""
        booster = _library().Booster()
        booster.load_model(bytearray(text.encode()))
        return cls(booster)

    def text(self) -> str:
        """See `Forest`."""
        return bytes(self.booster.save_raw("json")).decode()

    def predict(self, values: np.ndarray, *, threads: int) -> np.ndarray:
        """See `Forest`."""
        return self._say(values, threads=threads)

    def contributions(self, values: np.ndarray, *, threads: int) -> np.ndarray:
        """See `Forest`."""
        return self._say(values, threads=threads, pred_contribs=True)

    def _say(self, values: np.ndarray, *, threads: int, **options: Any) -> np.ndarray:
        self.booster.set_param({"nthread": threads})
        return np.asarray(self.booster.predict(_data(values, threads=threads), **options))

    def gains(self, n_variables: int) -> np.ndarray:
        """See `Forest`."""
        found = self.booster.get_score(importance_type="total_gain")  # of those that were split on
        return np.array([float(found.get(f"f{number}", 0.0)) for number in range(n_variables)])


def _library() -> Any:
    try:
        import xgboost
    except ImportError:
        raise ConfigError(
            "library = \"xgboost\" needs XGBoost, which is not installed; run: pip install 'calotools[xgboost]'"
        ) from None
    return xgboost


def _data(values: np.ndarray, *, threads: int, **more: Any) -> xgboost.DMatrix:
    return _library().DMatrix(values, missing=np.nan, nthread=threads, **more)


def _parameters(settings: TreeSettings, grow: Part) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "objective": _OBJECTIVES[settings.objective],
        "learning_rate": settings.learning_rate,
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_depth": 0,
        "max_leaves": settings.leaves,
        "min_child_weight": settings.min_leaf * float(np.mean(grow.weight)) * _CURVATURE.get(settings.objective, 1.0),
        "colsample_bytree": settings.feature_fraction,
        "subsample": settings.bagging_fraction,
        "lambda": settings.l2,
        "huber_slope": settings.huber,
        "nthread": settings.threads,
        "seed": settings.seed,
        "verbosity": 0,
    }
    if settings.objective == "huber":  # its own start is one Newton step, which goes anywhere from far outside the core
        parameters["base_score"] = float(np.median(grow.target))
    if settings.objective == "multiclass":
        parameters["num_class"] = settings.n_classes
    return parameters
