"""What to train with: a test of learning rates, and a search for settings."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from calotools import training
from calotools.errors import CalotoolsError, ConfigError
from calotools.models import is_variable_model
from calotools.outputs import check_output, new_file
from calotools.plots import draw_importance, draw_series
from calotools.stages.publish import Headline, Outcome, publish, write_outcome

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from matplotlib.figure import Figure

    from calotools.progress import Progress
    from calotools.recipe import FindRateConfig, TuneConfig
    from calotools.training.rate_test import RateTest

__all__ = ["draw_rates", "find_rate", "tune"]

_COMMON = 0.8  # of the batches: what they lose sets the axis of the figure


def find_rate(config: FindRateConfig, *, progress: Progress | None = None) -> Outcome:
    """Test learning rates from tiny to far too large, and suggest one.

    Parameters
    ----------
    config : FindRateConfig
    progress : callable, optional
        ``progress(task, done, total)`` in steps.

    Returns
    -------
    Outcome
        Also written to ``config.output / "learning_rate"``.

    Raises
    ------
    OutputExistsError, ConfigError, EmptyInputError, CellError, NumericalError
    """
    training.guard_store(config)
    folder = check_output(config.output / "learning_rate", overwrite=config.overwrite)
    if is_variable_model(config.model.name):
        raise ConfigError(f"model '{config.model.name}' is not trained in steps; give a network")
    found = training.try_learning_rates(
        config, training.open_data(config), steps=config.steps, low=config.low, high=config.high, progress=progress
    )
    figure, beyond = draw_rates(found)
    outcome = Outcome(
        stage="find-rate",
        title=f"Learning rate: {config.model.name} for {config.task}",
        headline=(
            Headline(
                "suggested learning rate", found.suggested, None, "", "a tenth of the largest with the lowest loss"
            ),
            Headline("steps", len(found.rate), None, "", _why_ended(found, config)),
        ),
        results={"rate": found.rate, "loss": found.loss, "smooth": found.smooth},
        figures={"learning_rate": (figure, f"Loss of batches while the learning rate grows{beyond}.")},
    )
    return publish(outcome, config, output=folder, overwrite=config.overwrite)


def draw_rates(found: RateTest) -> tuple[Figure, str]:
    """Draw the losses without those of the end, beside which nothing else could be seen.

    Parameters
    ----------
    found : RateTest

    Returns
    -------
    figure : Figure
    beyond : str
        For its caption: how many are left out.
    """
    low, high = np.quantile(found.loss, (0.02, _COMMON))
    top = high + (high - low)
    figure = draw_series(
        {"loss of a batch": (found.rate, np.where(found.loss <= top, found.loss, np.nan), np.zeros(len(found.rate)))},
        axes=("Learning rate", "Loss"),
        curves={
            "smoothed": (found.rate, np.where(found.smooth <= top, found.smooth, np.nan)),
            "suggested": (np.full(2, found.suggested), np.array([low, high])),
        },
        scale="log",
        label="calotools",
    )
    n = int((found.loss > top).sum())
    return (
        figure,
        f"; {n} of {len(found.loss)} batches have losses above the axis, up to {found.loss.max():.3g}" if n else "",
    )


def _why_ended(found: RateTest, config: FindRateConfig) -> str:
    n = len(found.rate)
    return "" if n == config.steps else f"of {config.steps}: beyond a rate of {found.rate[-1]:.2g} the loss is lost"


def tune(config: TuneConfig, *, progress: Progress | None = None) -> Outcome:
    """Search for settings of network and training.

    Parameters
    ----------
    config : TuneConfig
        The search goes on where its journal stands: run it again, or on several machines at once.
    progress : callable, optional
        ``progress(task, done, total)`` in trials.

    Returns
    -------
    Outcome
        Also written to ``config.output``, with the best recipe as ``best.toml``, which `train` takes.

    Raises
    ------
    ConfigError, EmptyInputError, CellError
    """
    study = _search_together(config, progress) if config.jobs > 1 else training.run_search(config, progress=progress)
    values = _best(study, config)
    best = training.recipe_of(config, values)
    outcome = _outcome(study, config, values)
    write_outcome(outcome, config, folder=config.output)
    with new_file(config.output / "best.toml", overwrite=True) as path:
        path.write_text(best.to_toml() + "\n", encoding="utf-8")
    return outcome


def _search_together(config: TuneConfig, progress: Progress | None) -> Any:
    training.prepare_search(config)  # what is wrong is said here, once, and the store is made once
    context = get_context("spawn")
    stopped = context.Event()
    with ProcessPoolExecutor(config.jobs - 1, mp_context=context, initializer=_follow, initargs=(stopped,)) as pool:
        helpers = [pool.submit(_search_beside, config) for _ in range(config.jobs - 1)]
        try:
            study = training.run_search(config, progress=progress)
            for one in helpers:
                one.result()
        except (KeyboardInterrupt, CalotoolsError):  # the pool would wait until helpers had made all other trials
            stopped.set()
            raise
    return study


def _follow(stopped: Event) -> None:
    """End this process when the one that began it is gone, or says so."""
    Thread(target=_end_after, args=(stopped,), daemon=True).start()


def _end_after(stopped: Event) -> None:
    parent = parent_process()
    while parent is not None and parent.is_alive() and not stopped.wait(0.5):
        pass
    signal.raise_signal(signal.SIGTERM)


def _search_beside(config: TuneConfig) -> None:
    training.run_search(config)


def _best(study: Any, config: TuneConfig) -> dict[str, Any]:
    """Settings of the best trial; of a choice, the study knows the number."""
    found = {}
    for name, value in study.best_params.items():
        choices = config.search[name].choices
        found[name] = value if choices is None else choices[value]
    return found


def _outcome(study: Any, config: TuneConfig, values: dict[str, Any]) -> Outcome:
    states = [trial.state.name for trial in study.trials]
    importance = training.importance_of(study)
    metric = "relative IQR" if config.task == "energy" else "AUC"
    return Outcome(
        stage="tune",
        title=f"Search: {config.model.name} for {config.task}",
        headline=(
            Headline(f"{metric} of the best trial", study.best_value, None, "", "on the validation part"),
            Headline("best trial", study.best_trial.number),
            _count_of(states),
        ),
        results={
            "best": values,
            "importance": importance,
            "trials": [
                {"number": one.number, "state": one.state.name, "value": one.value, "settings": one.params}
                for one in study.trials
            ],
        },
        figures=_figures(study, importance, metric),
    )


def _count_of(states: list[str]) -> Headline:
    comment = f"{states.count('PRUNED')} pruned, {states.count('FAIL')} failed"
    if begun := states.count("RUNNING"):
        comment += f"; beside these {begun} not finished"
    return Headline("trials", len(states) - begun, None, "", comment)


def _figures(study: Any, importance: dict[str, float], metric: str) -> dict[str, tuple[Figure, str]]:
    done = [(one.number, one.value) for one in study.trials if one.state.name == "COMPLETE"]
    number, value = (np.array(column, dtype=float) for column in zip(*done, strict=True))
    lowest = study.direction.name == "MINIMIZE"
    so_far = np.minimum.accumulate(value) if lowest else np.maximum.accumulate(value)
    figures = {
        "trials": (
            draw_series(
                {"trials": (number, value, np.zeros(len(value)))},
                axes=("Trial", f"{metric[0].upper()}{metric[1:]}, validation part"),
                curves={"best so far": (number, so_far)},
                label="calotools",
            ),
            "Trials that came to their end. Without errors: one validation part, one seed.",
        )
    }
    if importance:
        figures["importance"] = (
            draw_importance(importance, axis="Share of the spread among the best trials", label="calotools"),
            "Importance of each setting (PED-ANOVA).",
        )
    return figures
