"""From simulated electrons and fakes to a likelihood, cuts on it and a ROC: python examples/identify.py"""

import tempfile
from pathlib import Path

from calotools.recipe import EvaluateConfig, PredictConfig, SimulateConfig, TrainConfig, WorkingPointsConfig
from calotools.stages import evaluate, predict, simulate, train, working_points

OUT = Path(tempfile.mkdtemp(prefix="calotools-"))
CUTS = ("et > 15", "et < 100", "abs(eta) < 2.47")

# One sample to learn from, and another that nothing has seen. Your own files go here, with `flavour`.
files = {}
for part, seed in (("learn", 1), ("test", 3)):
    electrons = SimulateConfig(process="electrons", n=2500, seed=seed, output=OUT / f"electrons_{part}.root")
    fakes = SimulateConfig(process="fakes", n=2500, seed=seed + 1, output=OUT / f"fakes_{part}.root")
    simulate(electrons)
    simulate(fakes)
    files[part] = (str(electrons.output), str(fakes.output))

# Any other model has the same recipe: `trees`, or `electron_compact` with images and tracks.
recipe = TrainConfig(
    task="identification",
    output=OUT / "likelihood",
    scalars=("rhad", "reta", "rphi", "weta2", "eratio", "f3", "d0_significance", "delta_eta1", "e_over_p", "trt_pid"),
    sample={"files": files["learn"], "selection": CUTS},
    classes={"background": (1, 2, 3, 4, 5), "signal": (0,)},
    model={"name": "likelihood", "settings": {"eta_bins": (0, 1.37, 2.47), "et_bins": (15, 30, 100), "n_bins": 30}},
    test_fraction=0.0,
)
for line in train(recipe).headline:
    print(f"{line.name}: {line.value:.4g}")

# A score for each candidate: a friend tree with the same entries in the same order.
scores = predict(PredictConfig(model=OUT / "likelihood", files=files["test"], output=OUT / "scores.root"))
told = {"files": files["test"], "scores": (scores,), "selection": CUTS, "split": "all"}

# Cuts that keep 93, 88 and 80 % of the signal in each bin, tested on the half that they were not made from.
cuts = working_points(
    WorkingPointsConfig(**told, output=OUT / "cuts", eta_bins=(0, 1.37, 2.47), et_bins=(15, 30, 50, 100))
)
roc = evaluate(EvaluateConfig(**told, output=OUT / "roc", working_points=OUT / "cuts", replicas=50))
for line in (*cuts.headline, *roc.headline[:4]):
    error = "" if line.error is None else f" ± {line.error:.2g}"  # counts have none
    print(f"{line.name}: {line.value:.4g}{error} {line.unit} {line.comment}")
print("figures:", OUT / "roc" / "figures")
