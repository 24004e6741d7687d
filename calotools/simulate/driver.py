"""From a recipe to a file: blocks of events in order, from one process or several, streamed to an ntuple."""

from __future__ import annotations

import hashlib
import signal
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import reduce
from importlib import resources
from multiprocessing import get_context
from operator import add
from pathlib import Path
from typing import Any

from calotools._version import version
from calotools.errors import ConfigError, EmptyShardWarning, WorkerError
from calotools.ntuple import NtupleWriter
from calotools.outputs import check_output
from calotools.progress import Progress
from calotools.recipe import SimulateConfig
from calotools.simulate.blocks import BLOCK_EVENTS, MAX_SEED, Block, Recipe, simulate_block
from calotools.simulate.effects import Effects
from calotools.simulate.processes import check_radiation, choose_generator, choose_tree, pythia_provenance
from calotools.simulate.pseudo_data import Injected, sidecar_path, write_sidecar

__all__ = ["simulate"]


def simulate(config: SimulateConfig, progress: Progress | None = None) -> Path:
    """Simulate candidates and write them as a native ntuple.

    Parameters
    ----------
    config : SimulateConfig
    progress : callable, optional
        ``progress(task, done, total)``, in events of this shard; first with 0.

    Returns
    -------
    Path
        `config.output`, written whole or not at all. Pseudo-data have a sidecar ``<output>.injected.toml``.

    Raises
    ------
    ConfigError
        The shard does not exist, the seed is too large, `injected` is given without `pseudo_data`, or a
        TOML file has an unknown key.
    OutputExistsError
        The output is there and `overwrite` is false.
    OutputError
        The output cannot be written: no space, no such folder.
    WorkerError
        One of several processes was killed.

    Notes
    -----
    The sample is made of blocks of 200 events. Each block has its own random generator, seeded by seed, process and
    block number: shards one after the other are the whole sample, and `jobs` and `chunk` do not change it. With fewer
    blocks than shards, some shards are files without candidates: an `EmptyShardWarning` says so.
    """
    recipe = _recipe(config)
    numbers = _shard_blocks(recipe, config.shard)
    output = check_output(config.output, overwrite=config.overwrite)
    sidecar = check_output(sidecar_path(output), overwrite=config.overwrite) if recipe.injected else None
    counts = []
    blocks = _counted(_blocks(recipe, numbers, config.jobs), _events_in(recipe, numbers), progress)
    with NtupleWriter(
        output, format=config.format, metadata=_provenance(config, recipe), overwrite=config.overwrite
    ) as writer:
        if len(numbers) == 0:
            _warn_of_empty(recipe, config.shard)
            empty = _empty_block(recipe)
            writer.extend(recipe.tree, empty.candidates)
            counts += [] if empty.counts is None else [empty.counts]
        for group in _chunks(blocks, config.chunk):
            for block in group:
                writer.extend(recipe.tree, block.candidates)
            counts += [block.counts for block in group if block.counts is not None]
    if sidecar is not None and recipe.injected is not None:
        write_sidecar(sidecar, recipe.injected, reduce(add, counts), overwrite=config.overwrite)
    return output


def _recipe(config: SimulateConfig) -> Recipe:
    if config.seed > MAX_SEED:
        raise ConfigError(f"seed = {config.seed} does not fit into the run number; it may be at most {MAX_SEED}")
    if config.injected is not None and not config.pseudo_data:
        raise ConfigError(f"'injected' = '{config.injected}' is for pseudo-data; ask for them too (--pseudo-data)")
    effects = Effects.from_toml(config.effects) if config.effects is not None else Effects()
    injected = None
    if config.pseudo_data:
        injected = Injected.from_toml(config.injected) if config.injected is not None else Injected()
        effects = injected.change(effects)
    generator = choose_generator(config.process, config.generator)
    if config.pythia_settings and generator == "builtin":
        raise ConfigError("'pythia_settings' is for Pythia; ask for it too (--generator pythia)")
    if config.pseudo_data and generator == "pythia":
        raise ConfigError("pseudo-data are made by the built-in generator alone; drop --generator pythia")
    check_radiation(config.process, config.radiation, generator=generator)
    return Recipe(
        process=config.process,
        seed=config.seed,
        n_events=config.n,
        mu=config.mu,
        effects=effects,
        injected=injected,
        generator=generator,
        tree=choose_tree(config.process, generator, config.tree),
        pythia_settings=config.pythia_settings,
        radiation=config.radiation,
    )


def _shard_blocks(recipe: Recipe, shard: tuple[int, int]) -> range:
    index, total = shard
    if not 0 <= index < total:
        raise ConfigError(f"shard {index}/{total} does not exist; the first is 0/{total}, the last {total - 1}/{total}")
    first, last = (recipe.n_blocks * i // total for i in (index, index + 1))
    return range(first, last)


def _warn_of_empty(recipe: Recipe, shard: tuple[int, int]) -> None:
    n_blocks = f"{recipe.n_blocks} block" + ("s" if recipe.n_blocks > 1 else "")
    warnings.warn(
        f"shard {shard[0]}/{shard[1]} has no candidates: a sample of {recipe.n_events} events is made of {n_blocks} of "
        f"{BLOCK_EVENTS}, and shards of whole blocks; {recipe.n_blocks} shards are enough",
        EmptyShardWarning,
        stacklevel=3,
    )


def _empty_block(recipe: Recipe) -> Block:
    """The columns, and counts of nothing, of a shard without events: there are fewer blocks than shards."""
    block = simulate_block(replace(recipe, n_events=1), 0)
    counts = None if block.counts is None else block.counts.none()
    return Block(block.candidates.slice(0, 0), 0, counts)


def _events_in(recipe: Recipe, numbers: range) -> int:
    return max(min(numbers.stop * BLOCK_EVENTS, recipe.n_events) - numbers.start * BLOCK_EVENTS, 0)


def _blocks(recipe: Recipe, numbers: range, jobs: int) -> Iterator[Block]:
    if jobs == 1 or len(numbers) == 1:
        for number in numbers:
            yield simulate_block(recipe, number)
        return
    # spawn: threads of the libraries in this process must not be forked
    with ProcessPoolExecutor(
        min(jobs, len(numbers)),
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),  # Ctrl-C is for this process, which ends the others
    ) as pool:
        try:
            yield from _in_order(pool, recipe, numbers, waiting=2 * jobs)
        except BrokenProcessPool:
            raise WorkerError(
                f"a process of --jobs {jobs} ended before its work was done: killed, or out of memory (about 0.4 GB "
                "each); use fewer jobs. In a script, call simulate under: if __name__ == '__main__'"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, recipe: Recipe, numbers: range, *, waiting: int) -> Iterator[Block]:
    """Blocks in their order, with not more of them held than keeps every process busy."""
    futures: deque[Future[Block]] = deque()
    for number in numbers:
        futures.append(pool.submit(simulate_block, recipe, number))
        if len(futures) > waiting:
            yield futures.popleft().result()
    while futures:
        yield futures.popleft().result()


def _counted(blocks: Iterator[Block], total: int, progress: Progress | None) -> Iterator[Block]:
    """The blocks, and a report of the events that are done: before the first and after each."""
    report = progress or (lambda *_: None)
    done = 0
    report("simulate", done, total)
    for block in blocks:
        done += block.n_events
        report("simulate", done, total)
        yield block


def _chunks(blocks: Iterator[Block], size: int) -> Iterator[list[Block]]:
    group: list[Block] = []
    for block in blocks:
        group.append(block)
        if sum(one.n_events for one in group) >= size:
            yield group
            group = []
    if group:
        yield group


def _provenance(config: SimulateConfig, recipe: Recipe) -> dict[str, Any]:
    """What is needed to make the same file again; nothing of the machine or the moment."""
    settings = config.model_dump(mode="json", include={"process", "n", "seed", "mu", "pseudo_data", "shard"})
    settings |= {} if config.radiation is None else {"radiation": config.radiation}
    generator = pythia_provenance(recipe.process, recipe.pythia_settings) if recipe.generator == "pythia" else {}
    return {
        "software": f"calotools {version}",
        "stage": "simulate",
        "config": settings | {"generator": recipe.generator, "tree": recipe.tree},
        "effects": recipe.effects.model_dump(mode="json"),
        **generator,
        "tables": tables_digest(),
    }


def tables_digest() -> str:
    """SHA-256 of every detector and simulation table that the sample was made with.

    Examples
    --------
    >>> len(tables_digest())
    64
    """
    digest = hashlib.sha256()
    for package in ("calotools.detector", "calotools.simulate"):
        folder = resources.files(package).joinpath("tables")
        for table in sorted(folder.iterdir(), key=lambda one: one.name):
            digest.update(table.name.encode() + table.read_bytes())
    return digest.hexdigest()
