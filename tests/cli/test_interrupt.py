"""What a command says when it is interrupted: that nothing half-written stays, or where a training goes on."""

import pytest

from calotools import stages
from calotools.cli.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing half-written stays"),
        (("the same command goes on after epoch 3",), "the same command goes on after epoch 3"),
    ],
)
def test_an_interrupt_says_what_stays(monkeypatch, capsys, words, said):
    def interrupted(config, *, progress):
        raise KeyboardInterrupt(*words)

    monkeypatch.setattr(stages, "inspect", interrupted)
    assert main(["inspect", "a.root"]) == 130
    assert capsys.readouterr().err == f"calotools inspect: interrupted; {said}\n"
