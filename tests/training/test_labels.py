"""Which candidates have a base energy: an energy needs a positive one, classes a finite one."""

import numpy as np
import pytest

from calotools.containers import Index
from calotools.errors import ConfigError
from calotools.training.sample.labels import base_of, check_inputs, label
from calotools.training.sample.weighing import Tally, Weighing, class_shares, kept_fractions

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


def test_a_background_is_composed_as_its_weights_say(recipe):
    config = recipe("identification", class_weights={"4": 0.5, "5": 2.0}, classes={"background": [4, 5], "signal": [0]})
    truth = np.array([4, 5, 0] * 2000, np.int32)
    n = len(truth)
    columns = {"class_true": truth, "e": np.full(n, 40.0), "et": np.full(n, 30.0), "eta": np.zeros(n)}
    index = Index(np.ones(n, np.uint32), np.arange(n, dtype=np.uint64), np.zeros(n, np.int32))
    sample = label(config, columns.__getitem__, index)
    tally = Tally(config)
    tally.add(sample, columns.__getitem__, index.run)
    weight = Weighing.fit(tally).apply(config, sample, columns.__getitem__).weight
    assert weight[truth == 5][0] / weight[truth == 4][0] == pytest.approx(4)
    train = sample.split == 0
    shares = [weight[train & (sample.target == number)].mean() for number in range(2)]
    assert shares == pytest.approx([1, 1], rel=0.01)  # classes keep their shares


def test_a_weight_of_what_no_class_collects_is_a_mistake(recipe):
    config = recipe("identification", class_weights={3: 0.5}, classes={"background": [4, 5], "signal": [0]})
    with pytest.raises(ConfigError, match=r"class_weights\.3 .* no class collects; those that one does: \[0, 4, 5\]"):
        check_inputs(config)


def test_an_energy_has_no_class_weights(recipe):
    with pytest.raises(ConfigError, match="class_weights"):
        check_inputs(recipe("energy", class_weights={4: 2.0}))


def test_an_energy_has_no_shares_of_classes(recipe):
    text = r"fractions are shares of classes; .* take them out \(which events .* validation_fraction and test_fraction"
    with pytest.raises(ConfigError, match=text):
        check_inputs(recipe("energy", fractions={"train": 0.5}))


def test_shares_of_classes_are_relative(recipe):
    config = recipe("identification", fractions={"signal": 3, "background": 1})
    assert class_shares(config) == {"signal": 0.75, "background": 0.25}
    assert list(class_shares(config)) == list(config.classes)
    same = recipe("identification", fractions={"signal": 0.75, "background": 0.25})
    for n_train in ([100, 900], [900, 100]):
        one, other = (kept_fractions(each, np.array(n_train)) for each in (config, same))
        np.testing.assert_array_equal(one, other)
        kept = dict(zip(config.classes, one * n_train, strict=True))
        assert kept["signal"] == pytest.approx(3 * kept["background"])
    assert class_shares(recipe("identification")) == {}
