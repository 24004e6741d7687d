"""Which commands there are. Kept free of imports, so that `calotools --help` answers at once."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COMMANDS", "Command"]


class Command(NamedTuple):
    """A command: the stage it runs, that stage's configuration, and one line of help."""

    stage: str
    config: str
    help: str


COMMANDS = {
    "simulate": Command("simulate", "SimulateConfig", "make an ntuple of simulated electrons, photons or pairs"),
    "inspect": Command("inspect", "InspectConfig", "say what ntuples hold: trees, flavour, branches, cells, problems"),
    "display": Command("display", "DisplayConfig", "draw one candidate: layers, times, gains, tracks"),
    "prepare": Command("prepare", "PrepareConfig", "make the image store that a recipe's training reads"),
    "histogram": Command("histogram", "HistogramConfig", "fill histograms of fields and expressions"),
    "find-rate": Command("find_rate", "FindRateConfig", "test learning rates of a recipe, and suggest one"),
    "tune": Command("tune", "TuneConfig", "search for the best settings of a recipe"),
    "train": Command("train", "TrainConfig", "train a network, trees or a likelihood from a recipe"),
    "regress": Command(
        "regress", "RegressConfig", "an energy in one command: scalars alone, search, training, bias, measurement"
    ),
    "correct-bias": Command("correct_bias", "CorrectBiasConfig", "fit the bias correction of an energy model again"),
    "predict": Command("predict", "PredictConfig", "apply a model to ntuples and write a friend tree"),
    "evaluate": Command("evaluate", "EvaluateConfig", "measure a model: ROC, working points, energy resolution"),
    "attribute": Command("attribute", "AttributeConfig", "measure which layer, quantity, scalar or track matters"),
    "working-points": Command(
        "working_points", "WorkingPointsConfig", "find cuts in bins of eta and E_T at given signal efficiencies"
    ),
    "reweight": Command("reweight", "ReweightConfig", "make candidates look like others in E_T, eta, mu; test it"),
    "peaks": Command("peaks", "PeaksConfig", "fit the Z or Higgs peak before and after a network"),
    "tagprobe": Command("tagprobe", "TagProbeConfig", "measure efficiencies and scale factors with tag-and-probe"),
    "validate-simulation": Command(
        "validate_simulation", "ValidateConfig", "measure the detector simulation against published numbers and Geant4"
    ),
    "report": Command("report", "ReportConfig", "collect the numbers and figures of a folder into one HTML page"),
}
