"""Whether a precision is worth asking for on this machine."""

from __future__ import annotations

import warnings

import torch

from calotools.errors import SlowPrecisionWarning

__all__ = ["check_precision"]


def check_precision(precision: str, *, on_gpu: bool) -> None:
    """Warn where a processor has no instructions for the precision that was asked for.

    Parameters
    ----------
    precision : {"fp32", "bf16"}
    on_gpu : bool
        Networks run there, not on the processor.

    Warns
    -----
    SlowPrecisionWarning
        bf16 on a processor without AVX512_BF16, AMX or Arm's bf16.

    Examples
    --------
    >>> check_precision("fp32", on_gpu=False)
    """
    if precision != "bf16" or on_gpu:
        return
    look = getattr(torch.cpu, "get_capabilities", None)  # older versions of torch do not say
    able: dict[str, object] = {"bf16": True} if look is None else look()
    if not any(value for name, value in able.items() if "bf16" in name):
        warnings.warn(
            "precision = 'bf16': this processor has no instructions for it (AVX512_BF16, AMX) and imitates them, which "
            "is slower than 'fp32'; use 'fp32' here",
            SlowPrecisionWarning,
            stacklevel=3,
        )
