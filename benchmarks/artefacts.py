"""Can a network tell two samples of the same simulation apart? It must not.

    python benchmarks/artefacts.py              # some minutes
    python benchmarks/artefacts.py --n 3000     # a quick look

Electrons of two seeds (other chunks, other processes), drawn as images; a small convolutional network is trained on one
half and tested on the other. The control is a detector with more noise and wider showers, which it must see. Writes
artefacts.json beside this file. `tests/simulate/test_artefacts.py` asks the same of variables, masks and the order of
cells.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from calotools.analysis import auc
from calotools.images import build_images
from calotools.ntuple import read_candidates
from calotools.recipe import SimulateConfig
from calotools.simulate import simulate

RESULT = Path(__file__).with_name("artefacts.json")
CONTROL = "electronic_noise = 1.2\nrt_factor = 1.5\n"


def draw(folder: Path, name: str, **values: object) -> torch.Tensor:
    """Images of a sample: energies in units that keep both noise and shower in sight, and the mask."""
    output = folder / f"{name}.root"
    simulate(SimulateConfig(process="electrons", mu=0, output=output, **values))  # type: ignore[arg-type]
    images = build_images(read_candidates(output, fields=["cells", "eta_cluster", "phi_cluster"]), "energy")
    energy = np.arcsinh(images.values["energy_em"] / 0.02)
    return torch.from_numpy(np.concatenate([energy, images.mask["em"]], axis=1).astype(np.float32))


def separate(one: torch.Tensor, other: torch.Tensor, *, epochs: int) -> tuple[float, float]:
    """AUC and its error on the half that the network was not trained on."""
    torch.manual_seed(1)
    inputs = torch.cat([one, other])
    label = torch.cat([torch.zeros(len(one)), torch.ones(len(other))])
    train = torch.arange(len(label)) % 2 == 0
    network = nn.Sequential(
        nn.Conv2d(8, 16, (7, 3), stride=(4, 1)),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(32),
        nn.ReLU(),
        nn.Linear(32, 1),
    )
    network(inputs[:2])
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
    rows = train.nonzero()[:, 0]
    for _ in range(epochs):
        for batch in rows[torch.randperm(len(rows))].split(256):
            optimiser.zero_grad()
            score = network(inputs[batch])[:, 0]
            nn.functional.binary_cross_entropy_with_logits(score, label[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        score = torch.cat([network(part)[:, 0] for part in inputs[~train].split(1000)]).numpy()
    truth = label[~train].numpy() == 1
    return auc(score[truth], score[~truth])


def main() -> None:
    """Simulate, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000, help="electrons of each sample")
    parser.add_argument("--epochs", type=int, default=25)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "control.toml").write_text(CONTROL, encoding="utf-8")
        first = draw(folder, "first", n=given.n, seed=1, chunk=1000)
        second = draw(folder, "second", n=given.n, seed=2, chunk=200, jobs=2)
        control = draw(folder, "control", n=given.n, seed=3, effects=folder / "control.toml")
    results: dict[str, object] = {"n": given.n, "epochs": given.epochs, "control": CONTROL.strip()}
    for key, other in (("seeds, chunks, processes", second), ("control", control)):
        value, error = separate(first, other, epochs=given.epochs)
        results[f"auc: {key}"] = {"value": round(value, 4), "error": round(error, 4)}
    RESULT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
