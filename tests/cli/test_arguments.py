"""The same field is the Python keyword, the TOML key and the flag."""

import argparse

import pytest

from calotools import recipe
from calotools.cli.arguments import add_fields, collect
from calotools.cli.commands import COMMANDS
from calotools.cli.main import main
from calotools.cli.printing import print_result
from calotools.recipe import EvaluateConfig, SimulateConfig, TrainConfig
from calotools.stages.publish import Headline, Outcome


def parse(config, words, *, recipe_given=False):
    parser = argparse.ArgumentParser()
    add_fields(parser, config, recipe_given=recipe_given)
    return collect(parser.parse_args(words))


def test_flags_become_the_configuration():
    words = "zee -n 20 -o z.root --mu 30 --shard 1/4 --pseudo-data --format rntuple".split()
    config = SimulateConfig(**parse(SimulateConfig, words))
    assert (config.process, config.n, config.mu, config.shard) == ("zee", 20, 30.0, (1, 4))
    assert config.pseudo_data
    assert config.format == "rntuple"


@pytest.mark.parametrize(("flag", "value"), [([], None), (["--radiation"], True), (["--no-radiation"], False)])
def test_a_switch_can_be_left_to_its_default(flag, value):
    config = SimulateConfig(**parse(SimulateConfig, ["zee", "-n", "20", "-o", "z.root", *flag]))
    assert config.radiation is value


def test_tuples_take_several_words():
    words = "a.root b.root --scores s.root -o out --et-bins 10 20 40".split()
    config = EvaluateConfig(**parse(EvaluateConfig, words))
    assert config.files == ("a.root", "b.root")
    assert config.et_bins == (10.0, 20.0, 40.0)


def test_nested_fields_have_dotted_flags():
    words = ["--trainer.epochs", "3", "--model.settings", "{width = 8}", "--sample.files", "a.root"]
    values = parse(TrainConfig, words, recipe_given=True)
    assert values == {
        "trainer": {"epochs": "3"},
        "model": {"settings": {"width": 8}},
        "sample": {"files": ["a.root"]},
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_all_its_fields(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    config = getattr(recipe, COMMANDS[name].config)
    for field, info in config.model_fields.items():
        assert field in text or field.replace("_", "-") in text or field.upper() in text or not info.description


def test_unknown_command_names_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["simulat"])
    assert stop.value.code == 2
    assert "there is no command 'simulat'; nearest: 'simulate'" in capsys.readouterr().err


def test_unknown_flag_names_the_nearest(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["simulate", "zee", "-n", "3", "-o", "z.root", "--sed", "3"])
    assert stop.value.code == 2
    assert "'--seed'" in capsys.readouterr().err


def test_no_command_prints_the_commands(capsys):
    assert main([]) == 0
    assert "tagprobe" in capsys.readouterr().out


def test_recipe_file_then_flags(tmp_path, capsys):
    path = tmp_path / "evaluate.toml"
    path.write_text('files = ["none.root"]\nscores = ["none.scores.root"]\noutput = "x"\nreplica = 30\n')
    assert main(["evaluate", "--recipe", str(path)]) == 2
    assert "unknown key 'replica'; nearest: 'replicas'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["simulate", "zee", "-n", "3", "-o", "z.root", "--mu", "-1"], 2, "'mu' = '-1' is not allowed"),
        (["simulate", "zeee", "-n", "3", "-o", "z.root"], 2, "; nearest: 'zee'"),
        (["simulate", "zee", "-o", "z.root"], 2, "'n' is needed and not given"),
        (["simulate", "zee", "-n", "3"], 2, "'output' is needed and not given (ROOT file to write)"),
        (["simulate", "zee", "-n", "3", "-o", "q.txt"], 2, "'q.txt' is not allowed: its name must end in .root"),
        (["predict", "m.calo", "a.root", "-o", "q"], 2, "its name must end in .root"),
        (["display", "a.root", "-o", "q.jpg"], 2, "its name must end in .pdf or .png"),
        (["report", "demo", "-o", "q.txt"], 2, "its name must end in .html or .htm"),
        (["inspect", "nothing-*.root"], 3, "nothing-*.root"),
        (["train", "nothing.toml"], 3, "recipe 'nothing.toml' does not exist"),
    ],
)
def test_errors_have_their_exit_code(words, code, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_counts_are_printed_in_full(capsys):
    print_result(Outcome("training", "Training", (Headline("parameters", 148260), Headline("E", 148260.0, 200.0)), {}))
    assert capsys.readouterr().out == "Training\n  parameters: 148260\n  E: 148260 ± 200\n"


def test_a_shard_is_written_as_a_part(capsys):
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--shard I/N generate part I of N (from 0), written I/N" in text
    assert "parts are made of whole blocks of 200 events (default: 0/1)" in text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--mu", "nan"], "'mu' = 'nan' is not allowed: it has to be a number"),
        (["--shard", "1"], "'shard' = '1' is not allowed: it is written I/N, two whole numbers"),
        (["--shard", "a/b"], "'shard' = 'a/b' is not allowed: it is written I/N, two whole numbers"),
        (["--shard", "-1/2"], "shard -1/2 does not exist; the first is 0/2, the last 1/2"),
    ],
)
def test_a_wrong_argument_is_told_though_the_output_exists(tmp_path, capsys, words, text):
    output = tmp_path / "e.root"
    output.touch()
    assert main(["simulate", "electrons", "-n", "10", "-o", str(output), *words]) == 2
    assert text in capsys.readouterr().err


def test_help_tells_which_switches_are_on(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "a flat one (default: on)" in text
    assert "list them --resume" in text
    assert "or a corrected energy (required, here or in the recipe)" in text


def test_the_last_line_says_where_the_numbers_are(tmp_path, capsys):
    inner = tmp_path / "learning_rate"
    inner.mkdir()
    (inner / "numbers.json").write_text("{}", encoding="utf-8")
    print_result(Outcome("find-rate", "Rate", (), {}, folder=inner), output=tmp_path)
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{inner}: 1 file")
