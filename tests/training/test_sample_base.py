"""Which candidates have a base energy: an energy needs a positive one, classes a finite one."""

import numpy as np

from calotools.containers import Index
from calotools.training.sample import base_of, label

ENERGY = np.array([20.0, 0.0, -3.0, np.nan, np.inf], dtype=np.float32)


def test_energies_need_a_positive_base(recipe):
    base, usable = base_of(recipe("energy"), ENERGY)
    assert usable.tolist() == [True, False, False, False, False]
    assert base.tolist() == [20, 1, 1, 1, 1]


def test_classes_keep_what_noise_made_negative(recipe):
    base, usable = base_of(recipe("identification"), ENERGY)
    assert usable.tolist() == [True, True, True, False, False]
    assert base.tolist() == [20, 1, 1, 1, 1]
    columns = {"class_true": np.zeros(5, np.int32), "e": ENERGY}
    index = Index(np.ones(5, np.uint32), np.arange(5, dtype=np.uint64), np.zeros(5, np.int32))
    sample = label(recipe("identification", reweight=False), columns.__getitem__, index)
    assert (sample.split >= 0).tolist() == [True, True, True, False, False]
    np.testing.assert_array_equal(sample.base_energy, base)
