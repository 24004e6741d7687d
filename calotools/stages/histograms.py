"""Fill histograms of the candidates of many files, here or on a cluster."""

from __future__ import annotations

from functools import partial, reduce
from operator import add
from typing import TYPE_CHECKING, Any

from calotools.analysis import FilledHistograms, fill_histograms, histogram_fields, new_histograms
from calotools.deploy import workers
from calotools.errors import EmptyInputError
from calotools.ntuple import bad_files, each_file, iterate_candidates, resolve_sample, write_histograms
from calotools.outputs import check_output, new_folder
from calotools.plots import draw_histogram
from calotools.stages.publish import Headline, Outcome, skipped, write_outcome

if TYPE_CHECKING:
    from calotools.progress import Progress
    from calotools.recipe import HistogramConfig

__all__ = ["histogram"]

FILE = "histograms.root"


def histogram(config: HistogramConfig, *, progress: Progress | None = None) -> Outcome:
    """Fill histograms, file by file, and add them in the order of the files.

    Parameters
    ----------
    config : HistogramConfig
    progress : callable, optional
        ``progress(task, done, total)`` in files.

    Returns
    -------
    Outcome
        Also written to ``config.output``, beside ``histograms.root``.

    Raises
    ------
    OutputExistsError
        The folder exists and overwriting was not asked for.
    ConfigError
        An axis has no bins, or an expression is not one.
    EmptyInputError
        No candidate passes the selection.
    InputFileError, TreeError, BranchError
        Of a file, unless bad files are skipped.
    """
    check_output(config.output, overwrite=config.overwrite)
    empty = new_histograms(config.histograms)
    keep = None if progress is None else partial(progress, "files")
    with workers(config) as execute:
        sample = resolve_sample(
            config.files,
            tree=config.tree,
            flavour=config.flavour,
            skip_bad_files=config.skip_bad_files,
            execute=execute,
        )
        fill = partial(fill_file, config=config, tree=sample.tree, flavour=sample.flavour)
        results = list(
            each_file(fill, sample.files, skip_bad_files=config.skip_bad_files, execute=execute, progress=keep)
        )
    filled = reduce(add, [one.value for one in results if one.value is not None], empty)
    if not any(filled.entries.values()):
        raise EmptyInputError(f"no candidate of {list(config.files)} is in any histogram; loosen the selection")
    outcome = _outcome(config, filled, [*sample.bad, *bad_files(results)])
    with new_folder(config.output, overwrite=config.overwrite) as folder:
        write_histograms(folder / FILE, filled.histograms, metadata={"bad_files": outcome.results["bad_files"]})
        write_outcome(outcome, config, folder=folder)
    return outcome


def fill_file(path: str, *, config: HistogramConfig, tree: str, flavour: str) -> FilledHistograms:
    """The histograms of one file.

    Parameters
    ----------
    path : str
    config : HistogramConfig
    tree, flavour : str

    Returns
    -------
    FilledHistograms
    """
    specs = config.histograms
    fields = sorted(histogram_fields(specs, selection=config.selection, weight=config.weight))
    chunks = iterate_candidates(path, tree=tree, flavour=flavour, fields=fields, allow_empty=True)
    filled = (
        fill_histograms(chunk.candidates, specs, selection=config.selection, weight=config.weight) for chunk in chunks
    )
    return reduce(add, filled, new_histograms(specs))


def _outcome(config: HistogramConfig, filled: FilledHistograms, bad: list[dict[str, str]]) -> Outcome:
    return Outcome(
        stage="histogram",
        title=f"Histograms of {', '.join(config.histograms)}",
        headline=(
            *(Headline(f"candidates in '{name}'", n, None) for name, n in filled.entries.items()),
            *(
                Headline(f"left out of '{name}'", n, None, "", "a value or weight is not finite")
                for name, n in filled.left_out.items()
                if n
            ),
            *skipped(bad),
        ),
        results={
            "histograms": {name: _numbers(one) for name, one in filled.histograms.items()},
            "entries": filled.entries,
            "left_out": filled.left_out,
            "bad_files": bad,
        },
        figures={
            name: (draw_histogram(one, label=config.label), "Sum of weights per bin.")
            for name, one in filled.histograms.items()
        },
    )


def _numbers(one: Any) -> dict[str, Any]:
    """Values and variances with their flow bins, and the axes they belong to."""
    axes = [{"value": axis.label, "edges": axis.edges} for axis in one.axes]
    return {"axes": axes, "values": one.values(flow=True), "variances": one.variances(flow=True)}
