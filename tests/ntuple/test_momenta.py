"""Momenta are Vector's; candidates are not, so that a field never becomes something else."""

import awkward as ak
import numpy as np
import pytest

from calotools.errors import BranchError, ShapeError
from calotools.ntuple import NtupleWriter, index_of, momenta_of, read_candidates


def _sample(tmp_path, make_candidates):
    with NtupleWriter(tmp_path / "a.root") as writer:
        writer.extend("electrons", make_candidates(20))
    return read_candidates(tmp_path / "a.root")


def test_every_field_stays_itself_once_vector_is_registered(tmp_path, make_candidates):
    """`e2` is the energy in the middle layer, for Vector the square of the energy."""
    candidates = _sample(tmp_path, make_candidates)
    momenta_of(candidates)
    for name in set(candidates.fields) - {"cells", "tracks"}:
        assert ak.array_equal(getattr(candidates, name), candidates[name]), name


def test_masses(tmp_path, make_candidates):
    candidates = _sample(tmp_path, make_candidates)
    one, two = momenta_of(candidates[::2]), momenta_of(candidates[1::2])
    a, b = candidates[::2], candidates[1::2]
    wanted = np.sqrt(2 * a.et * b.et * (np.cosh(a.eta - b.eta) - np.cos(a.phi - b.phi)))
    np.testing.assert_allclose((one + two).mass, wanted, rtol=1e-4)


def test_energies_of_one_s_own(tmp_path, make_candidates):
    candidates = _sample(tmp_path, make_candidates)
    doubled = momenta_of(candidates, energy=2 * ak.to_numpy(candidates.e))
    np.testing.assert_allclose(doubled.pt, 2 * candidates.et, rtol=1e-5)
    np.testing.assert_allclose(momenta_of(candidates, energy="e_true").e, candidates.e_true)
    with pytest.raises(ShapeError, match="3 energies were given for 20 candidates"):
        momenta_of(candidates, energy=np.ones(3))
    with pytest.raises(BranchError, match="momenta need field 'e_netwrk'"):
        momenta_of(candidates, energy="e_netwrk")


def test_the_index_needs_its_fields():
    with pytest.raises(BranchError, match=r"candidates lack \['candidate'\]"):
        index_of(ak.Array({"run": [1], "event": [2]}))
