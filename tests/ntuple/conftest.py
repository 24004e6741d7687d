"""Candidates with known values, and the public files that tests may use."""

import os
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from calotools.ntuple import canonical_fields

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data():
    """Path of a public file; skips where the folder is absent."""
    folder = Path(os.environ.get("CALOTOOLS_TESTDATA", ROOT.parent / "shared" / "data"))

    def path(name):
        if not (folder / name).exists():
            pytest.skip(f"{folder / name} is absent; set CALOTOOLS_TESTDATA to the folder of public files")
        return folder / name

    return path


@pytest.fixture
def examples():
    """Folder of the example flavours."""
    return ROOT / "examples" / "flavours"


def _values(field, n, rng):
    if field.name in ("eta", "cells.eta", "tracks.eta", "phi", "cells.phi", "tracks.phi", "eta_cluster", "phi_cluster"):
        return rng.uniform(-2.4, 2.4, n).astype(field.type)
    if field.type.startswith("float"):
        scale = 1.0 if field.group == "cells" else 40.0
        return (scale * (1.0 + rng.uniform(-0.5, 0.5, n))).astype(field.type)
    return rng.integers(0, 20, n).astype(field.type)


def _collection(group, counts, rng):
    fields = [field for field in canonical_fields().values() if field.group == group]
    return ak.zip({one.name.partition(".")[2]: ak.unflatten(_values(one, counts.sum(), rng), counts) for one in fields})


@pytest.fixture
def make_candidates():
    """Function that draws `n` candidates with every canonical field, in GeV."""

    def make(n, *, seed=0, truth=True, first=0, cells=(30, 50)):
        rng = np.random.default_rng(seed)
        flat = {
            one.name: _values(one, n, rng)
            for one in canonical_fields().values()
            if one.group not in ("cells", "tracks") and (truth or one.group != "truth")
        }
        flat["event"] = np.arange(first, first + n, dtype=np.uint64)
        flat["candidate"] = np.zeros(n, dtype=np.int32)
        flat["et"] = (flat["e"] / np.cosh(flat["eta"])).astype(np.float32)
        flat["cells"] = _collection("cells", rng.integers(*cells, n), rng)
        flat["tracks"] = _collection("tracks", rng.integers(0, 4, n), rng)
        return flat

    return make
