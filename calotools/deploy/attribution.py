"""What a network's answer rests on: by shuffling one input at a time, and by integrated gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np
import torch

from calotools.containers import Batch
from calotools.deploy.folds import own_rows
from calotools.deploy.score import Scorer
from calotools.deploy.shuffling import Asked, Metric, Outputs, shuffle_each
from calotools.errors import EmptyInputError
from calotools.models.heads import energy_of
from calotools.ntuple import index_of, iterate_candidates, sample_fields
from calotools.progress import Progress
from calotools.training.sample import parts_of, read_fields, target_of
from calotools.variables import SPLITS, add_derived, fields_in, select

if TYPE_CHECKING:
    from torch import nn

    from calotools.deploy.bundle import ModelBundle
    from calotools.recipe import AttributeConfig, LabelledConfig

__all__ = [
    "OwnBatch",
    "input_shuffles",
    "integrate_gradients",
    "iterate_labelled",
    "permutation_importance",
    "read_batches",
    "read_labelled",
]

Shuffle = Callable[[Batch, torch.Tensor], Batch]
_FEW = 50


@dataclass(frozen=True)
class OwnBatch:
    """A network with candidates that it did not learn from.

    Attributes
    ----------
    bundle : ModelBundle
        Of one network.
    batch : Batch
        Made with its scalers.
    truth : (n,) float32 [GeV], or int64
        True energy, or class in the order of the network's outputs.
    """

    bundle: ModelBundle
    batch: Batch
    truth: np.ndarray


def read_batches(bundle: ModelBundle, config: AttributeConfig) -> list[OwnBatch]:
    """The first candidates of each of some files that are of the wanted part and can be used.

    Parameters
    ----------
    bundle : ModelBundle
        Of a network, or of the networks of folds.
    config : AttributeConfig

    Returns
    -------
    list of OwnBatch
        One for each fold with candidates; one of all where there are no folds.

    Raises
    ------
    EmptyInputError
        Fewer than 50 are left.
    """
    together, truth, usable = read_labelled(bundle, config)
    found = []
    for own, rows in own_rows(bundle, together):
        ready = next(Scorer(own, on_bad="skip", batch_size=len(rows)).make_ready(together[rows]))
        kept = np.flatnonzero(usable[rows] & ready.usable)
        found.append(OwnBatch(own, _take(ready.batch, torch.from_numpy(kept)), truth[rows[kept]]))
    n = sum(len(one.truth) for one in found)
    if n < _FEW:
        raise _too_few(n, config)
    return [one for one in found if len(one.truth)]


def read_labelled(bundle: ModelBundle, config: AttributeConfig) -> tuple[ak.Array, np.ndarray, np.ndarray]:
    """The first candidates of each of some files that are of the wanted part.

    Parameters
    ----------
    bundle : ModelBundle
    config : AttributeConfig

    Returns
    -------
    candidates : awkward record array
        With what the model sees.
    truth : (n,) float32 [GeV], or int64
        True energy, or class in the order of the outputs.
    usable : (n,) bool
        There is a truth.

    Raises
    ------
    EmptyInputError
        Fewer than 50 are left.
    """
    found: list[ak.Array] = []
    n = 0
    for number, file in enumerate(config.files):  # the first of them alone may be of one class
        share = -(-(config.n - n) // (len(config.files) - number))
        if share:
            found += iterate_labelled(bundle, config.model_copy(update={"files": (file,)}), most=share)
            n = sum(map(len, found))
    if n < _FEW:
        raise _too_few(n, config)
    together = ak.concatenate(found)
    return together, *target_of(bundle.config, ak.to_numpy(ak.fill_none(together[_target(bundle)], np.nan)))


def iterate_labelled(bundle: ModelBundle, config: LabelledConfig, *, most: int | None = None) -> Iterator[ak.Array]:
    """Candidates of some files that are of the wanted part, pass the cuts and have what the model sees, in pieces.

    Parameters
    ----------
    bundle : ModelBundle
    config : LabelledConfig
    most : int, optional
        Candidates at most, the first ones.

    Yields
    ------
    awkward record array
        With the truth (``e_true`` or ``class_true``), which may be missing.
    """
    recipe = bundle.config
    cuts = (*recipe.sample.selection, *config.selection)
    tree, flavour = config.tree or recipe.sample.tree, config.flavour or recipe.sample.flavour
    known = sample_fields(config.files, tree=tree, flavour=flavour)
    wanted = read_fields(recipe, bundle.image_spec, known=known, more=(_target(bundle), *fields_in(cuts)))
    n = 0
    for chunk in iterate_candidates(config.files, tree=tree, flavour=flavour, fields=wanted, allow_empty=True):
        candidates = add_derived(chunk.candidates, fields_in(cuts))
        candidates = candidates[np.asarray(select(candidates, cuts).mask)]
        if config.split != "all":
            index = index_of(candidates)
            candidates = candidates[parts_of(recipe, index.run, index.event) == SPLITS.index(config.split)]
        candidates = candidates if most is None else candidates[: most - n]
        n += len(candidates)
        yield candidates
        if n == most:
            break


def _target(bundle: ModelBundle) -> str:
    return "e_true" if bundle.task == "energy" else "class_true"


def _too_few(n: int, config: AttributeConfig) -> EmptyInputError:
    return EmptyInputError(
        f"{n} candidates of {list(config.files)} are of the {config.split} part, pass the cuts of the training and "
        f"{list(config.selection)} and have a truth; {_FEW} are needed"
    )


def input_shuffles(bundle: ModelBundle) -> dict[str, Shuffle]:
    """For each input of a network, a function that gives it to other candidates.

    Parameters
    ----------
    bundle : ModelBundle

    Returns
    -------
    dict of str to callable
        ``strips energy``, ``mu``, ``tracks``, ``tracks d0``, ...: (batch, order) -> batch. Images of energy keep the
        candidate's own energy: what is shuffled is the fraction of it in each pixel.
    """
    found: dict[str, Shuffle] = {}
    for grid in bundle.inputs.shapes:
        for number, layer in enumerate(bundle.image_spec.layers_on(grid)):
            for quantity in bundle.image_spec.quantities:
                found[f"{layer.name} {quantity}"] = _shuffle_layer(f"{quantity}_{grid}", number)
    for number, name in enumerate(bundle.config.scalars):
        found[name] = _shuffle_scalar(number)
    if bundle.inputs.n_track_values:
        found["tracks"] = lambda batch, order: replace(
            batch, tracks=batch.tracks[order], track_mask=batch.track_mask[order]
        )
        for number, name in enumerate(bundle.config.tracks):
            found[f"tracks {name}"] = _shuffle_track_variable(number)
    return found


def _shuffle_layer(key: str, number: int) -> Shuffle:
    def shuffle(batch: Batch, order: torch.Tensor) -> Batch:
        images = batch.images[key].clone()
        other = images[order, number]
        if key.startswith("energy"):
            other = other * (batch.base_energy / batch.base_energy[order])[:, None, None]
        images[:, number] = other
        return replace(batch, images=batch.images | {key: images})

    return shuffle


def _shuffle_scalar(number: int) -> Shuffle:
    def shuffle(batch: Batch, order: torch.Tensor) -> Batch:
        scalars = batch.scalars.clone()
        scalars[:, number] = scalars[order, number]
        return replace(batch, scalars=scalars)

    return shuffle


def _shuffle_track_variable(number: int) -> Shuffle:
    """Among real tracks: padding is left alone."""

    def shuffle(batch: Batch, order: torch.Tensor) -> Batch:
        tracks = batch.tracks.clone()
        values = tracks[batch.track_mask][:, number]
        # An order of candidates, made one of their tracks.
        turned = torch.argsort(order.repeat_interleave(batch.track_mask.sum(dim=1)), stable=True)
        kept = tracks[batch.track_mask]
        kept[:, number] = values[turned]
        tracks[batch.track_mask] = kept
        return replace(batch, tracks=tracks)

    return shuffle


def permutation_importance(
    parts: Sequence[OwnBatch],
    metric_of: Callable[[np.ndarray], Metric],
    *,
    rng: np.random.Generator,
    repeats: int = 10,
    batch_size: int = 1000,
    progress: Progress | None = None,
) -> dict[str, tuple[float, float]]:
    """How much worse a metric is when one input is that of another candidate.

    Parameters
    ----------
    parts : sequence of OwnBatch
        Networks with their candidates, among which inputs are exchanged.
    metric_of : callable
        From the truth of candidates; (output of the network, (n,) weight) -> a number that is larger when it is worse.
    rng : numpy.random.Generator
    repeats : int
        Orders that are tried.
    batch_size : int
        Of a pass.
    progress : callable, optional
        ``progress(task, done, total)`` in inputs.

    Returns
    -------
    dict of str to (float, float)
        Mean of metric(shuffled) / metric - 1 over the orders, and its error: the spread over orders, each with other
        Poisson weights of the candidates, which are the same before and after. The metric of several networks is the
        mean of theirs, by their numbers of candidates.
    """
    asked = [Asked(len(one.truth), _shuffled_outputs(one, batch_size), metric_of(one.truth)) for one in parts]
    return shuffle_each(asked, names=input_shuffles(parts[0].bundle), rng=rng, repeats=repeats, progress=progress)


def _shuffled_outputs(own: OwnBatch, batch_size: int) -> Outputs:
    network, shuffles = own.bundle.network(), input_shuffles(own.bundle)

    def outputs(name: str | None, order: np.ndarray) -> np.ndarray:
        changed = own.batch if name is None else shuffles[name](own.batch, torch.from_numpy(order))
        return _apply(network, changed, batch_size)

    return outputs


def _apply(network: nn.Module, batch: Batch, batch_size: int) -> np.ndarray:
    with torch.inference_mode():
        return torch.cat([network(part) for part in _parts(batch, batch_size)]).numpy()


def _parts(batch: Batch, batch_size: int) -> Iterator[Batch]:
    for rows in torch.split(torch.arange(len(batch.base_energy)), batch_size):
        yield _take(batch, rows)


def _take(batch: Batch, rows: torch.Tensor) -> Batch:
    plain = {one.name for one in fields(Batch)} - {"images"}
    images = {key: image[rows] for key, image in batch.images.items()}
    return Batch(images=images, **{name: getattr(batch, name)[rows] for name in plain})


def integrate_gradients(
    bundle: ModelBundle, batch: Batch, *, steps: int = 32, batch_size: int = 250
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Share of each input in the energy over the base energy: gradients, integrated from empty inputs to the real ones.

    Empty are images without a cell, scalars at the median of the training part and tracks of zeros.

    Parameters
    ----------
    bundle : ModelBundle
        Of an energy.
    batch : Batch
    steps : int
        Of the integral.
    batch_size : int
        Of a pass.

    Returns
    -------
    dict of str to (n,) float
        Attribution of each layer and quantity (its pixels added up), scalar and track variable (its tracks added up).
    (n,) float
        What is missing to the difference of the energies with real and empty inputs, over the base energy: 0 but for
        the steps.

    References
    ----------
    Sundararajan, Taly and Yan, arXiv:1703.01365.
    """
    network, results, gaps = bundle.network(), [], []
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    for part in _parts(batch, batch_size):
        totals = _integrate(network, part, steps)
        ends = [_ratio(network, part, part_of_way) for part_of_way in (0.0, 1.0)]
        added = sum(one.flatten(1).sum(dim=1) for one in totals.values())
        gaps.append((ends[1] - ends[0] - added).numpy())
        results.append(_by_name(bundle, totals))
    names = results[0]
    return {name: np.concatenate([one[name] for one in results]) for name in names}, np.concatenate(gaps)


def _integrate(network: nn.Module, batch: Batch, steps: int) -> dict[str, torch.Tensor]:
    """Input times mean gradient, by the name of the tensor; short steps at first, where roots are steep."""
    inputs = {**batch.images, "scalars": batch.scalars, "tracks": batch.tracks}
    totals = {name: torch.zeros_like(one) for name, one in inputs.items()}
    edges = torch.linspace(0, 1, steps + 1) ** 2
    for low, high in itertools.pairwise(edges):
        at = {name: (one * 0.5 * (low + high)).requires_grad_() for name, one in inputs.items()}
        ratio = energy_of(network(_with(batch, at))) / batch.base_energy
        grown = torch.autograd.grad(ratio.sum(), list(at.values()), allow_unused=True)
        for name, gradient in zip(at, grown, strict=True):
            if gradient is not None:
                totals[name] += (high - low) * gradient * inputs[name]
    return totals


def _with(batch: Batch, values: dict[str, torch.Tensor]) -> Batch:
    images = {key: values[key] for key in batch.images}
    return replace(batch, images=images, scalars=values["scalars"], tracks=values["tracks"])


def _ratio(network: nn.Module, batch: Batch, part_of_way: float) -> torch.Tensor:
    inputs = {**batch.images, "scalars": batch.scalars, "tracks": batch.tracks}
    with torch.inference_mode():
        scaled = _with(batch, {name: one * part_of_way for name, one in inputs.items()})
        return energy_of(network(scaled)) / batch.base_energy


def _by_name(bundle: ModelBundle, totals: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    found = {}
    for grid in bundle.inputs.shapes:
        for number, layer in enumerate(bundle.image_spec.layers_on(grid)):
            for quantity in bundle.image_spec.quantities:
                found[f"{layer.name} {quantity}"] = totals[f"{quantity}_{grid}"][:, number].sum(dim=(1, 2)).numpy()
    found |= {name: totals["scalars"][:, number].numpy() for number, name in enumerate(bundle.config.scalars)}
    if bundle.inputs.n_track_values:
        tracks = totals["tracks"].sum(dim=1)
        found |= {f"tracks {name}": tracks[:, number].numpy() for number, name in enumerate(bundle.config.tracks)}
    return found
