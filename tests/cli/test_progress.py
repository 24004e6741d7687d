"""The progress bar: shown in a terminal only, with a rate that leaves out what was prepared before."""

import io
import sys

import pytest

from calotools.cli.progress import describe_rate, progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_without_a_terminal_there_is_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar() as progress:
        assert progress is None


def test_a_terminal_sees_counts_rate_and_what_is_left(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress_bar() as progress:
        for done in (0, 200, 400, 1000):
            progress("simulate", done, 1000)
    text = terminal.getvalue()
    assert "1,000/1,000" in text
    assert "events/s" in text


@pytest.mark.parametrize(
    ("task", "done", "left", "seconds", "text"),
    [
        ("simulate", 0, 10, 1.0, ""),
        ("simulate", 30, 0, 10.0, "3.0 events/s"),
        ("predict", 5000, 0, 2.0, "2,500 candidates/s"),
        ("pairs", 100, 7000, 1.0, "100/s, 1 min left"),
        ("simulate", 100, 1_000_000, 1.0, "100 events/s, 3 h left"),
    ],
)
def test_rate(task, done, left, seconds, text):
    assert describe_rate(task, done, left, seconds=seconds) == text
