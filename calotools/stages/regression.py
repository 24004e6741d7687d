"""An energy regression from beginning to end: the published pipeline, one step after the other."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from calotools import deploy
from calotools.errors import ConfigError
from calotools.models import is_variable_model
from calotools.outputs import check_output, new_file
from calotools.recipe import EvaluateConfig, PredictConfig, RegressConfig, TrainConfig, TuneConfig
from calotools.stages.bias import bias_figure
from calotools.stages.evaluation import evaluate
from calotools.stages.networks import BUNDLE, predict, train
from calotools.stages.publish import Headline, Outcome, write_outcome
from calotools.stages.tuning import tune

if TYPE_CHECKING:
    from pathlib import Path

    from calotools.progress import Progress

__all__ = ["regress"]

_SCALARS = "energy_scalars"
_BEGUN = "regress.toml"
_STEPS = ("scalars", "search", "model", "scalars.root", "network.root", "evaluation")
_RESULT = ("numbers.json", "recipe.toml", "figures")
# Where and how far it goes may change between two runs of it; what is learnt may not.
_MAY_CHANGE = {"output", "overwrite", "resume", "trials", "jobs", "measure"}
_METRIC = "val_iqr"


def regress(config: RegressConfig, *, progress: Progress | None = None) -> Outcome:
    """Scalars alone, search for settings, final training, bias correction, and what each of them is worth.

    A step that is finished is not done again, and one that was interrupted goes on: run the same command.

    Parameters
    ----------
    config : RegressConfig
        The recipe of a training; with a [search] table its settings are searched for first.
    progress : callable, optional
        ``progress(task, done, total)`` of each step.

    Returns
    -------
    Outcome
        Also written to ``config.output``: beside it ``scalars/``, ``search/`` and ``model/`` as `train` and `tune` make
        them, friend trees of the recipe's files, and ``evaluation/``.

    Raises
    ------
    OutputExistsError
        All of it is finished, and overwriting was not asked for.
    ConfigError
        The task is not an energy; the folder was begun with another recipe, or holds steps that are not of a `regress`;
        or more trials are asked for after the final training has begun.
    CalotoolsError
        Of the steps.
    """
    if config.task != "energy":
        raise ConfigError(f"regress is for energies; task = '{config.task}': use tune and train")
    check_output(config.output / "numbers.json", overwrite=config.overwrite)
    config = _begin(config)
    common = {"store": config.store or config.output / "store"}
    recipe = _plain(config, common)
    lines: list[Headline] = []
    alone = _scalars_alone(config, recipe)
    if alone is not None:
        lines.append(_trained(alone, progress, "scalars alone"))
    if config.search:
        lines += _searched(config, common, progress)
        final = TrainConfig.from_toml(
            config.output / "search" / "best.toml",
            overrides={"output": config.output / "model"} | common | ({"folds": config.folds} if config.folds else {}),
        )
    else:
        final = recipe.model_copy(update={"output": config.output / "model"})
    lines.append(_trained(final, progress, "final training"))
    results: dict[str, Any] = {}
    bias = deploy.load_bundle(final.output).bias
    figures = bias_figure(bias, label="calotools") if bias is not None else {}
    if bias is not None:
        results["bias"] = bias.to_dict()
    if config.measure and (config.test_fraction or config.fold or config.folds):
        found = _measured(config, final, alone, progress)
        lines += found.headline
        results["evaluation"] = found.results
    outcome = Outcome("regress", f"Energy regression: {final.model.name}", tuple(lines), results, figures)
    write_outcome(outcome, config, folder=config.output)
    return outcome


def _begin(config: RegressConfig) -> RegressConfig:
    """Note the recipe, and refuse a folder that another one began: what is left of it would be mixed with this one.

    To overwrite is to remove every step that was begun here, and the result; from then on, none is done twice.
    """
    path = config.output / _BEGUN
    fresh = config.model_copy(update={"overwrite": False})
    there = [name for name in _STEPS if (config.output / name).exists()]
    if there and not path.exists():
        raise ConfigError(
            f"'{config.output}' holds {', '.join(there)}, but no {_BEGUN} that says of which recipe; choose another "
            "folder, or remove them"
        )
    if path.exists() and config.overwrite:
        for name in (*_STEPS, *_RESULT):
            shutil.rmtree(config.output / name, ignore_errors=True)
            (config.output / name).unlink(missing_ok=True)
    elif path.exists():
        _check_begun(path, config)
    config.output.mkdir(parents=True, exist_ok=True)
    with new_file(path, overwrite=True) as temporary:
        temporary.write_text(fresh.to_toml() + "\n", encoding="utf-8")
    return fresh


def _check_begun(path: Path, config: RegressConfig) -> None:
    begun = RegressConfig.from_toml(path)
    before, now = (one.model_dump(exclude=_MAY_CHANGE) for one in (begun, config))
    changed = [name for name in now if before[name] != now[name]]
    if changed:
        raise ConfigError(
            f"'{config.output}' was begun with another recipe ('{path}'): {', '.join(changed)} differ; choose "
            "another folder, or begin anew with --overwrite"
        )
    model = config.output / "model"
    if config.search and model.exists() and begun.trials != config.trials:
        raise ConfigError(
            f"'{model}' was begun with the best of {begun.trials} trials, not of {config.trials}; remove it, "
            "network.root and evaluation to train with what more trials find, or ask for as many as before"
        )


def _plain(config: RegressConfig, changes: dict[str, Any]) -> TrainConfig:
    """The recipe of the training."""
    kept = {name: getattr(config, name) for name in TrainConfig.model_fields if name != "search"}
    return TrainConfig(**(kept | changes))


def _scalars_alone(config: RegressConfig, recipe: TrainConfig) -> TrainConfig | None:
    """None where the recipe has no scalars, or its model sees nothing else."""
    seen = is_variable_model(config.model.name) or config.model.name == _SCALARS
    if not (config.scalars_alone and config.scalars) or seen:
        return None
    model = {"name": _SCALARS, "settings": {"tracks": False} | config.scalar_settings}
    return TrainConfig(**(dict(recipe) | {"output": config.output / "scalars", "model": model}))


def _trained(recipe: TrainConfig, progress: Progress | None, what: str) -> Headline:
    if not (recipe.output / BUNDLE).exists():
        train(recipe, progress=progress)
    record = deploy.load_bundle(recipe.output).record
    records = record.get("folds", [record])
    value = sum(one["best"][_METRIC] for one in records) / len(records)
    return Headline(f"IQR, {what}", 100 * value, None, "%", "of the validation part, before the bias correction")


def _searched(config: RegressConfig, common: dict[str, Any], progress: Progress | None) -> list[Headline]:
    kept = {name: getattr(config, name) for name in TuneConfig.model_fields}
    output = {"output": config.output / "search", "folds": None}
    found = tune(TuneConfig(**(kept | common | output)), progress=progress)
    return [one for one in found.headline if one.name != "best trial"]


def _measured(
    config: RegressConfig, final: TrainConfig, alone: TrainConfig | None, progress: Progress | None
) -> Outcome:
    made = {"network.root": final} | ({"scalars.root": alone} if alone is not None else {})
    for name, recipe in made.items():
        path = config.output / name
        if not path.exists():
            predict(
                PredictConfig(
                    model=recipe.output,
                    files=config.sample.files,
                    output=path,
                    tree=config.sample.tree,
                    flavour=config.sample.flavour,
                    threads=config.trainer.threads,
                    accelerator=config.trainer.accelerator,
                    on_bad=config.on_bad,
                    skip_bad_files=config.skip_bad_files,
                ),
                progress=progress,
            )
    return evaluate(
        EvaluateConfig(
            files=config.sample.files,
            scores=(config.output / "network.root",),
            compare=(config.output / "scalars.root",) if alone is not None else (),
            output=config.output / "evaluation",
            tree=config.sample.tree,
            flavour=config.sample.flavour,
            selection=config.sample.selection,
            skip_bad_files=config.skip_bad_files,
            overwrite=True,
        ),
        progress=progress,
    )
