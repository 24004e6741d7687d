"""A network's sigma: what it is called, and the factor that makes it cover what it should."""

from __future__ import annotations

import numpy as np

__all__ = ["ENERGY_NAMES", "corrected_energies", "fit_sigma_scale"]

# Of what `predict` writes, by the recipe's `uncertainty`; sigma is half of the interval where there is one.
ENERGY_NAMES = {
    "none": ("e_network",),
    "gaussian": ("e_network", "e_network_sigma"),
    "quantiles": ("e_network", "e_network_sigma", "e_network_low", "e_network_high"),
}
_ONE_SIGMA = 0.6827
_ENOUGH = 30


def fit_sigma_scale(values: np.ndarray, target: np.ndarray) -> float:
    """The factor with which 68.27 % of the true energies are within one sigma. Give it the validation part.

    Parameters
    ----------
    values : (n, 2) or (n, 3) float [GeV]
        Energy and sigma, or energy and the ends of its interval.
    target : (n,) float [GeV]

    Returns
    -------
    float
        1 for fewer than 30 candidates.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true = rng.uniform(30, 60, 20_000)
    >>> said = np.stack([true + rng.normal(0, 2, 20_000), np.ones(20_000)], axis=1)
    >>> round(fit_sigma_scale(said, true), 1)
    2.0
    """
    if len(values) < _ENOUGH:
        return 1.0
    missing = target - values[:, 0]
    if values.shape[1] == 2:
        width = values[:, 1]
    else:
        width = np.where(missing < 0, values[:, 0] - values[:, 1], values[:, 2] - values[:, 0])
    return float(np.quantile(np.abs(missing) / width, _ONE_SIGMA))


def corrected_energies(values: np.ndarray, *, divisor: np.ndarray, sigma_scale: float) -> np.ndarray:
    """What `predict` writes, from what a network says.

    Parameters
    ----------
    values : (n, 1), (n, 2) or (n, 3) float [GeV]
        As `calotools.models.heads.energies` gives them.
    divisor : (n,) float
        Of the bias correction, for all of them.
    sigma_scale : float

    Returns
    -------
    (n, 1), (n, 2) or (n, 4) float [GeV]
        In the order of `ENERGY_NAMES`.

    Examples
    --------
    >>> said = np.array([[50.0, 49.0, 52.0]])
    >>> corrected_energies(said, divisor=np.ones(1), sigma_scale=2.0).tolist()
    [[50.0, 3.0, 48.0, 54.0]]
    """
    values = values / divisor[:, None]
    energy = values[:, :1]
    if values.shape[1] == 1:
        return energy
    if values.shape[1] == 2:
        return np.concatenate([energy, sigma_scale * values[:, 1:]], axis=1)
    ends = energy + sigma_scale * (values[:, 1:] - energy)
    return np.concatenate([energy, 0.5 * (ends[:, 1:] - ends[:, :1]), ends], axis=1)
