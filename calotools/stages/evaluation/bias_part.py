"""Candidates that are measured and may have been used before: by a bias correction that was fitted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calotools.stages.evaluation.labels import Measured
from calotools.stages.publish import Headline
from calotools.variables import SPLITS

if TYPE_CHECKING:
    from calotools.stages.scored import Scored

__all__ = ["tell_bias_part"]


def tell_bias_part(sample: Scored, used: np.ndarray) -> Measured:
    """Say how many of the measured candidates are of the part that `correct-bias` fitted the correction on.

    Parameters
    ----------
    sample : Scored
    used : (n,) bool
        Which of it is measured.

    Returns
    -------
    Measured
        ``bias_fitted_on``: what the bundle says of it (files, part, runs), and how many are ``measured`` of these runs
        and that part. Nothing for a correction that is the training's own.
    """
    fitted = sample.record.get("bias_fitted_on")
    if not fitted:
        return Measured()
    of_it = used & np.isin(sample.index.run, fitted["runs"]) if "runs" in fitted else used
    if fitted["split"] != "all" and sample.split is not None:
        of_it = of_it & (sample.split == SPLITS.index(fitted["split"]))
    n = int(of_it.sum())
    results = {"bias_fitted_on": fitted | {"measured": n}}
    if not n:
        return Measured(results)
    files = fitted["files"]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    comment = (
        f"of {int(used.sum())}: correct-bias --split {fitted['split']} used {fitted['candidates']} candidates of "
        f"{files[0]}{more}, of the same runs; unless these are other events, measure others"
    )
    return Measured(results, (Headline("measured candidates of the part that the bias is from", n, None, "", comment),))
