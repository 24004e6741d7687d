"""Random numbers inside compiled kernels: a splitmix64 stream of its own for every particle.

The state is a uint64 array of one element, so that a particle's shower depends on its seed alone, and not on the chunk,
the core or the neighbours that it is simulated with.
Source: Steele, Lea & Flood, OOPSLA 2014 (splitmix64); Marsaglia & Tsang, ACM TOMS 26 (2000) 363 (gamma).
"""

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["advance", "exponential", "four", "gamma", "normal", "pair", "poisson", "uniform", "uniforms"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0
_S33, _LOW = np.uint64(33), np.uint64(0x7FFFFFFF)
_TO_HALF = 1.0 / 2147483648.0
_S44, _S24, _S12 = np.uint64(44), np.uint64(24), np.uint64(12)
_BITS_20, _BITS_12 = np.uint64(0xFFFFF), np.uint64(0xFFF)
_TO_20, _TO_12 = 1.0 / 1048576.0, 1.0 / 4096.0


@numba.njit
def uniform(state: np.ndarray) -> float:
    """One number in the open interval (0, 1); `state` is advanced."""
    state[0] += _STEP
    z = state[0]
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z ^= z >> _S31
    return (np.float64(z >> _S11) + 0.5) * _TO_UNIT


@numba.njit
def advance(counter: np.uint64) -> np.uint64:
    """The counter's next value, for loops that keep it in a variable of their own."""
    return counter + _STEP


@numba.njit
def pair(counter: np.uint64) -> tuple[float, float]:
    """Two numbers in (0, 1), of 31 bits each, from one value of the counter."""
    z = (counter ^ (counter >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z ^= z >> _S31
    return (np.float64(np.int64(z >> _S33)) + 0.5) * _TO_HALF, (np.float64(np.int64(z & _LOW)) + 0.5) * _TO_HALF


@numba.njit
def four(counter: np.uint64) -> tuple[float, float, float, float]:
    """Four numbers in (0, 1), two of 20 bits and two of 12, from one value of the counter."""
    z = (counter ^ (counter >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z ^= z >> _S31
    a, b, c, d = z >> _S44, (z >> _S24) & _BITS_20, (z >> _S12) & _BITS_12, z & _BITS_12
    return (
        (np.float64(np.int64(a)) + 0.5) * _TO_20,
        (np.float64(np.int64(b)) + 0.5) * _TO_20,
        (np.float64(np.int64(c)) + 0.5) * _TO_12,
        (np.float64(np.int64(d)) + 0.5) * _TO_12,
    )


@numba.njit
def uniforms(state: np.ndarray) -> tuple[float, float]:
    """Two numbers in (0, 1), of 31 bits each; `state` is advanced once."""
    state[0] = advance(state[0])
    return pair(state[0])


@numba.njit
def normal(state: np.ndarray) -> float:
    """One standard normal number (polar method)."""
    while True:
        x = 2.0 * uniform(state) - 1.0
        y = 2.0 * uniform(state) - 1.0
        s = x * x + y * y
        if 0.0 < s < 1.0:
            return x * math.sqrt(-2.0 * math.log(s) / s)


@numba.njit
def exponential(state: np.ndarray) -> float:
    """One number of the unit exponential."""
    return -math.log(uniform(state))


@numba.njit
def gamma(state: np.ndarray, shape: float) -> float:
    """One number of the unit-scale gamma distribution; 0 for a shape that is not positive."""
    if shape <= 0.0:
        return 0.0
    if shape < 1.0:
        return gamma_above_one(state, shape + 1.0) * uniform(state) ** (1.0 / shape)
    return gamma_above_one(state, shape)


@numba.njit
def gamma_above_one(state: np.ndarray, shape: float) -> float:
    """One number of the unit-scale gamma distribution of shape >= 1."""
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(state)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        u = uniform(state)
        # Nearly always this bound decides, without logarithms.
        if u < 1.0 - 0.0331 * x * x * x * x or math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v


@numba.njit
def poisson(state: np.ndarray, mean: float) -> int:
    """One Poisson count; a rounded normal above a mean of 60, where the two differ by less than the use here sees."""
    if mean <= 0.0:
        return 0
    if mean > 60.0:
        return max(0, math.floor(mean + math.sqrt(mean) * normal(state) + 0.5))
    limit = math.exp(-mean)
    product = uniform(state)
    count = 0
    while product > limit:
        product *= uniform(state)
        count += 1
    return count
