"""Lines on stderr that are no warnings: what is logged."""

import logging

from calotools import stages
from calotools.cli.main import main


def test_what_a_stage_logs_is_on_stderr_and_only_within_a_command(monkeypatch, capsys):
    def tell(config, *, progress):
        logging.getLogger("calotools.training.checkpoints").info("goes on after epoch %d", 3)
        logging.getLogger("calotools").debug("nobody's business")
        logging.getLogger("elsewhere").info("nor this")
        return []

    monkeypatch.setattr(stages, "inspect", tell)
    assert main(["inspect", "a.root"]) == 0
    assert capsys.readouterr().err == "calotools: goes on after epoch 3\n"
    tell(None, progress=None)
    assert capsys.readouterr().err == ""
