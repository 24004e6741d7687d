"""The networks: parameters of the literature, invariances, settings."""

import os
import subprocess
import sys

import pytest
import torch

from calotools.errors import ConfigError
from calotools.models import ElectronCNN2018, EnergyCNN, ModelInputs, build_model, tree_threads, use_threads

SHAPES = {"em": (3, 56, 11), "had": (2, 7, 11)}
ELECTRON = ModelInputs(shapes=SHAPES, n_tracks=15, n_track_features=4, n_classes=2)
ENERGY = ModelInputs(shapes={"em": (4, 56, 11)}, n_scalars=3, n_tracks=5, n_track_features=2)


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("reading", "number"), [("slides", 95_952), ("published", 118_652)])
def test_electron_cnn_has_the_parameters_of_2018(reading, number, make_batch):
    network = build_model("electron_cnn_2018", {"reading": reading}, ELECTRON)
    assert n_parameters(network) == number
    logits = network(make_batch(3, n_tracks=15, n_features=4))
    assert logits.shape == (3, 2)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("reading", ["slides", "published"])
def test_padding_is_not_read(reading, make_batch):
    network = ElectronCNN2018(ELECTRON, reading=reading)
    clean = make_batch(3, n_tracks=15, n_features=4)
    dirty = make_batch(3, n_tracks=15, n_features=4)
    dirty.tracks[~dirty.track_mask] = 1e6
    assert torch.equal(network(clean), network(dirty))


def test_published_reading_sees_tracks_as_an_image(make_batch):
    network = ElectronCNN2018(ELECTRON, reading="published")
    with torch.no_grad():
        network.hidden.weight[:, 600:] = 0
    one, other = make_batch(3, n_tracks=15, n_features=4), make_batch(3, n_tracks=15, n_features=4)
    other.tracks.mul_(3.0)
    assert not torch.equal(network(one), network(other))


def test_scalars_and_more_classes_are_accepted(make_batch):
    inputs = ModelInputs(shapes=SHAPES, n_scalars=7, n_classes=6)
    assert ElectronCNN2018(inputs)(make_batch(2, n_scalars=7)).shape == (2, 6)


def test_identification_does_not_depend_on_the_unit_of_energy(make_batch):
    network = ElectronCNN2018(ModelInputs(shapes=SHAPES, n_classes=2))
    gev, mev = make_batch(), make_batch()
    for image in (*mev.images.values(), mev.base_energy):
        image.mul_(1000)
    torch.testing.assert_close(network(gev), network(mev))


def test_untrained_energy_network_returns_the_base_energy(make_batch):
    batch = make_batch(inputs=ENERGY, n_scalars=3, n_tracks=5, n_features=2)
    assert torch.equal(EnergyCNN(ENERGY)(batch), batch.base_energy)


def test_energy_network_uses_every_input(make_batch):
    network = EnergyCNN(ENERGY)
    torch.nn.init.normal_(network.out.weight)
    batch = make_batch(inputs=ENERGY, n_scalars=3, n_tracks=5, n_features=2)
    inputs = [batch.images["energy_em"], batch.scalars, batch.tracks, batch.base_energy]
    for one in inputs:
        one.requires_grad_()
    network(batch).sum().backward()
    assert all(one.grad.abs().sum() > 0 for one in inputs)


def test_energy_network_is_compact_and_takes_other_grids(make_batch):
    assert 100_000 < n_parameters(EnergyCNN(ENERGY)) < 200_000
    crystals = ModelInputs(shapes={"ecal": (1, 5, 5)})
    assert EnergyCNN(crystals)(make_batch(2, inputs=crystals)).shape == (2,)


def test_one_candidate_does_not_depend_on_the_others(make_batch):
    network = EnergyCNN(ENERGY)
    torch.nn.init.normal_(network.out.weight)
    batch = make_batch(6, inputs=ENERGY, n_scalars=3, n_tracks=5, n_features=2)
    alone = make_batch(6, inputs=ENERGY, n_scalars=3, n_tracks=5, n_features=2)
    alone.images["energy_em"][1:] = 0
    torch.testing.assert_close(network(batch)[:1], network(alone)[:1])


def test_unknown_names_give_the_nearest():
    with pytest.raises(ConfigError, match="no model 'energy-cnn'; nearest: 'energy_cnn'"):
        build_model("energy-cnn", {}, ENERGY)
    with pytest.raises(ConfigError, match="no model 'tree'; nearest: 'trees'"):
        build_model("tree", {}, ENERGY)
    with pytest.raises(ConfigError, match="model 'trees' is no network"):
        build_model("trees", {}, ENERGY)
    with pytest.raises(ConfigError, match="'energy_cnn' has no setting 'map'; nearest: 'maps'"):
        build_model("energy_cnn", {"map": 3}, ENERGY)
    with pytest.raises(ConfigError, match="no reading 'slide'; nearest: 'slides'"):
        build_model("electron_cnn_2018", {"reading": "slide"}, ELECTRON)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="setting 'maps' = 0 is not allowed"):
        build_model("energy_cnn", {"maps": 0}, ENERGY)
    with pytest.raises(ConfigError, match="setting 'blocks' = '2' is not allowed"):
        build_model("energy_cnn", {"blocks": "2"}, ENERGY)
    with pytest.raises(ConfigError, match=r"at least 10 x 10 pixels .*, got 7 x 11"):
        ElectronCNN2018(ModelInputs(shapes={"had": (2, 7, 11)}, n_classes=2))


def test_a_model_of_the_other_task_is_refused():
    with pytest.raises(ConfigError, match="choose model 'energy_cnn'"):
        build_model("electron_cnn_2018", {}, ENERGY)
    with pytest.raises(ConfigError, match="choose model 'electron_cnn_2018'"):
        build_model("energy_cnn", {}, ELECTRON)


def test_threads_are_given_back_after_an_error():
    before = torch.get_num_threads()
    inside = []

    def fail():
        with use_threads(3):
            inside.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside == [3]
    assert torch.get_num_threads() == before


def test_trees_have_threads_as_networks_but_no_more_than_they_keep_busy():
    with use_threads(4):
        asked = [tree_threads(None, rows=rows) for rows in (0, 20_000, 99_999, 100_000, 10**6)]
        assert asked == [1, 1, 1, 2, 4]
        assert tree_threads(2, rows=100) == 2  # what the recipe says is done
    with use_threads(1):
        assert tree_threads(None, rows=10**6) == 1


def test_threads_of_trees_follow_the_environment():
    ask = "from calotools.models import tree_threads; print(tree_threads(None, rows=10**6))"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.strip() == "1"
