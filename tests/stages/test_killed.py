"""A training that is killed, in its own process, ends as one that was left alone. A search ends with its helpers."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from calotools.cli.main import main
from calotools.deploy import load_bundle

ELECTRONS = Path(__file__).parents[2] / "ntuples" / "electrons.root"
RECIPE = f"""
task = "energy"
output = "out"
scalars = ["e", "eta_cluster"]
tracks = ["e_frac"]
max_tracks = 2
images = "energy"
sample.files = ["{ELECTRONS}"]
sample.selection = ["class_true == 0"]
model.name = "energy_cnn"
model.settings = {{ maps = 2, condition = 4 }}
trainer.epochs = 3
trainer.batch_size = 10
trainer.average = 0.9
trainer.threads = 1
trainer.accelerator = "cpu"
trainer.checkpoint_minutes = 1e-5
"""
SCRIPT = """
import os, sys
from calotools import stages
from calotools.cli.main import main

train, number, share = stages.train, int(sys.argv.pop()), float(sys.argv.pop())


def killed(config, *, progress=None):
    def tell(task, done, total):
        if task == "train" and done > share * total:
            os.kill(os.getpid(), number)

    return train(config, progress=tell)


stages.train = killed
sys.exit(main())
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    assert main(["train", str(recipe), "-o", str(folder / "out")]) == 0
    return load_bundle(folder / "out"), log_of(folder / "out")


def log_of(folder):
    """Epochs, losses and metrics; not the times."""
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return [
            {k: v for k, v in row.items() if "seconds" not in k and "per_s" not in k} for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGKILL, -signal.SIGKILL, ""), (signal.SIGTERM, 130, "the same command goes on after epoch 1")],
    ids=["SIGKILL", "SIGTERM"],
)
def test_the_same_command_ends_with_the_same_model(number, code, said, alone, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    words = ["train", str(recipe), "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words, "0.5", str(int(number))], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert not (tmp_path / "out" / "model.calo").exists()
    assert (tmp_path / "out" / "checkpoints" / "last.ckpt").exists()
    assert main(words) == 0
    whole, found = alone[0], load_bundle(tmp_path / "out")
    for name, weight in whole.state_dict.items():
        assert torch.equal(weight, found.state_dict[name]), name
    assert found.record == whole.record
    assert found.bias == whole.bias
    assert log_of(tmp_path / "out") == alone[1]


SEARCH = """
[search]
trainer.learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_the_processes_of_a_search_end_with_it(number, tmp_path):
    recipe, trials = tmp_path / "recipe.toml", tmp_path / "out" / "trials"
    recipe.write_text(RECIPE.replace("sample.files", "seed = 2\nsample.files") + SEARCH, encoding="utf-8")
    words = ["tune", str(recipe), "-o", str(tmp_path / "out"), "--trials", "500", "--jobs", "2"]
    command = [sys.executable, "-c", "from calotools.cli.main import main; raise SystemExit(main())", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as search:
        wait_for(lambda: trials.exists() and len(list(trials.iterdir())) > 3)
        search.send_signal(number)
        _, said = search.communicate(timeout=120)  # standard error is closed when helpers are gone too
    assert search.returncode == (130 if number == signal.SIGTERM else -number)
    assert ("of 500 trials; those under way are not repeated" in said) == (number == signal.SIGTERM)
    assert "Traceback" not in said
    assert len(list(trials.iterdir())) < 100


def wait_for(there, *, seconds=240.0):
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.2)
