"""A precision that the processor imitates is slow, and said to be."""

import pytest
import torch

from calotools.errors import SlowPrecisionWarning
from calotools.models import check_precision


def test_bf16_where_it_is_imitated(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False, "amx_bf16": False})
    with pytest.warns(SlowPrecisionWarning, match=r"no instructions for it \(AVX512_BF16, AMX\).*use 'fp32' here"):
        check_precision("bf16", on_gpu=False)


@pytest.mark.parametrize(
    ("precision", "on_gpu", "able"), [("bf16", True, False), ("fp32", False, False), ("bf16", False, True)]
)
def test_where_there_is_nothing_to_say(monkeypatch, precision, on_gpu, able):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able})
    check_precision(precision, on_gpu=on_gpu)
