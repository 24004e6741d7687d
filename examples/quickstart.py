"""From a ROOT ntuple to a trained network and the Z peak, on the shipped samples: python examples/quickstart.py"""

import tempfile
from pathlib import Path

import calotools as ct
from calotools.recipe import PeaksConfig, PredictConfig, ReportConfig, TrainConfig
from calotools.stages import peaks, predict, report, train

SAMPLES = Path(__file__).parents[1] / "ntuples"
OUT = Path(tempfile.mkdtemp(prefix="calotools-"))

# Candidates are an awkward array: one row each, GeV, only cells and tracks are ragged.
electrons = ct.read_candidates(SAMPLES / "electrons.root")
central = ct.select(electrons, ["et > 15", "abs(eta) < 1.37"])
for step in central.cutflow:
    print(f"{step.cut}: {step.n_passed} electrons")

# Cells become images that keep the energy; what falls outside the window is counted.
images = ct.build_images(electrons, ct.image_spec("energy"))
seen, outside = images.values["energy_em"].sum(), images.outside["em"].sum()
print(f"images {images.values['energy_em'].shape}: {seen:.0f} GeV inside, {outside:.0f} GeV outside")

# A recipe is the same in Python, in TOML and on the command line.
recipe = TrainConfig(
    task="energy",
    output=OUT / "energy",
    images="energy",
    scalars=("e", "eta_cluster", "e0", "e1", "e2", "e3", "mu"),
    sample={"files": (str(SAMPLES / "electrons.root"),), "selection": ("class_true == 0",)},
    model={"name": "energy_cnn"},
    trainer={"epochs": 3, "batch_size": 50},
)
for line in train(recipe).headline:
    print(f"{line.name}: {line.value:.5g}")

# Energies go back to ROOT as a friend tree: same entries, same order.
zee = (str(SAMPLES / "zee.root"),)
friend = predict(PredictConfig(model=OUT / "energy", files=zee, output=OUT / "zee.scores.root"))

# The peak before and after. With a sample this small the network has learnt little: see `make demo`.
outcome = peaks(PeaksConfig(files=zee, scores=(friend,), output=OUT / "peak", replicas=50))
for line in outcome.headline:
    print(f"{line.name}: {line.value:.3f} ± {line.error:.3f} {line.unit}")
print("report:", report(ReportConfig(folder=OUT, output=OUT / "report.html")))
