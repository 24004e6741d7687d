"""One HTML page that holds everything: numbers with uncertainties, figures, recipes and where they came from."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from calotools.errors import EmptyInputError, InputFileError
from calotools.outputs import check_output, new_file
from calotools.plots.numbers import format_value
from calotools.plots.tables import render_results, table

__all__ = ["StageOutput", "collect", "write_report"]

# the first figures of a stage; the rest, such as the fits of every bin, is folded
_SHOWN = 9
_ORDER = ("peaks", "evaluate", "tagprobe", "train")
_NAMES = {"train": "Training", "evaluate": "Performance", "peaks": "Mass peaks", "tagprobe": "Tag-and-probe"}
# Wider than this (width over height) a figure takes the page's full width.
_WIDE = 1.6


@dataclass(frozen=True)
class StageOutput:
    """What one stage left behind.

    Attributes
    ----------
    path : Path
        Its JSON file.
    numbers : dict
        Contents of that file: ``stage``, ``title``, ``headline``, ``results``, ``figures``, ``recipe``, ``version``.
    figures : tuple of (Path, str)
        PNG files and their captions, those the stage names first.
    recipe : str
        The recipe as it can be run again.
    """

    path: Path
    numbers: dict[str, Any]
    figures: tuple[tuple[Path, str], ...]
    recipe: str

    @property
    def stage(self) -> str:
        """Name of the stage; ``other`` for a JSON file that does not say."""
        return str(self.numbers.get("stage", "other"))

    @property
    def title(self) -> str:
        """Title of the section."""
        return str(self.numbers.get("title") or _NAMES.get(self.stage) or self.path.stem.replace("_", " "))


def write_report(
    folder: Path | str, output: Path | str | None = None, *, title: str = "calotools report", overwrite: bool = False
) -> Path:
    """Collect every ``*.json`` and PNG figure under a folder into one self-contained HTML page.

    Parameters
    ----------
    folder : path
        Holds the outputs of the stages, at any depth.
    output : path, optional
        Default: ``folder/report.html``.
    title : str
    overwrite : bool
        Replace an existing page.

    Returns
    -------
    Path
        The page: no scripts, no links outside, the same bytes for the same outputs.

    Raises
    ------
    OutputExistsError
        The page exists and `overwrite` is false.
    InputFileError
        The folder or a figure that a stage names is absent, or a JSON file cannot be read.
    EmptyInputError
        There is neither a JSON file nor a figure.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> headline = [{"name": "AUC", "value": 0.97, "error": 0.002, "unit": "", "comment": "test part"}]
    >>> _ = (folder / "numbers.json").write_text(json.dumps({"stage": "evaluate", "headline": headline}))
    >>> "0.9700 ± 0.0020" in write_report(folder).read_text()
    True
    """
    folder = Path(folder)
    output = check_output(Path(output) if output is not None else folder / "report.html", overwrite=overwrite)
    stages = collect(folder)
    page = Template(Path(__file__).with_name("report.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        lead=html.escape(_lead(stages)),
        links=" ".join(f'<a href="#{i}">{html.escape(one.title)}</a>' for i, one in enumerate(stages)),
        body="\n".join([_summary(stages), *(_section(i, one, folder=folder) for i, one in enumerate(stages))]),
        footer=html.escape(f"Made from {len(stages)} results under {folder.name}."),
    )
    with new_file(output, overwrite=overwrite) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return output


def collect(folder: Path | str) -> list[StageOutput]:
    """What the stages left under a folder: peaks, evaluate, tagprobe, train, then the others, by path.

    Parameters
    ----------
    folder : path

    Returns
    -------
    list of StageOutput

    Raises
    ------
    InputFileError
        The folder is absent, a JSON file cannot be read, or a figure that a stage names is absent.
    EmptyInputError
        There is neither a JSON file nor a figure.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputFileError(f"folder '{folder}' of the results does not exist; run evaluate, peaks or tagprobe first")
    read = {path: _read(path) for path in _visible(folder, "*.json")}
    found = [_stage_output(path, numbers) for path, numbers in read.items() if _is_stage(numbers)]
    taken = {figure for one in found for figure, _ in one.figures}
    loose = tuple((path, "") for path in _visible(folder, "*.png") if path not in taken)
    # what lies below a stage's own folder (checkpoints, image store) is its working material
    owned = {one.path.parent for one in found}
    others = {
        str(path.relative_to(folder)): one
        for path, one in read.items()
        if one and not _is_stage(one) and owned.isdisjoint(path.parents)
    }
    if not found and not loose and not others:
        raise EmptyInputError(f"no numbers (*.json) and no figures (*.png) under '{folder}'; run a stage into it first")
    found.sort(key=lambda one: _ORDER.index(one.stage) if one.stage in _ORDER else len(_ORDER))
    rest = StageOutput(folder, {"title": "Other files", "results": others}, loose, "")
    return [*found, rest] if loose or others else found


def _visible(folder: Path, pattern: str) -> list[Path]:
    """Files below a folder, by path; hidden ones are somebody's unfinished work."""
    found = sorted(folder.rglob(pattern))
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _is_stage(numbers: Any) -> bool:
    return isinstance(numbers, dict) and "stage" in numbers


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputFileError(f"'{path}' is not readable JSON: {error}; remove it or run its stage again") from None


def _stage_output(path: Path, numbers: dict[str, Any]) -> StageOutput:
    figures = []
    for one in numbers.get("figures", ()):
        figure = path.parent / "figures" / f"{one['name']}.png"
        if not figure.is_file():
            raise InputFileError(f"'{path}' names figure '{one['name']}', but '{figure}' does not exist; run it again")
        figures.append((figure, str(one.get("caption", ""))))
    named = {figure for figure, _ in figures}
    figures += [(figure, "") for figure in sorted(path.parent.glob("figures/*.png")) if figure not in named]
    recipes = sorted(path.parent.glob("*.toml"))
    recipe = "\n".join(one.read_text(encoding="utf-8") for one in recipes) if recipes else ""
    if not recipe and numbers.get("recipe"):
        recipe = json.dumps(numbers["recipe"], indent=2)
    return StageOutput(path, numbers, tuple(figures), recipe)


def _lead(stages: Sequence[StageOutput]) -> str:
    versions = sorted({str(one.numbers["version"]) for one in stages if one.numbers.get("version")})
    seeds = sorted(
        {str(one.numbers["recipe"]["seed"]) for one in stages if "seed" in (one.numbers.get("recipe") or {})}
    )
    dates = sorted({str(one.numbers["date"]) for one in stages if one.numbers.get("date")})
    parts = [("calotools", versions), ("seed", seeds), ("made", dates)]
    return " · ".join(f"{name} {', '.join(values)}" for name, values in parts if values)


def _summary(stages: Sequence[StageOutput]) -> str:
    # what was measured; how a training went is in its own section
    measured = [one for one in stages if one.stage != "train"]
    rows = [[("stage", title), *cells] for one in measured for title, cells in _headline_rows(one)]
    if not rows:
        return ""
    return "<h2>Summary</h2>\n" + table(["Stage", "Quantity", "Value", ""], rows, kind="headline")


def _headline_rows(one: StageOutput) -> list[tuple[str, list[tuple[str, str]]]]:
    """The headline numbers of a stage as table cells; its title stands in the first row alone."""
    return [
        (
            "" if number else one.title,
            [("", str(line["name"])), ("number", _headline_value(line)), ("", str(line.get("comment") or ""))],
        )
        for number, line in enumerate(one.numbers.get("headline", ()))
    ]


def _headline_value(line: dict[str, Any]) -> str:
    value = line.get("value")
    value = float(value) if isinstance(value, str) else value  # JSON has no infinity: it is written as "inf"
    return format_value(value, line.get("error"), str(line.get("unit") or ""))


def _section(number: int, one: StageOutput, *, folder: Path) -> str:
    where = one.path.relative_to(folder)
    parts = [
        f'<h2 id="{number}">{html.escape(one.title)}</h2>',
        f'<p class="where"><code>{html.escape(str(where))}</code></p>',
    ]
    if one.stage == "train":
        rows = [cells for _, cells in _headline_rows(one)]
        parts.append(table(["Quantity", "Value", ""], rows, kind="headline"))
    if one.figures:
        parts.append(_figures(one.figures[:_SHOWN]))
    if rest := one.figures[_SHOWN:]:
        parts.append(f"<details><summary>{len(rest)} more figures</summary>{_figures(rest)}</details>")
    if results := one.numbers.get("results"):
        inner = render_results(results, level=3 if "stage" in one.numbers else 4)
        parts.append(f"<details><summary>Numbers</summary><div>{inner}</div></details>")
    if one.recipe:
        parts.append(f"<details><summary>Recipe</summary><pre>{html.escape(one.recipe)}</pre></details>")
    return "\n".join(parts)


def _figures(figures: Sequence[tuple[Path, str]]) -> str:
    return '<div class="figures">' + "\n".join(_figure(*figure) for figure in figures) + "</div>"


def _figure(path: Path, caption: str) -> str:
    data = path.read_bytes()
    name = html.escape(path.stem)
    kind = ' class="wide"' if _aspect(data) > _WIDE else ""
    source = base64.b64encode(data).decode("ascii")
    text = f"<b>{name}</b> {html.escape(caption)}".rstrip()
    return (
        f'<figure{kind}><img alt="{html.escape(caption) or name}" src="data:image/png;base64,{source}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _aspect(png: bytes) -> float:
    """Width over height, from the header of a PNG."""
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    return width / height if height else 1.0
