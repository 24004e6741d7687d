"""Search for settings of network and training, with Optuna: tree-structured Parzen estimators and pruning.

Trials are kept in a journal file, which several processes may share, on several machines: each of them asks it what to
try next and tells it what came out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from calotools.errors import ConfigError, NumericalError, nearest
from calotools.models import is_variable_model, use_threads
from calotools.progress import Progress
from calotools.recipe import SearchSpec, TrainConfig, TrainerConfig
from calotools.training.fitting.metrics import METRICS
from calotools.training.fitting.network import fit
from calotools.training.fitting.variable_model import fit_variables
from calotools.training.loading.opening import open_data
from calotools.training.sample.preparation import guard_store, prepare, store_path

if TYPE_CHECKING:
    import optuna

    from calotools.recipe import TuneConfig

__all__ = ["check_search", "importance_of", "open_study", "prepare_search", "recipe_of", "run_search"]

_NAME = "calotools"
_RANDOM = 10  # trials before the estimators have something to go by
_PARTS = ("model", "trainer")


def open_study(config: TuneConfig) -> optuna.Study:
    """The study of a search: the one that its journal holds, or a new one.

    Parameters
    ----------
    config : TuneConfig

    Returns
    -------
    optuna.Study

    Raises
    ------
    ConfigError
        Optuna is not installed, or the search table is not one.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise ConfigError("a search needs Optuna: pip install 'calotools[tune]'") from None
    check_search(config)
    path = config.journal or config.output / "study.journal"
    path.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=_NAME,
        storage=JournalStorage(JournalFileBackend(str(path))),
        direction="minimize" if config.task == "energy" else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(1, config.trainer.epochs // 4)),
        load_if_exists=True,
    )


def check_search(config: TrainConfig) -> None:
    """Refuse a search over nothing, or over what is no setting of network or training.

    Raises
    ------
    ConfigError
    """
    if not config.search:
        raise ConfigError("there is no [search] table in the recipe: say what is tried, in which range")
    for name in config.search:
        first, _, rest = name.partition(".")
        if first not in _PARTS or not rest:
            raise ConfigError(
                f"search.'{name}': only model.* and trainer.* can be searched, such as 'trainer.learning_rate' or "
                "'model.settings.maps'"
            )
        if first == "trainer" and rest not in TrainerConfig.model_fields:
            raise ConfigError(f"search.'{name}' is no key of the recipe; {nearest(rest, TrainerConfig.model_fields)}")


def prepare_search(config: TuneConfig) -> optuna.Study:
    """The study, and the image store that all trials read, made if it is not there.

    Processes that search together find it made: two of them would replace each other's.

    Parameters
    ----------
    config : TuneConfig

    Returns
    -------
    optuna.Study

    Raises
    ------
    ConfigError
        As `open_study`.
    CalotoolsError
        Of the sample and the recipe.
    """
    study = open_study(config)
    if config.source == "store" and not is_variable_model(config.model.name):
        named = _plain(config, {"store": store_path(config)})
        guard_store(named)
        prepare(named)
    return study


def run_search(config: TuneConfig, *, progress: Progress | None = None) -> optuna.Study:
    """Try settings until as many trials are over as were asked for, by this process and others that share the journal.

    Parameters
    ----------
    config : TuneConfig
        Every trial trains in ``config.output / "trials" / NUMBER``; all read one image store.
    progress : callable, optional
        ``progress(task, done, total)`` in trials.

    Returns
    -------
    optuna.Study

    Raises
    ------
    ConfigError
        Optuna is not installed, the table is not one, or no trial came to an end.
    CalotoolsError
        Of the sample and the recipe; a trial whose loss is not finite has failed, and the search goes on.
    """
    study = prepare_search(config)
    with use_threads(_share_of_threads(config)):
        while (done := _finished(study)) < config.trials:
            if progress is not None:
                progress("trials", done, config.trials)
            try:
                _try_one(study, config)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"the same command goes on after {_finished(study)} of {config.trials} trials; those under way are "
                    "not repeated"
                ) from None
    if not any(trial.state.name == "COMPLETE" for trial in study.trials):
        raise ConfigError(f"none of {config.trials} trials came to its end; lower the learning rates of the search")
    if progress is not None:
        progress("trials", config.trials, config.trials)
    return study


def _share_of_threads(config: TuneConfig) -> int:
    """What each process has where the recipe does not say it: together they use what one would."""
    import torch

    return max(1, torch.get_num_threads() // config.jobs)


def _finished(study: optuna.Study) -> int:
    return sum(trial.state.is_finished() for trial in study.trials)


def _try_one(study: optuna.Study, config: TuneConfig) -> None:
    import optuna
    from optuna.trial import TrialState

    expected = len(study.trials)
    with _quiet():  # anew for each trial, so that a search that ended between two goes on as it would have
        study.sampler = optuna.samplers.TPESampler(
            seed=config.seed + 1_000_003 * expected, multivariate=True, constant_liar=True, n_startup_trials=_RANDOM
        )
        trial = study.ask()
    if trial.number != expected:  # another process asked at the same moment, and would try the same
        study.tell(trial, state=TrialState.FAIL)
        return
    values = {name: _suggest(trial, name, spec) for name, spec in config.search.items()}
    try:
        value = _train(recipe_of(config, values, number=trial.number), config, trial)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except NumericalError:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, value)


def _suggest(trial: optuna.Trial, name: str, spec: SearchSpec) -> Any:
    if spec.choices is not None:
        return spec.choices[trial.suggest_categorical(name, list(range(len(spec.choices))))]
    low, high = spec.low, spec.high
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, log=spec.log, step=int(spec.step or 1))
    return trial.suggest_float(name, float(low or 0), float(high or 0), log=spec.log, step=spec.step)


def _train(config: TrainConfig, tune: TuneConfig, trial: optuna.Trial) -> float:
    import optuna

    metric = METRICS[config.task]
    if is_variable_model(config.model.name):
        return float(fit_variables(config).record["best"][metric])

    def watch(epoch: int, value: float) -> None:
        trial.report(value, epoch)
        if tune.prune and trial.should_prune():
            raise optuna.TrialPruned

    return float(fit(config, open_data(config), watch=watch).record["best"][metric])


def recipe_of(config: TuneConfig, values: dict[str, Any], *, number: int | None = None) -> TrainConfig:
    """The recipe of a training with some settings of a search.

    Parameters
    ----------
    config : TuneConfig
    values : dict of str to object
        Settings by dotted name.
    number : int, optional
        Of the trial: its folder; otherwise that of the search.

    Returns
    -------
    TrainConfig

    Raises
    ------
    ConfigError
        A value is not allowed.
    """
    places: dict[str, Any] = {}
    if number is not None:
        places = {"output": config.output / "trials" / f"{number:04d}", "overwrite": True, "members": 1}
        places |= {"store": store_path(config)} if config.source == "store" else {}
    recipe = _plain(config, places).model_dump()
    for name, value in values.items():
        *outer, last = name.split(".")
        place = recipe
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return TrainConfig(**recipe)


def _plain(config: TuneConfig, changes: dict[str, Any]) -> TrainConfig:
    """The recipe without the search."""
    kept = {name: getattr(config, name) for name in TrainConfig.model_fields if name != "search"}
    return TrainConfig(**(kept | changes))


def importance_of(study: optuna.Study) -> dict[str, float]:
    """How much of the spread of the best trials each setting accounts for, largest first; nothing of a few trials.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    dict of str to float
        They sum to 1.

    References
    ----------
    PED-ANOVA: Watanabe, Bansal and Hutter, arXiv:2304.10255.
    """
    import optuna

    complete = [one for one in study.trials if one.state.name == "COMPLETE"]
    if len(complete) < _RANDOM:
        return {}
    with _quiet():
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


@contextmanager
def _quiet() -> Iterator[None]:
    """Older versions of Optuna call what is used here experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
