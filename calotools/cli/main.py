"""`calotools COMMAND ...`: read argv, run the stage, print what came out, return its exit code."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from typing import TextIO

from calotools._version import version
from calotools.cli.commands import COMMANDS
from calotools.errors import BadFileWarning, CalotoolsError, EmptyShardWarning, UncheckedWarning, nearest

__all__ = ["main"]

_EPILOG = """\
`calotools COMMAND --help` lists a command's options. Every option is also a key of its recipe:
`--recipe FILE.toml` reads them, and flags win over the file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after the program's name; default: the command line's.

    Returns
    -------
    int
        0; the `exit_code` of the error that stopped it; 130 when interrupted.
    """
    if argv is None:  # a batch system ends jobs with SIGTERM: clean up as after Ctrl-C
        signal.signal(signal.SIGTERM, _interrupt)
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        return _without_command(words)
    try:
        return _run(words[0], words[1:])
    except CalotoolsError as error:
        print(f"calotools {words[0]}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as interrupt:  # a training says where it goes on
        print(f"calotools {words[0]}: interrupted; {str(interrupt) or 'nothing half-written stays'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away; there is nobody to tell
        return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _without_command(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="calotools",
        description="From calorimeter cells in ROOT files to identified electrons and photons, and their energy.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"calotools {version}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help)
    if words and not words[0].startswith("-"):
        parser.error(f"there is no command '{words[0]}'; {nearest(words[0], COMMANDS)}")
    parser.parse_args(words)
    parser.print_help()
    return 0


def _run(name: str, words: list[str]) -> int:
    from calotools import recipe  # imports pydantic and numpy: only once a command is known
    from calotools.cli.arguments import add_fields, collect

    command = COMMANDS[name]
    config_type = getattr(recipe, command.config)
    recipe_first = name in ("prepare", "find-rate", "tune", "train", "regress")
    parser = argparse.ArgumentParser(prog=f"calotools {name}", description=command.help, allow_abbrev=False)
    recipe_given = recipe_first or any(word.split("=")[0] == "--recipe" for word in words)
    parser.add_argument("recipe" if recipe_first else "--recipe", metavar="RECIPE", help="TOML file with the options")
    add_fields(parser, config_type, recipe_given=recipe_given)
    given, unknown = parser.parse_known_args(_joined(words))
    if unknown:
        flags = [flag for action in parser._actions for flag in action.option_strings]
        parser.error(f"unknown argument '{unknown[0]}'; {nearest(unknown[0], flags)}")
    values = collect(given)
    path = values.pop("recipe")
    config = config_type.from_toml(path, overrides=values) if path else config_type(**values)
    return _execute(command.stage, config)


def _joined(words: list[str]) -> list[str]:
    """``--shard -1/2`` as ``--shard=-1/2``, so that the shard is refused as one, and not as a flag."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and re.fullmatch(r"-\d+/-?\d+", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _say(
    message: Warning | str,
    category: type[Warning],
    filename: str,  # noqa: ARG001 - where in the code it arose says nothing to a user
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    ours = issubclass(category, (BadFileWarning, EmptyShardWarning, UncheckedWarning))
    name = "warning" if ours else category.__name__
    print(f"calotools: {name}: {message}", file=sys.stderr)


def _execute(stage: str, config: object) -> int:
    from calotools import stages
    from calotools.cli.notes import show_compiling, show_notes
    from calotools.cli.printing import print_result
    from calotools.cli.progress import progress_bar

    start = time.monotonic()
    with progress_bar() as progress, show_notes(), show_compiling(stage), warnings.catch_warnings():
        warnings.showwarning = _say
        result = getattr(stages, stage)(config, progress=progress)
    return print_result(result, output=getattr(config, "output", None), seconds=time.monotonic() - start)
