"""`calotools train`: sample, images, network, and how it is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from calotools.containers import ImageSpec
from calotools.recipe.fields import BadCandidates, Shard
from calotools.recipe.search import SearchSpec, flat_search
from calotools.recipe.settings import Settings, StageConfig, short
from calotools.recipe.trainer import TrainerConfig

__all__ = ["ModelConfig", "SampleConfig", "TrainConfig"]

ImagesChoice = Annotated[
    Annotated[ImageSpec, Tag("table")] | Annotated[str, Tag("name")],
    Discriminator(lambda value: "name" if isinstance(value, str) else "table"),
]

_COMPACT = {"identification": "electron_compact", "energy": "energy_compact"}


class SampleConfig(Settings):
    """Where candidates come from and which of them are used."""

    files: tuple[str, ...] = Field(description="ROOT files or globs", min_length=1)
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts, such as 'et > 15' or 'abs(eta) < 2.47'; all must hold")
    weights: tuple[Path, ...] = Field(
        (), description="friend trees of weights (reweight); candidates without one are left out"
    )
    weight_branch: str = Field("weight_matched", description="their branch")
    max_candidates: int | None = Field(None, description="use at most this many: from each file its share", gt=0)


class ModelConfig(Settings):
    """Which network, and its settings (each network documents its own)."""

    name: str = Field(
        description="a network of calotools.models, 'likelihood' or 'trees'; default: electron_compact, energy_compact",
        json_schema_extra={"required": False},
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="keywords of the network")
    start: Path | None = Field(None, description="model bundle (or training folder) whose weights it starts with")
    start_parts: tuple[str, ...] = Field((), description="parts taken from there, such as 'pyramid'; default: all")
    freeze: tuple[str, ...] = Field((), description="parts that are not trained, such as 'pyramid.stages.0'")


class TrainConfig(StageConfig):
    """Train a network on ntuples, from one recipe."""

    task: Literal["identification", "energy"] = Field(description="classes, or a corrected energy")
    output: Path = short("-o", "folder for checkpoints, logs and the model bundle")
    sample: SampleConfig
    images: ImagesChoice = Field("electron", description="image spec: a shipped name, or a table")
    classes: dict[str, tuple[int, ...]] = Field(
        default_factory=lambda: {"background": (1, 2, 3, 4, 5), "signal": (0,)},
        description="class name to the values of class_true it collects (identification)",
    )
    scalars: tuple[str, ...] = Field((), description="candidate variables given to the network")
    tracks: tuple[str, ...] = Field((), description="track variables given to the network")
    max_tracks: int = Field(15, description="tracks kept per candidate, matched first, then by pT", ge=0)
    base_energy: str = Field("e", description="energy that an energy network corrects")
    uncertainty: Literal["none", "gaussian", "quantiles"] = Field(
        "none", description="let an energy network also give a sigma, or the ends of a 68 % interval"
    )
    bias_correction: Literal["none", "energy", "eta", "eta-energy"] = Field(
        "eta-energy", description="divide energies by their median over the true one, on a grid (validation part)"
    )
    calibrate: bool = Field(
        True, description="find the temperature with which class scores are probabilities (validation part)"
    )
    reweight: bool = Field(True, description="flatten E_T and eta: classes to a common shape, energy to a flat one")
    event_weight: bool = Field(False, description="also use the weights of the ntuple (field 'weight')")
    class_weights: dict[int, Annotated[float, Field(ge=0)]] = Field(
        {}, description="by value of class_true, such as {2 = 0.05}: what weights are multiplied by (identification)"
    )
    fractions: dict[str, float] = Field(
        {}, description="share of each class in an epoch, relative to their sum; default: as in the files"
    )
    source: Literal["store", "stream"] = Field("store", description="read the image store, or ROOT files every epoch")
    store: Path | None = Field(None, description="image store; default: OUTPUT/store, made when it is not there")
    half: tuple[str, ...] = Field(
        (), description="quantities of images kept with 16 bits, such as energy: half the store"
    )
    shuffle_buffer: int = Field(20_000, description="candidates mixed at a time when ROOT files are read", gt=0)
    model: ModelConfig
    trainer: TrainerConfig = Field(TrainerConfig())
    validation_fraction: float = Field(
        0.1, description="part of the events used for early stopping; with fold or folds a whole fold is", gt=0, lt=1
    )
    test_fraction: float = Field(
        0.2, description="part of the events kept for evaluation; with fold or folds a whole fold is", ge=0, lt=1
    )
    fold: Shard | None = Field(
        None,
        description="cross-validation, written I/N, at least 3: test on part I of N (from 0), validate on the next one",
    )
    search: Annotated[dict[str, SearchSpec], BeforeValidator(flat_search)] = Field(
        {},
        description="what tune tries, by dotted name: {'trainer.learning_rate' = {low = 1e-4, high = 1e-2}}",
    )
    folds: int | None = Field(None, description="train one model for each of N folds: all scores are out of fold", ge=3)
    members: int = Field(
        1, description="networks that differ in first weights and order; the mean of what they say is the answer", ge=1
    )
    member: int = Field(0, description="which one this is, from 0: the same split, its own weights and order", ge=0)
    seed: int = Field(1, description="seed of split, initialisation and shuffling", ge=0)
    on_bad: BadCandidates = Field("error", description="what to do with a candidate without usable cells")
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    resume: bool = Field(True, description="go on from the folder's last checkpoint, if there is one")
    overwrite: bool = Field(False, description="replace a finished training; never a store outside its folder")

    @property
    def own_seed(self) -> int:
        """Of initialisation and shuffling: that of the recipe for the first member, another one for each other."""
        return self.seed + 15_485_863 * self.member

    @model_validator(mode="before")
    @classmethod
    def _choose_model(cls, values: Any) -> Any:
        """A recipe that names no model is for the compact network of its task."""
        model = values.get("model", {}) if isinstance(values, dict) else None
        if not isinstance(model, dict) or model.get("name") is not None or values.get("task") not in _COMPACT:
            return values
        return values | {"model": model | {"name": _COMPACT[values["task"]]}}
