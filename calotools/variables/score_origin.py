"""Which model made some scores, and how they were calibrated: cuts on them are good for these, and no others."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from calotools.errors import ConfigError, UncheckedWarning

__all__ = ["ScoreOrigin", "check_origin"]


@dataclass(frozen=True)
class ScoreOrigin:
    """Which model made some scores, and how they were calibrated.

    Attributes
    ----------
    model : str
        Its kind, such as ``trees``.
    digest : str
        Of its bundle.
    temperature : tuple of float
        What its logits were divided by, for each model of folds; empty where nothing was.
    """

    model: str
    digest: str
    temperature: tuple[float, ...] = ()

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> ScoreOrigin | None:
        """What `predict` writes beside scores, or a file of cuts holds.

        Parameters
        ----------
        record : mapping
            ``model``, ``digest`` and ``temperature``.

        Returns
        -------
        ScoreOrigin, optional
            None where an older version did not write it.

        Examples
        --------
        >>> ScoreOrigin.from_record({"model": "trees", "digest": "1a2b", "temperature": [1.0, 1.0]})
        ScoreOrigin(model='trees', digest='1a2b', temperature=())
        """
        if not record.get("digest"):
            return None
        return cls(str(record.get("model", "network")), str(record["digest"]), _applied(record.get("temperature")))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for JSON."""
        return {"model": self.model, "digest": self.digest, "temperature": list(self.temperature)}


def _applied(temperature: Iterable[float] | None) -> tuple[float, ...]:
    """Temperatures, unless they change nothing."""
    values = tuple(float(one) for one in temperature or ())
    return values if any(one != 1.0 for one in values) else ()


def check_origin(cuts: ScoreOrigin | None, scores: ScoreOrigin | None, *, where: str) -> None:
    """Refuse cuts that were made from scores of another model, or of another calibration.

    Parameters
    ----------
    cuts : ScoreOrigin, optional
        Of the scores that the cuts were made from.
    scores : ScoreOrigin, optional
        Of those that they shall be applied to.
    where : str
        The file of the cuts.

    Raises
    ------
    ConfigError
        They differ; the message says in what, and what to do.

    Warns
    -----
    UncheckedWarning
        An older version wrote one of the files, so that nothing is known.

    Examples
    --------
    >>> check_origin(ScoreOrigin("trees", "1a2b"), ScoreOrigin("trees", "3c4d"), where="cuts")
    Traceback (most recent call last):
    calotools.errors.ConfigError: working points 'cuts' are not for these scores: they were made from those of model ...
    """
    if cuts is None or scores is None:
        what = f"working points '{where}' do" if cuts is None else "these scores do"
        warnings.warn(
            f"{what} not say which model they are of, because an older version wrote them: whether the working points "
            f"'{where}' are for these scores is not checked; make both again to be sure",
            UncheckedWarning,
            stacklevel=2,
        )
    elif (cuts.model, cuts.digest) != (scores.model, scores.digest):
        raise ConfigError(
            f"working points '{where}' are not for these scores: they were made from those of {_model(cuts)}, these "
            f"are of {_model(scores)}; {_REMEDY}"
        )
    elif cuts.temperature != scores.temperature:
        raise ConfigError(
            f"working points '{where}' are not for these scores: they were made from scores {_calibration(cuts)}, "
            f"these are {_calibration(scores)}; predict {'with' if scores.temperature else 'without'} --no-calibrate, "
            f"or {_REMEDY}"
        )


_REMEDY = "make working points from these scores (calotools working-points)"


def _model(origin: ScoreOrigin) -> str:
    return f"model '{origin.model}' (digest {origin.digest[:12]})"


def _calibration(origin: ScoreOrigin) -> str:
    if not origin.temperature:
        return "without a temperature"
    return f"with temperature {', '.join(f'{one:.4g}' for one in origin.temperature)}"
