"""The configuration of each stage: one typed model, whose fields are the Python keywords, TOML keys and flags.

Defaults are overridden by the file, the file by the flags. An unknown key is an error that names the nearest one. The
resolved recipe is written beside every output and can be run again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from calotools.containers import ImageSpec
from calotools.settings import Settings as _Model
from calotools.settings import StageConfig, ending, read_toml
from calotools.settings import positional as _positional
from calotools.settings import short as _short

__all__ = [
    "AttributeConfig",
    "AxisSpec",
    "BatchConfig",
    "DiscriminantConfig",
    "DisplayConfig",
    "EvaluateConfig",
    "FindRateConfig",
    "HistogramConfig",
    "HistogramSpec",
    "InspectConfig",
    "ManyFilesConfig",
    "ModelConfig",
    "PeaksConfig",
    "PredictConfig",
    "PrepareConfig",
    "ReportConfig",
    "ReweightConfig",
    "SampleConfig",
    "SearchSpec",
    "SimulateConfig",
    "StageConfig",
    "TagProbeConfig",
    "TrainConfig",
    "TrainerConfig",
    "TuneConfig",
    "ValidateConfig",
    "WorkingPointsConfig",
    "read_toml",
]

BadCandidates = Literal["error", "skip"]
Pair = Literal["zee", "hyy"]
Precision = Literal["fp32", "bf16"]
RootFile = Annotated[Path, ending(".root")]
Figure = Annotated[Path, ending(".pdf", ".png")]
Page = Annotated[Path | None, ending(".html", ".htm")]
ImagesChoice = Annotated[
    Annotated[ImageSpec, Tag("table")] | Annotated[str, Tag("name")],
    Discriminator(lambda value: "name" if isinstance(value, str) else "table"),
]
Shard = Annotated[tuple[int, int], BeforeValidator(lambda value: value.split("/") if isinstance(value, str) else value)]
Process = Literal[
    "zee", "hyy", "electrons", "photons", "fakes", "jpsi", "zmumu", "ztautau", "wenu", "ttbar", "gammajet", "dijets"
]


class SimulateConfig(StageConfig):
    """Make an ntuple of simulated candidates."""

    process: Process = _positional("what to generate; electrons, photons and fakes give one candidate per event")
    n: int = _short("-n", "number of events", gt=0)
    output: RootFile = _short("-o", "ROOT file to write")
    seed: int = Field(1, description="seed; the same seed gives the same file", ge=0)
    generator: Literal["builtin", "pythia"] | None = Field(
        None, description="default: the built-in one where it has the process, else Pythia 8"
    )
    tree: Literal["electrons", "photons", "objects"] | None = Field(
        None, description="candidates to write; default: the process's own"
    )
    pythia_settings: tuple[str, ...] = Field((), description="further settings, such as 'PhaseSpace:pTHatMin = 50.'")
    mu: float | None = Field(None, description="interactions per crossing; default: run-2 profile", ge=0, le=200)
    effects: Path | None = Field(None, description="TOML that changes or turns off detector effects (docs/effects.md)")
    pseudo_data: bool = Field(False, description="play the experiment: no truth, injected differences in a sidecar")
    injected: Path | None = Field(None, description="TOML of the differences to inject (docs/effects.md)")
    format: Literal["ttree", "rntuple"] = Field("ttree", description="container of the output")
    chunk: int = Field(1000, description="events generated and held at a time", gt=0)
    shard: Shard = Field((0, 1), description="generate part I of N (from 0), written I/N")
    jobs: int = Field(1, description="processes; the result does not depend on it", ge=1)
    overwrite: bool = Field(False, description="replace an existing output")


class InspectConfig(StageConfig):
    """Say what ntuples hold."""

    files: tuple[str, ...] = _positional("ROOT files or globs", min_length=1)
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    tree: str | None = Field(None, description="tree; default: every tree the flavour knows")


class DisplayConfig(StageConfig):
    """Draw one candidate: its layers, times, gains and tracks."""

    file: str = _positional("ROOT file")
    output: Figure = _short("-o", "figure to write (.png or .pdf)")
    entry: int = Field(0, description="row of the tree", ge=0)
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    overwrite: bool = Field(False, description="replace an existing output")


class SampleConfig(_Model):
    """Where candidates come from and which of them are used."""

    files: tuple[str, ...] = Field(description="ROOT files or globs", min_length=1)
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts, such as 'et > 15' or 'abs(eta) < 2.47'; all must hold")
    max_candidates: int | None = Field(None, description="use at most this many: from each file its share", gt=0)


class ModelConfig(_Model):
    """Which network, and its settings (each network documents its own)."""

    name: str = Field(description="a network of calotools.models")
    settings: dict[str, Any] = Field(default_factory=dict, description="keywords of the network")
    start: Path | None = Field(None, description="model bundle (or training folder) whose weights it starts with")
    start_parts: tuple[str, ...] = Field((), description="parts taken from there, such as 'pyramid'; default: all")
    freeze: tuple[str, ...] = Field((), description="parts that are not trained, such as 'pyramid.stages.0'")


class TrainerConfig(_Model):
    """How the network is fitted."""

    epochs: int = Field(10, description="at most this many passes over the training part", gt=0)
    batch_size: int = Field(500, description="candidates per step", gt=0)
    learning_rate: float = Field(1e-3, description="peak learning rate", gt=0)
    optimizer: Literal["adamw", "adam", "nadam", "sgd", "rmsprop"] = Field("adamw", description="optimiser")
    momentum: float = Field(0.9, description="of sgd and rmsprop", ge=0, lt=1)
    weight_decay: float = Field(0.0, description="weight decay", ge=0)
    gradient_clip: float | None = Field(None, description="largest norm of the gradient; default: not limited", gt=0)
    schedule: Literal["constant", "cosine", "one-cycle", "cyclical", "cosine-restarts", "plateau"] = Field(
        "one-cycle", description="learning-rate schedule"
    )
    cycle_epochs: float = Field(5, description="epochs of a cycle (cyclical), or of the first (cosine-restarts)", gt=0)
    cycle_growth: float = Field(1, description="length of a cycle over the one before (cosine-restarts)", ge=1)
    plateau_epochs: int = Field(3, description="epochs without improvement that lower the rate (plateau)", gt=0)
    plateau_factor: float = Field(0.3, description="what the rate is multiplied by then", gt=0, lt=1)
    loss: str | None = Field(None, description="default: cross-entropy (identification), log-cosh (energy)")
    loss_scale: float | None = Field(
        None, description="error at which log-cosh and Huber become linear; default: 0.02 (relative), 1 GeV", gt=0
    )
    target: Literal["e_true", "ratio"] = Field(
        "e_true", description="what the loss compares: energies, or both over the base energy"
    )
    average: float = Field(
        0, description="decay of a moving average of the weights, such as 0.999; 0: none", ge=0, lt=1
    )
    patience: int = Field(10, description="epochs without improvement before stopping", gt=0)
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="where to train")
    devices: int = Field(1, description="number of GPUs, or of CPU processes", ge=1)
    threads: int | None = Field(None, description="CPU threads; default: the machine's cores", ge=1)
    precision: Precision = Field("fp32", description="bf16: convolutions with 8 bits of mantissa, faster")
    prefetch: int = Field(2, description="batches made ready beside the training; 0: none", ge=0)
    checkpoint_minutes: float = Field(10.0, description="time between checkpoints inside an epoch", gt=0)


class BatchConfig(_Model):
    """Jobs of a batch system that do the work."""

    system: Literal["htcondor", "slurm"] | None = Field(None, description="submit to this batch system")
    queue: str | None = Field(None, description="partition (slurm)")
    account: str | None = Field(None, description="who pays (slurm)")
    cores: int = Field(1, description="cores of a job, each of which works on one file", ge=1)
    memory: str = Field("4GB", description="memory of a job")
    disk: str = Field("10GB", description="disk of a job (htcondor)")
    walltime: str = Field("02:00:00", description="time limit of a job (slurm)")
    setup: tuple[str, ...] = Field((), description="shell lines that a job starts with, such as 'source setup.sh'")
    directives: tuple[str, ...] = Field(
        (), description="more of the submit file: '--qos=short', '+JobFlavour = \"long\"'"
    )
    logs: Path | None = Field(None, description="folder for the output of jobs")
    interface: str | None = Field(None, description="network interface that jobs reach this machine by")


class ManyFilesConfig(StageConfig):
    """What every stage that works file by file can be told."""

    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    jobs: int = Field(1, description="processes, or batch jobs; the result does not depend on it", ge=1)
    scheduler: str | None = Field(None, description="Dask scheduler that is running, such as tcp://HOST:8786")
    batch: BatchConfig = Field(BatchConfig())


class SearchSpec(_Model):
    """What a search tries of one setting: a range, or choices."""

    low: int | float | None = Field(None, description="smallest value; whole numbers at both ends stay whole")
    high: int | float | None = Field(None, description="largest value")
    log: bool = Field(False, description="as many trials in each factor of ten")
    step: int | float | None = Field(None, description="distance of the values; default: any, or 1", gt=0)
    choices: tuple[Any, ...] | None = Field(None, description="values, in place of a range", min_length=1)

    @model_validator(mode="after")
    def _check(self) -> SearchSpec:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError("give low and high, or choices: {low = 1e-4, high = 1e-2} or {choices = [8, 16]}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError("low must be below high")
        return self


def _flat_search(value: Any, prefix: str = "") -> Any:
    """Tables in tables, as TOML reads ``trainer.learning_rate = {...}``, by dotted name."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for key, one in value.items():
        nested = isinstance(one, dict) and one and not set(one) & set(SearchSpec.model_fields)
        flat |= _flat_search(one, f"{prefix}{key}.") if nested else {f"{prefix}{key}": one}
    return flat


class TrainConfig(StageConfig):
    """Train a network on ntuples, from one recipe."""

    task: Literal["identification", "energy"] = Field(description="classes, or a corrected energy")
    output: Path = _short("-o", "folder for checkpoints, logs and the model bundle")
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
    bias_correction: Literal["none", "energy", "eta-energy"] = Field(
        "eta-energy", description="divide energies by their median over the true one, on a grid (validation part)"
    )
    reweight: bool = Field(True, description="flatten E_T and eta: classes to a common shape, energy to a flat one")
    event_weight: bool = Field(False, description="also use the weights of the ntuple (field 'weight')")
    fractions: dict[str, float] = Field({}, description="share of each class in training; default: as in the files")
    source: Literal["store", "stream"] = Field("store", description="read the image store, or ROOT files every epoch")
    store: Path | None = Field(None, description="image store; default: OUTPUT/store, made when it is not there")
    half: tuple[str, ...] = Field(
        (), description="quantities of images kept with 16 bits, such as energy: half the store"
    )
    shuffle_buffer: int = Field(20_000, description="candidates mixed at a time when ROOT files are read", gt=0)
    model: ModelConfig
    trainer: TrainerConfig = Field(TrainerConfig())
    validation_fraction: float = Field(0.1, description="part of the events used for early stopping", gt=0, lt=1)
    test_fraction: float = Field(0.2, description="part of the events kept for evaluation", ge=0, lt=1)
    fold: Shard | None = Field(None, description="cross-validation: test on part I of N (from 0), written I/N")
    search: Annotated[dict[str, SearchSpec], BeforeValidator(_flat_search)] = Field(
        {},
        description="what tune tries, by dotted name: {'trainer.learning_rate' = {low = 1e-4, high = 1e-2}}",
    )
    folds: int | None = Field(None, description="train one model for each of N folds: all scores are out of fold", ge=3)
    seed: int = Field(1, description="seed of split, initialisation and shuffling", ge=0)
    on_bad: BadCandidates = Field("error", description="what to do with a candidate without usable cells")
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    resume: bool = Field(True, description="go on from the folder's last checkpoint, if there is one")
    overwrite: bool = Field(False, description="replace a finished training")


class FindRateConfig(TrainConfig):
    """Test learning rates from tiny to far too large, and suggest one."""

    output: Path = _short("-o", "folder of the training; the test goes into its folder learning_rate")
    steps: int = Field(200, description="steps, each at a larger rate", ge=20)
    low: float = Field(1e-6, description="first learning rate", gt=0)
    high: float = Field(1.0, description="last learning rate", gt=0)


class TuneConfig(TrainConfig):
    """Search for settings of network and training (the recipe's [search])."""

    output: Path = _short("-o", "folder of the search: journal, trials, numbers, figures and best.toml")
    trials: int = _short("-n", "trials in all, also those of other processes", default=30, gt=0)
    jobs: int = Field(1, description="processes that try at once; more may join with the same journal", ge=1)
    prune: bool = Field(True, description="end trials that are worse than the median of the others so far")
    journal: Path | None = Field(None, description="file that processes share; default: OUTPUT/study.journal")


class PrepareConfig(TrainConfig, ManyFilesConfig):
    """Make the image store of a training recipe."""

    output: Path = Field(
        description="folder of the training; not needed where the store has a name: --store, -o",
        json_schema_extra={"required": False},
    )
    overwrite: bool = Field(False, description="replace another store")
    store: Path | None = _short("-o", "image store to make; default: OUTPUT/store", default=None)

    @model_validator(mode="before")
    @classmethod
    def _find_place(cls, values: Any) -> Any:
        """A store that has a name needs no folder of a training."""
        if isinstance(values, dict) and values.get("output") is None and values.get("store") is not None:
            return values | {"output": Path(values["store"]).parent}
        return values


class PredictConfig(ManyFilesConfig):
    """Apply a model bundle to ntuples and write a friend tree."""

    model: Path = _positional("model bundle (a .calo file, or a training folder)")
    files: tuple[str, ...] = _positional("ROOT files or globs", min_length=1)
    output: RootFile = _short("-o", "ROOT file of the friend tree")
    tree: str | None = Field(None, description="tree; default: the one the model was trained on")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    working_points: Path | None = Field(None, description="cuts that working-points made: adds branches id_NAME")
    batch_size: int = Field(2000, description="candidates per step", gt=0)
    threads: int | None = Field(None, description="CPU threads; default: the machine's cores", ge=1)
    accelerator: Literal["auto", "cpu", "gpu"] = Field("auto", description="where to run")
    precision: Precision = Field("fp32", description="bf16: convolutions with 8 bits of mantissa, faster")
    on_bad: BadCandidates = Field("error", description="a candidate without usable cells: stop, or write NaN")
    overwrite: bool = Field(False, description="replace an existing output")


def _axis_of(value: Any) -> Any:
    """``"et: 50, 0, 100"``: what is binned, how many bins, from, to."""
    if not isinstance(value, str):
        return value
    what, _, numbers = value.rpartition(":")
    count, *ends = [one.strip() for one in numbers.split(",")]
    if not what or len(ends) != 2:
        raise ValueError("write it like 'et: 50, 0, 100': what is binned, bins, from, to")
    return {"value": what.strip(), "bins": count, "range": ends}


class AxisSpec(_Model):
    """An axis of a histogram: equal bins in a range, or edges."""

    value: str = Field(description="what is binned: a field, or an expression such as 'e / e_true'", min_length=1)
    bins: int | None = Field(None, description="number of equal bins", gt=0)
    range: tuple[float, float] | None = Field(None, description="first and last edge of equal bins")
    edges: tuple[float, ...] | None = Field(None, description="edges of bins, in place of 'bins' and 'range'")


Axis = Annotated[AxisSpec, BeforeValidator(_axis_of)]


class HistogramSpec(_Model):
    """A histogram of one or two axes."""

    x: Axis = Field(description="a table, or in short 'et: 50, 0, 100'")
    y: Axis | None = Field(None, description="second axis")
    selection: tuple[str, ...] = Field((), description="cuts beside those of all histograms")


class HistogramConfig(ManyFilesConfig):
    """Fill histograms of candidates."""

    files: tuple[str, ...] = _positional("ROOT files or globs", min_length=1)
    histograms: dict[Annotated[str, Field(pattern=r"^\w+$")], HistogramSpec] = Field(
        description="by name, such as {et = {x = 'et: 50, 0, 100'}}", min_length=1
    )
    output: Path = _short("-o", "folder for histograms (ROOT), numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts; all must hold")
    weight: str = Field("weight", description="field or expression that entries are weighted with")
    label: str = Field("calotools simulation", description="label on the figures")
    overwrite: bool = Field(False, description="replace an existing output")


class AttributeConfig(StageConfig):
    """Measure what a network's answer rests on: layers, quantities, scalars, tracks."""

    model: Path = _positional("model bundle (a .calo file, or a training folder)")
    files: tuple[str, ...] = _positional("ROOT files or globs", min_length=1)
    output: Path = _short("-o", "folder for numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the one the model was trained on")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts beside those of the training; all must hold")
    split: Literal["test", "validation", "train", "all"] = Field("test", description="which events are used")
    n: int = _short("-n", "at most this many candidates, the first ones", default=4000, ge=50)
    repeats: int = Field(10, description="orders in which each input is shuffled", ge=2)
    steps: int = Field(32, description="steps of the integral of gradients", ge=2)
    batch_size: int = Field(500, description="candidates in one pass", gt=0)
    seed: int = Field(1, description="seed of the orders", ge=0)
    label: str = Field("calotools simulation", description="label on the figures")
    overwrite: bool = Field(False, description="replace an existing output")


class _WithScores(StageConfig):
    files: tuple[str, ...] = _positional("ROOT files or globs", min_length=1)
    scores: tuple[Path, ...] = Field(description="friend trees that predict wrote for these files", min_length=1)
    output: Path = _short("-o", "folder for numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    selection: tuple[str, ...] = Field((), description="cuts; all must hold")
    label: str = Field("calotools simulation", description="label on the figures")
    unweighted: bool = Field(False, description="count every candidate once, whatever its weight")
    replicas: int = Field(200, description="bootstrap replicas", ge=20)
    seed: int = Field(1, description="seed of the bootstrap", ge=0)
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    overwrite: bool = Field(False, description="replace an existing output")


class DiscriminantConfig(_Model):
    """ln(sum of g_s p_s / sum of f_b p_b) of a model's classes."""

    numerator: dict[str, float] = Field({"signal": 1.0}, description="g of the classes that count as signal")
    fractions: dict[str, float | tuple[float, ...]] = Field(
        {}, description="f of the others, one number or one for each bin of |eta|; default: equal"
    )
    eta_bins: tuple[float, ...] = Field((), description="|eta| edges of fractions that differ")


class WorkingPointsConfig(_WithScores):
    """Find cuts on a score in bins of eta and E_T that keep given parts of the signal; test them on the other half."""

    split: Literal["test", "validation", "train", "all"] = Field("test", description="which events are used")
    targets: dict[Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")], float | tuple[float, ...]] = Field(
        {"loose": 0.93, "medium": 0.88, "tight": 0.80},
        description="signal efficiencies by name: one for all, or one for each bin of E_T",
        min_length=1,
    )
    rising: bool = Field(False, description="efficiencies rise with E_T as the experiment's; targets are the averages")
    pileup: bool = Field(False, description="cuts follow mu linearly, so that the efficiency does not fall with it")
    eta_bins: tuple[float, ...] = Field((0.0, 0.8, 1.37, 1.52, 2.01, 2.47), description="|eta| edges")
    et_bins: tuple[float, ...] = Field((15, 20, 25, 30, 35, 40, 45, 60, 150), description="E_T edges [GeV]")
    mu_bins: tuple[float, ...] = Field((0, 20, 30, 40, 50, 80), description="mu edges of the figures")
    min_candidates: int = Field(50, description="signal candidates below which a bin gets no cut", ge=10)
    discriminant: DiscriminantConfig = Field(DiscriminantConfig())


class EvaluateConfig(_WithScores):
    """Measure a network: ROC and working points, or energy resolution, in bins of eta, E_T and mu."""

    split: Literal["test", "validation", "train", "all"] = Field("test", description="which events are used")
    efficiencies: tuple[float, ...] = Field((0.80, 0.88, 0.93), description="signal efficiencies of the working points")
    eta_bins: tuple[float, ...] = Field((0.0, 0.6, 0.8, 1.15, 1.37, 1.52, 1.81, 2.01, 2.47), description="|eta| edges")
    et_bins: tuple[float, ...] = Field((10, 20, 30, 40, 50, 80, 150), description="E_T edges [GeV]")
    mu_bins: tuple[float, ...] = Field((0, 20, 30, 40, 50, 80), description="mu edges")
    reference: str = Field("e", description="energy that the network is compared with")
    discriminant: DiscriminantConfig = Field(DiscriminantConfig())
    working_points: Path | None = Field(None, description="cuts that working-points made, to be measured too")
    compare: tuple[Path, ...] = Field(
        (), description="friend trees of other models, one each, to compare with on the same candidates"
    )
    gain: bool = Field(False, description="also per readout gain of the hottest middle cell; reads cells (energy)")
    match: bool = Field(True, description="weight the background to the signal's E_T and |eta| (identification)")


class PeaksConfig(_WithScores):
    """Fit the Z (electrons) or Higgs (photons) peak before and after the network."""

    scores: tuple[Path, ...] = Field((), description="friend trees of a network's energies; without them, before only")
    pair: Pair | None = Field(None, description="default: zee for electrons, hyy for photons")
    window: tuple[float, float] | None = Field(None, description="mass window [GeV]; default: the pair's")
    split: Literal["unseen", "test", "all"] = Field("unseen", description="unseen: no event the network was trained on")
    background: Literal["none", "exponential", "bernstein", "cms"] = Field("none", description="shape under the peak")
    reference: str = Field("e", description="energy before the network")


class TagProbeConfig(StageConfig):
    """Measure efficiencies and scale factors with tag-and-probe."""

    data: tuple[str, ...] = _positional("ROOT files or globs of data or pseudo-data", min_length=1)
    simulation: tuple[str, ...] = Field((), description="ROOT files or globs of simulation; enables scale factors")
    output: Path = _short("-o", "folder for numbers (JSON) and figures (PDF, PNG)")
    data_scores: tuple[Path, ...] = Field((), description="friend trees of the data, when a cut uses scores")
    simulation_scores: tuple[Path, ...] = Field((), description="friend trees of the simulation")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    tag: tuple[str, ...] = Field(
        ("et > 27", "abs(eta) < 2.47", "abs(eta) < 1.37 | abs(eta) > 1.52", "pass_tight == 1"),
        description="cuts on the tag",
    )
    probe: tuple[str, ...] = Field(("et > 15", "abs(eta) < 2.47"), description="cuts on the probe")
    passing: str = Field("pass_tight == 1", description="what is measured: the cut that a passing probe satisfies")
    window: tuple[float, float] = Field((60.0, 120.0), description="mass range of the fits [GeV]")
    et_bins: tuple[float, ...] = Field((15, 25, 35, 45, 60, 150), description="probe E_T edges [GeV]")
    eta_bins: tuple[float, ...] = Field((0.0, 0.8, 1.37, 1.52, 2.01, 2.47), description="probe |eta| edges")
    injected: Path | None = Field(None, description="sidecar of pseudo-data, for the closure; default: beside the data")
    label: str | None = Field(None, description="label on the figures; default: pseudo-data with a sidecar, else data")
    seed: int = Field(1, description="seed of the bootstrap", ge=0)
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    overwrite: bool = Field(False, description="replace an existing output")


class ReweightConfig(StageConfig):
    """Give candidates weights that make them look like others in E_T, eta, mu; say how well that works."""

    files: tuple[str, ...] = _positional("ROOT files or globs", min_length=1)
    output: Path = _short("-o", "folder for weights (friend tree), numbers (JSON) and figures (PDF, PNG)")
    tree: str | None = Field(None, description="tree; default: the flavour's only one")
    flavour: str | None = Field(None, description="flavour name or TOML file; default: detected")
    source: tuple[str, ...] = Field(("class_true > 0",), description="cuts on the candidates to be reweighted")
    target: tuple[str, ...] = Field(("class_true == 0",), description="cuts on the candidates to resemble")
    selection: tuple[str, ...] = Field((), description="cuts on both")
    variables: tuple[str, ...] = Field(
        ("et", "abs(eta)", "mu"), description="fields or expressions to agree in", min_length=1
    )
    method: Literal["binned", "boosted"] = Field("binned", description="histograms, or GBReweighter of hep_ml")
    bins: tuple[int | tuple[float, ...], ...] = Field(
        (), description="of each variable, a number (of equal probability) or edges; default: by the sample's size"
    )
    settings: dict[str, Any] = Field({}, description="of the boosted reweighter: n_estimators, learning_rate, ...")
    folds: int = Field(5, description="a candidate's weight is made without its fold; 1: no folds", ge=1)
    normalise: Literal["source", "target", "mean"] = Field(
        "source", description="the weights sum to those of the source or of the target, or have mean 1"
    )
    classifier: Literal["quadratic", "trees"] = Field("quadratic", description="what tries to tell the two apart")
    replicas: int = Field(0, description="bootstrap replicas of the weights, written too, for their uncertainty", ge=0)
    unweighted: bool = Field(False, description="count every candidate once, whatever its weight")
    seed: int = Field(1, description="seed of folds, boosting and bootstrap", ge=0)
    label: str = Field("calotools simulation", description="label on the figures")
    skip_bad_files: bool = Field(False, description="go on without files that cannot be read, and list them")
    overwrite: bool = Field(False, description="replace an existing output")


class ReportConfig(StageConfig):
    """Collect the numbers and figures under a folder into one self-contained HTML page."""

    folder: Path = _positional("folder that holds the outputs of evaluate, peaks and tagprobe")
    output: Page = _short("-o", "HTML file; default: FOLDER/report.html", default=None)
    title: str = Field("calotools report", description="heading of the page")
    overwrite: bool = Field(False, description="replace an existing output")


class ValidateConfig(StageConfig):
    """Measure the detector simulation and compare it with what is published, and with Geant4."""

    output: Path = _short("-o", "folder for numbers (JSON), figures (PDF, PNG) and the page (Markdown)")
    n: int = _short("-n", "candidates of the largest samples; the others are parts of it", default=40_000, ge=2000)
    seed: int = Field(1, description="seed of every sample", ge=0)
    jobs: int = Field(1, description="processes that simulate", ge=1)
    geant4: Path | None = Field(None, description="ROOT file of bare Geant4 showers to compare with")
    flavour: str | None = Field(None, description="flavour of that file: name or TOML; default: detected")
    stack: Path | None = Field(None, description="TOML of that file's calorimeter; default: the simulated detector")
    label: str = Field("calotools simulation", description="label on the figures")
    overwrite: bool = Field(False, description="replace an existing output")
