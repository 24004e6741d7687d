"""Background rejection of one score over that of another, with the error that their correlation leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calotools.analysis.bootstrap import Bootstrap
from calotools.containers import RejectionRatio
from calotools.errors import ConfigError, EmptyInputError, NumericalError, ShapeError, nearest

__all__ = ["ComparedRejections", "compare_rejections", "compare_with_cuts"]

_TAIL = (1 - 0.6827) / 2


@dataclass(frozen=True)
class ComparedRejections:
    """What several scores keep of one background at the same signal efficiencies, in the sample and in its replicas.

    Attributes
    ----------
    signal : (n,) float
        Signal efficiencies.
    value : dict of str to (n,) float
        Background efficiency of each score.
    replicas : dict of str to (replica, n) float
        The same with the events of each replica, which are the same for all scores.
    """

    signal: np.ndarray
    value: dict[str, np.ndarray]
    replicas: dict[str, np.ndarray]

    def ratio(self, name: str, *, over: str) -> RejectionRatio:
        """Rejection of one score over that of another.

        Parameters
        ----------
        name, over : str

        Returns
        -------
        RejectionRatio

        Raises
        ------
        ConfigError
            There is no such score.
        """
        for one in (name, over):
            if one not in self.value:
                raise ConfigError(f"no score '{one}' was compared; {nearest(one, self.value)}")
        value, replicas = ((each[over], each[name]) for each in (self.value, self.replicas))
        return _ratio(self.signal, value, replicas, name=name, over=over)


def compare_rejections(
    scores: Mapping[str, np.ndarray],
    *,
    signal: np.ndarray,
    backgrounds: Mapping[str, np.ndarray],
    efficiencies: Sequence[float] | np.ndarray,
    bootstrap: Bootstrap,
    weight: np.ndarray | None = None,
) -> dict[str, ComparedRejections]:
    """Background efficiencies of several scores of the same candidates, from which ratios are taken.

    In each replica of the sample every score is cut again so that it keeps the part of the signal that was asked for:
    the cut's own uncertainty is in the error, and what scores have in common is not.

    Parameters
    ----------
    scores : dict of str to (n,) float
        Signal's are higher.
    signal : (n,) bool
    backgrounds : dict of str to (n,) bool
        Kinds of background, by name; they may overlap.
    efficiencies : sequence of float
        Of the signal, above 0 and up to 1.
    bootstrap : Bootstrap
        Over the events of these n rows.
    weight : (n,) float, optional

    Returns
    -------
    dict of str to ComparedRejections
        By background.

    Raises
    ------
    ConfigError
        An efficiency is out of range.
    EmptyInputError
        There is no signal, or none of a background.
    NumericalError
        A score is not finite.
    ShapeError
        The arrays differ in length.

    Examples
    --------
    >>> from calotools.analysis.bootstrap import event_bootstrap
    >>> from calotools.containers import Index
    >>> rng = np.random.default_rng(1)
    >>> n, signal = np.arange(4000), np.arange(4000) % 2 == 0
    >>> score = rng.normal(2.0 * signal)
    >>> boot = event_bootstrap(Index(n, n, n), rng=rng, replicas=50)
    >>> scores = {"worse": score + rng.normal(size=4000), "better": score, "same": 3 * score}
    >>> asked = {"signal": signal, "backgrounds": {"all": ~signal}, "efficiencies": (0.9,), "bootstrap": boot}
    >>> found = compare_rejections(scores, **asked)["all"]
    >>> bool(found.ratio("better", over="worse").low[0] > 1.2)
    True
    >>> same = found.ratio("same", over="better")
    >>> same.value, same.error
    (array([1.]), array([0.]))
    """
    weight = _checked(scores, signal, backgrounds, bootstrap, weight)
    target = np.asarray(efficiencies, float)
    if not np.all((target > 0) & (target <= 1)):
        raise ConfigError(f"signal efficiencies {target.tolist()} were asked for; give numbers above 0 and up to 1")
    orders = {name: _Order.of(score, signal, backgrounds) for name, score in scores.items()}
    value = {name: order.kept(weight, target) for name, order in orders.items()}
    replicas = {kind: {name: np.empty((len(bootstrap), len(target))) for name in scores} for kind in backgrounds}
    for number in range(len(bootstrap)):
        drawn = weight * bootstrap.weights(number)
        for name, order in orders.items():
            for kind, kept in order.kept(drawn, target).items():
                replicas[kind][name][number] = kept
    return {
        kind: ComparedRejections(target, {name: value[name][kind] for name in scores}, replicas[kind])
        for kind in backgrounds
    }


def compare_with_cuts(
    score: np.ndarray,
    passing: Mapping[str, np.ndarray],
    *,
    signal: np.ndarray,
    background: np.ndarray,
    bootstrap: Bootstrap,
    weight: np.ndarray | None = None,
) -> dict[str, RejectionRatio]:
    """Rejection of a score over that of cuts, at the signal efficiency that each of these has.

    Parameters
    ----------
    score : (n,) float
    passing : dict of str to (n,) bool
        Which candidates pass each of the cuts.
    signal, background : (n,) bool
    bootstrap : Bootstrap
        Over the events of these n rows.
    weight : (n,) float, optional

    Returns
    -------
    dict of str to RejectionRatio
        By cut, each at one signal efficiency. In a replica it is that of the cut there.

    Raises
    ------
    EmptyInputError, NumericalError, ShapeError
        As `compare_rejections`.

    Examples
    --------
    >>> from calotools.analysis.bootstrap import event_bootstrap
    >>> from calotools.containers import Index
    >>> rng = np.random.default_rng(1)
    >>> n, signal = np.arange(4000), np.arange(4000) % 2 == 0
    >>> score = rng.normal(2.0 * signal)
    >>> asked = {"signal": signal, "background": ~signal, "bootstrap": event_bootstrap(Index(n, n, n), rng=rng)}
    >>> found = compare_with_cuts(score, {"loose": score > 0.5}, **asked)["loose"]  # a cut on the score itself
    >>> bool(abs(found.value[0] - 1) < 0.01), bool(found.error[0] < 0.01)
    (True, True)
    """
    weight = _checked({"score": score, **passing}, signal, {"background": background}, bootstrap, weight)
    order = _Order.of(score, signal, {"": background})
    passes = [np.asarray(one, bool) for one in passing.values()]
    parts = [(np.flatnonzero(rows), [np.flatnonzero(rows & one) for one in passes]) for rows in (signal, background)]

    def measure(drawn: np.ndarray) -> np.ndarray:
        """Signal efficiency, and background efficiency of the cuts and of the score: (3, cut)."""
        kept = np.array([_shares(drawn, passed, of=rows) for rows, passed in parts])
        return np.vstack([kept, order.kept(drawn, kept[0])[""]])

    found = measure(weight)
    replicas = np.stack([measure(weight * bootstrap.weights(number)) for number in range(len(bootstrap))])
    return {
        name: _ratio(
            found[0, [k]],
            (found[1, [k]], found[2, [k]]),
            (replicas[:, 1, [k]], replicas[:, 2, [k]]),
            name="score",
            over=name,
        )
        for k, name in enumerate(passing)
    }


@dataclass(frozen=True)
class _Order:
    """Rows of the signal and of each background from the highest score down: sorted once for all replicas.

    `above` says how many of the background have at least the score of each of the signal.
    """

    signal: np.ndarray
    background: dict[str, np.ndarray]
    above: dict[str, np.ndarray]

    @classmethod
    def of(cls, score: np.ndarray, signal: np.ndarray, backgrounds: Mapping[str, np.ndarray]) -> _Order:
        score = np.asarray(score, float)
        falling = np.argsort(-score, kind="stable")
        own = falling[signal[falling]]
        others = {name: falling[mask[falling]] for name, mask in backgrounds.items()}
        above = {name: np.searchsorted(-score[rows], -score[own], side="right") for name, rows in others.items()}
        return cls(own, others, above)

    def kept(self, weight: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
        """Part of each background that is left where the signal efficiency is the smallest not below the target."""
        running = np.cumsum(weight[self.signal])
        if running[-1] <= 0:
            return {name: np.full(len(target), np.nan) for name in self.background}
        cut = np.minimum(np.searchsorted(running / running[-1], target - 1e-12), len(running) - 1)
        found = {}
        for name, rows in self.background.items():
            passed = np.append(0.0, np.cumsum(weight[rows]))
            total = passed[-1] if passed[-1] > 0 else np.nan
            found[name] = passed[self.above[name][cut]] / total
        return found


def _shares(weight: np.ndarray, parts: Sequence[np.ndarray], *, of: np.ndarray) -> list[float]:
    """Of the weight of some rows, what each part of them has; all are row numbers."""
    total = float(weight[of].sum())
    return [float(weight[rows].sum()) / total if total > 0 else float("nan") for rows in parts]


def _ratio(
    signal: np.ndarray,
    value: tuple[np.ndarray, np.ndarray],
    replicas: tuple[np.ndarray, np.ndarray],
    *,
    name: str,
    over: str,
) -> RejectionRatio:
    """From background efficiencies, those of the denominator first: of the sample and of its replicas."""
    central = np.where((value[0] > 0) & (value[1] > 0), _divided(*value), np.nan)
    low, high = _interval(_divided(*replicas))
    nan = np.where(np.isfinite(central), 0.0, np.nan)  # where one of them keeps no background, nothing is quoted
    return RejectionRatio(signal, central, np.minimum(low, central) + nan, np.maximum(high, central) + nan, name, over)


def _divided(theirs: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Of rejections: infinite where we keep no background, NaN where neither does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ours > 0, theirs / ours, np.where(theirs > 0, np.inf, np.nan))


def _interval(replicas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Central 68.3 % of the replicas: (replica, n). One that does not say what the ratio is may be at either end."""
    last = len(replicas) - 1
    low = np.sort(np.where(np.isnan(replicas), 0.0, replicas), axis=0)[round(_TAIL * last)]
    high = np.sort(np.where(np.isnan(replicas), np.inf, replicas), axis=0)[round((1 - _TAIL) * last)]
    return low, high


def _checked(
    scores: Mapping[str, np.ndarray],
    signal: np.ndarray,
    backgrounds: Mapping[str, np.ndarray],
    bootstrap: Bootstrap,
    weight: np.ndarray | None,
) -> np.ndarray:
    """The weights, after a look at everything."""
    weight = np.ones(len(signal)) if weight is None else np.asarray(weight, float)
    lengths = {name: len(one) for name, one in (*scores.items(), *backgrounds.items())}
    lengths |= {"signal": len(signal), "weight": len(weight), "bootstrap": len(bootstrap.group)}
    if len(set(lengths.values())) != 1:
        raise ShapeError(f"scores of the same candidates are needed, but the lengths are {lengths}")
    for name, mask in {"signal": signal, **backgrounds}.items():
        total = weight[mask].sum()
        if total <= 0:
            raise EmptyInputError(
                f"no {name} to compare with: {mask.sum()} candidates of {len(mask)}, of total weight {total:g}"
            )
    for name, one in scores.items():
        if bad := int(np.count_nonzero(~np.isfinite(one))):
            raise NumericalError(
                f"{bad} of {len(one)} scores '{name}' are not finite; compare candidates that have all"
            )
    return weight
