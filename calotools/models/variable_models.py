"""Models that see candidate variables alone, and no cells: likelihood and boosted trees, as recipes name them.

They are fitted in one go, on numbers in memory, and are kept as arrays; networks are fitted in steps, on images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from calotools.errors import ConfigError, nearest
from calotools.models.bins import LIKELIHOOD_BINS, ONE_BIN, KinematicBins
from calotools.models.likelihood import Likelihood, LikelihoodSettings, fit_likelihood
from calotools.models.trees import BoostedTrees, TreeSettings, fit_trees

__all__ = ["VARIABLE_MODELS", "VariableInputs", "VariableModel", "VariableTable", "is_variable_model"]

_LIMIT = 80.0  # of a log-likelihood ratio: float32 has probabilities of both classes up to here
_SMALLEST = 1e-15  # probability of trees, likewise
_CORE = 0.05  # of the energy over the base energy: larger errors count linearly (calotools default)
_FIXED = ("n_classes", "seed", "threads")  # the recipe says them elsewhere

Report = Callable[[int, int], None]
Kind = TypeVar("Kind", LikelihoodSettings, TreeSettings)


@dataclass(frozen=True)
class VariableInputs:
    """What a recipe says of such a model.

    Attributes
    ----------
    variables : tuple of str
    settings : dict
        Fields of `LikelihoodSettings` or `TreeSettings`, and ``eta_bins`` and ``et_bins``.
    n_classes : int, optional
        None for an energy.
    """

    variables: tuple[str, ...]
    settings: Mapping[str, Any]
    n_classes: int | None


@dataclass(frozen=True)
class VariableTable:
    """What such a model is fitted on.

    Attributes
    ----------
    values : (n, variable) float32
        NaN where a variable is missing.
    target : (n,) float
        Number of the class, or true energy over base energy.
    weight : (n,) float
    eta, et : (n,) float
        E_T in GeV.
    validation : (n,) bool
        Candidates that stop the growth of trees; the likelihood does not look at them.
    """

    values: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    eta: np.ndarray
    et: np.ndarray
    validation: np.ndarray


class VariableModel(Protocol):
    """A fitted model.

    Attributes
    ----------
    equal_classes : bool
        Its probabilities are meant for classes of equal weight; otherwise, of the weights in the sample.
    """

    equal_classes: ClassVar[bool]

    def outputs(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:
        """(n, class) probabilities, or (n, 1) energy over base energy, of (n, variable) values."""
        ...

    def contributions(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:
        """(n, class, variable): what each adds to the log-odds (two classes: one), a logit, or the estimate."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """What a bundle keeps of it."""
        ...

    def importance(self) -> dict[str, float]:
        """Part of what was gained that each variable brought; nothing where that is not known."""
        ...

    @classmethod
    def fit(
        cls, inputs: VariableInputs, table: VariableTable, *, seed: int, threads: int = 1, report: Report | None = None
    ) -> Self:
        """Fit it.

        Raises
        ------
        ConfigError
            A setting that does not exist, or a task that is not the model's; too few candidates.
        """
        ...

    @classmethod
    def from_arrays(cls, inputs: VariableInputs, arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `arrays`."""
        ...


@dataclass(frozen=True)
class LikelihoodModel:
    """The likelihood of two classes, as probabilities for classes of equal weight."""

    equal_classes: ClassVar[bool] = True
    fitted: Likelihood

    def outputs(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:  # noqa: ARG002
        """See `VariableModel`."""
        ratio = np.clip(self.fitted.log_likelihood_ratio(values, eta=eta, et=et), -_LIMIT, _LIMIT)
        return np.exp(-np.logaddexp(0.0, np.column_stack([ratio, -ratio])))

    def contributions(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:  # noqa: ARG002
        """See `VariableModel`."""
        return self.fitted.contributions(values, eta=eta, et=et)[:, None, :]

    def arrays(self) -> dict[str, np.ndarray]:
        """See `VariableModel`."""
        return {"edges": self.fitted.edges, "log_ratio": self.fitted.log_ratio}

    def importance(self) -> dict[str, float]:
        """See `VariableModel`."""
        return {}

    @classmethod
    def fit(
        cls,
        inputs: VariableInputs,
        table: VariableTable,
        *,
        seed: int,  # noqa: ARG003 - nothing is drawn
        threads: int = 1,  # noqa: ARG003
        report: Report | None = None,  # noqa: ARG003 - it takes seconds
    ) -> Self:
        """See `VariableModel`."""
        if inputs.n_classes != 2:
            what = "an energy" if inputs.n_classes is None else f"{inputs.n_classes} classes"
            raise ConfigError(f"the likelihood tells two classes apart, the recipe asks for {what}; use model 'trees'")
        settings, bins = _choose("likelihood", inputs, LikelihoodSettings(), bins=LIKELIHOOD_BINS)
        used = ~table.validation
        fitted = fit_likelihood(
            table.values[used],
            variables=inputs.variables,
            kinematics=(table.eta[used], table.et[used]),
            signal=table.target[used] == 1,
            weight=table.weight[used],
            settings=settings,
            bins=bins,
        )
        return cls(fitted)

    @classmethod
    def from_arrays(cls, inputs: VariableInputs, arrays: Mapping[str, np.ndarray]) -> Self:
        """See `VariableModel`."""
        bins = _choose("likelihood", inputs, LikelihoodSettings(), bins=LIKELIHOOD_BINS)[1]
        return cls(Likelihood(inputs.variables, bins, arrays["edges"], arrays["log_ratio"]))


@dataclass(frozen=True)
class TreesModel:
    """Boosted trees: a number, or classes."""

    equal_classes: ClassVar[bool] = False
    fitted: BoostedTrees
    n_classes: int | None

    def outputs(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:
        """See `VariableModel`."""
        said = self.fitted.predict(values, eta=eta, et=et, threads=threads)
        if self.n_classes is None:
            return said[:, None]
        return np.clip(np.column_stack([1 - said, said]) if self.n_classes == 2 else said, _SMALLEST, 1.0)

    def contributions(self, values: np.ndarray, *, eta: np.ndarray, et: np.ndarray, threads: int = 1) -> np.ndarray:
        """See `VariableModel`."""
        return self.fitted.contributions(values, eta=eta, et=et, threads=threads)

    def arrays(self) -> dict[str, np.ndarray]:
        """See `VariableModel`."""
        texts = enumerate(self.fitted.forests)
        return {f"forest_{number:04d}": np.frombuffer(text.encode(), np.uint8).copy() for number, text in texts}

    def importance(self) -> dict[str, float]:
        """See `VariableModel`."""
        return self.fitted.importance()

    @classmethod
    def fit(
        cls, inputs: VariableInputs, table: VariableTable, *, seed: int, threads: int = 1, report: Report | None = None
    ) -> Self:
        """See `VariableModel`."""
        n_classes = inputs.n_classes
        objective = "huber" if n_classes is None else "binary" if n_classes == 2 else "multiclass"
        defaults = TreeSettings(objective=objective, huber=_CORE, seed=seed, threads=threads)
        settings, bins = _choose("trees", inputs, defaults, bins=ONE_BIN)
        fitted = fit_trees(
            table.values,
            table.target,
            variables=inputs.variables,
            kinematics=(table.eta, table.et),
            validation=table.validation,
            weight=table.weight,
            settings=replace(settings, n_classes=_columns(n_classes)),
            bins=bins,
            report=report,
        )
        return cls(fitted, n_classes)

    @classmethod
    def from_arrays(cls, inputs: VariableInputs, arrays: Mapping[str, np.ndarray]) -> Self:
        """See `VariableModel`."""
        settings, bins = _choose("trees", inputs, TreeSettings(), bins=ONE_BIN)
        forests = tuple(bytes(arrays[name]).decode() for name in sorted(arrays))
        columns = _columns(inputs.n_classes)
        return cls(BoostedTrees(inputs.variables, bins, forests, columns, settings.library), inputs.n_classes)


VARIABLE_MODELS: dict[str, type[VariableModel]] = {"likelihood": LikelihoodModel, "trees": TreesModel}
"""By the name in a recipe."""


def is_variable_model(name: str) -> bool:
    """Whether a recipe's model sees candidate variables alone.

    Examples
    --------
    >>> is_variable_model("trees"), is_variable_model("energy_cnn")
    (True, False)
    """
    return name in VARIABLE_MODELS


def _columns(n_classes: int | None) -> int:
    """Columns that LightGBM gives: one for a number or two classes."""
    return n_classes if n_classes is not None and n_classes > 2 else 1


def _choose(model: str, inputs: VariableInputs, defaults: Kind, *, bins: KinematicBins) -> tuple[Kind, KinematicBins]:
    """Settings and bins of a recipe; unknown ones are refused, with the nearest that exists."""
    own = {field.name for field in fields(defaults)} - set(_FIXED)
    places = {"eta_bins": bins.eta, "et_bins": bins.et}
    for name in inputs.settings:
        if name not in own | set(places):
            raise ConfigError(f"model '{model}' has no setting '{name}'; {nearest(name, own | set(places))}")
    given = vars(defaults) | {name: value for name, value in inputs.settings.items() if name in own}
    edges = {name: inputs.settings.get(name, default) for name, default in places.items()}
    try:
        settings = TypeAdapter(type(defaults)).validate_python(given)
        found = TypeAdapter(dict[str, tuple[float, ...]]).validate_python(edges)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"setting '{name}' = {first['input']!r} of model '{model}': {first['msg']}") from None
    return settings, KinematicBins(found["eta_bins"], found["et_bins"])
