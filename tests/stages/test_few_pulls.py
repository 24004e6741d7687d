"""What is said of a sigma when candidates are few."""

import numpy as np

from calotools.analysis import Bootstrap
from calotools.stages.evaluation.pulls import measure_uncertainty


def test_tenths_of_too_few_candidates_are_left_out():
    figures = {n: _figures(n) for n in (43, 2000)}
    assert "sigma_honesty" not in figures[43]
    assert "sigma_honesty" in figures[2000]


def _figures(n: int) -> set[str]:
    rng = np.random.default_rng(1)
    true, sigma = rng.uniform(30, 60, n), rng.uniform(1, 2, n)
    columns = {"e_true": true, "weight": np.ones(n)}
    return set(
        measure_uncertainty(
            true + sigma * rng.normal(size=n),
            sigma,
            columns,
            axes={},
            bootstrap=Bootstrap(np.arange(n), n, np.arange(50)),
            label="",
        )[2]
    )
