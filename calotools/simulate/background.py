"""Background under the Z: an electron and a jet that is taken for one; falling mass, no charge correlation."""

from __future__ import annotations

import numpy as np

from calotools.simulate.generated import Generated, Truth, particles_of
from calotools.simulate.generator import ETA_MAX, electrons_at
from calotools.simulate.jets import draw_categories, jets_at
from calotools.simulate.kinematics import draw_from_density, wrap_phi
from calotools.simulate.response import Particles

__all__ = ["W_ORIGIN", "generate_background"]

W_ORIGIN = 12
"""`origin_true` of the electron of a background pair (MCTruthClassifier: W boson)."""

_MASS_SLOPE = 30.0  # GeV
_MASS_RANGE = (40.0, 200.0)
_ELECTRON_ET = (20.0, 90.0)
_JET_ET = (15.0, 150.0)


def generate_background(n: int, *, rng: np.random.Generator) -> Generated:
    """Pairs of a prompt electron and a jet fake.

    Parameters
    ----------
    n : int
        Events; each has two candidates.
    rng : numpy.random.Generator

    Returns
    -------
    Generated
        The mass of the pair falls as exp(-m / 30 GeV).

    Examples
    --------
    >>> batch = generate_background(5, rng=np.random.default_rng(1))
    >>> batch.truth.event.tolist()
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    et, eta, phi = _kinematics(n, rng)
    charge = rng.choice([-1, 1], size=n)
    electron = electrons_at(
        np.arange(n),
        et[0] * np.cosh(eta[0]),
        eta[0],
        phi[0],
        charge=charge,
        origin=W_ORIGIN,
        scale=None,
        rng=rng,
    )
    jet = jets_at(et[1], eta[1], phi[1], category=draw_categories(n, rng=rng), rng=rng)
    return _interleave(electron, jet)


def _kinematics(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E_T, eta and phi with axes (electron or jet, event), solved for the drawn mass; impossible draws are repeated."""
    found = np.zeros((3, 2, 0))
    while found.shape[2] < n:
        m = 8 * n + 50
        mass = draw_from_density(
            m, lambda x: np.exp(-x / _MASS_SLOPE), low=_MASS_RANGE[0], high=_MASS_RANGE[1], rng=rng
        )
        et = np.stack(
            [
                draw_from_density(m, lambda x: np.exp(-0.5 * ((x - 36) / 12) ** 2), low=low, high=high, rng=rng)
                if which == 0
                else draw_from_density(m, lambda x: x**-2.0, low=low, high=high, rng=rng)
                for which, (low, high) in enumerate((_ELECTRON_ET, _JET_ET))
            ]
        )
        eta0, phi0 = rng.uniform(-ETA_MAX, ETA_MAX, m), rng.uniform(-np.pi, np.pi, m)
        d_phi = np.pi - np.abs(rng.normal(0.0, 0.7, m))
        cosh = mass**2 / (2 * et[0] * et[1]) + np.cos(d_phi)
        eta1 = eta0 + rng.choice([-1, 1], size=m) * np.arccosh(np.maximum(cosh, 1.0))
        good = (cosh >= 1) & (np.abs(eta1) < ETA_MAX) & (d_phi > 0.4)
        phi = np.stack([phi0, wrap_phi(phi0 + rng.choice([-1, 1], size=m) * d_phi)])
        found = np.concatenate([found, np.stack([et, np.stack([eta0, eta1]), phi])[:, :, good]], axis=2)
    return found[0, :, :n], found[1, :, :n], found[2, :, :n]


def _interleave(first: Generated, second: Generated) -> Generated:
    """Events with candidate 0 from `first` and candidate 1 from `second`."""
    n = len(first.truth)
    order = np.arange(2 * n).reshape(2, n).T.ravel()
    truth = _chain(first.truth, second.truth).take(order)
    particles, rows = _join(first.particles, second.particles)
    around, _ = _join(first.around, second.around)
    # the photon that an electron radiated is part of it
    own = first.truth.take(first.particles.candidate)
    jets = second.particle_truth if second.particle_truth is not None else second.truth.take(second.particles.candidate)
    return Generated(
        truth,
        particles,
        np.concatenate([first.d0, second.d0])[rows],
        around,
        n,
        particle_truth=_chain(own, jets).take(rows),
    )


def _chain(first: Truth, second: Truth) -> Truth:
    names = Truth.__dataclass_fields__
    return Truth(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names})


def _join(first: Particles, second: Particles) -> tuple[Particles, np.ndarray]:
    candidate = np.concatenate([2 * first.candidate, 2 * second.candidate + 1])
    columns = (np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("pdg", "e", "eta", "phi"))
    rows = np.argsort(candidate, kind="stable")
    return particles_of(candidate, *columns), rows
