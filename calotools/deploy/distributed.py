"""The same work on many files at once: processes of this machine, a Dask scheduler, or jobs of a batch system.

Every worker is given one file at a time, and results come back in the order of the files: what is made from them is
the same, bit for bit, however many workers there are. Dask gives the file of a worker that is lost to another one.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from calotools._version import version
from calotools.errors import ConfigError, InputFileError, WorkerError
from calotools.ntuple import FileResult

if TYPE_CHECKING:
    from calotools.recipe import ManyFilesConfig

__all__ = ["Executor", "workers"]

T = TypeVar("T")
_Order = deque[tuple[str, Any]]
# A worker may be lost for another reason than its file, such as the end of a job's time: another is tried so often.
_LOST_WORKERS = 3
_AHEAD = 4  # files for each thread whose results may wait in memory for that of an earlier file
_LOOK = 5.0  # seconds after which workers are counted again
_CONNECT = 30.0  # seconds
_PATIENCE = 120.0  # seconds without any worker, after there was one
_NEED_DASK = "several workers need Dask: pip install 'calotools[dask]'"


class Executor:
    """Work on files by the workers of a Dask client; `each_file` takes it as its `execute`.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._seen: float | None = None  # when there last was a worker

    def __call__(self, work: Callable[[str], FileResult[T]], files: Sequence[str]) -> Iterator[FileResult[T]]:
        """Do the work on every file.

        Parameters
        ----------
        work : callable
            Of a file's name; picklable.
        files : sequence of str

        Yields
        ------
        FileResult
            In the order of the files. A file on which workers died again and again is a bad one.

        Raises
        ------
        ConfigError
            The scheduler went away.
        WorkerError
            All workers went away, and none came back.
        """
        left, order = deque(files), _Order()
        try:
            while left or order:
                self._fill(order, left, work)
                self._check_workers()
                if order[0][1].done():
                    yield self._first(order, work)
                else:
                    _wait(order, seconds=_LOOK, how="FIRST_COMPLETED")
        finally:
            self._client.cancel([future for _, future in order])

    def _fill(self, order: _Order, left: deque[str], work: Callable[[str], FileResult[Any]]) -> None:
        """Give every thread one file: workers may join, and one that is lost takes no other file along."""
        n = max(1, sum(self._client.nthreads().values()))
        while left and _unfinished(order) < n and len(order) < _AHEAD * n:
            file = left.popleft()
            order.append((file, self._submit(work, file)))

    def _check_workers(self) -> None:
        """Give up when there is no worker for long where there was one: nobody would ever finish."""
        if self._client.nthreads():
            self._seen = time.monotonic()
        elif self._seen is not None and time.monotonic() - self._seen > _PATIENCE:
            raise WorkerError(
                f"every worker went away, and none came back in {_PATIENCE:g} s; what do their logs say? do they find "
                f"calotools {version} and its libraries?"
            )

    def _submit(self, work: Callable[[str], FileResult[Any]], file: str) -> Any:
        return self._client.submit(_work, work, file, version, pure=False, retries=1)

    def _first(self, order: _Order, work: Callable[[str], FileResult[Any]]) -> FileResult[Any]:
        from distributed.scheduler import KilledWorker

        file, future = order.popleft()
        try:
            return _result(file, future)
        except KilledWorker:  # perhaps another file's doing, which waited for the same worker: try it alone
            _wait(order, seconds=None, how="ALL_COMPLETED")
        try:
            return _result(file, self._submit(work, file))
        except KilledWorker:
            lost = (
                f"file '{file}': one worker after the other died on it; is there enough memory? what do their logs say?"
            )
            return FileResult(file, None, InputFileError(lost))


def _unfinished(order: _Order) -> int:
    return sum(not future.done() for _, future in order)


def _wait(order: _Order, *, seconds: float | None, how: str) -> None:
    from distributed import wait

    with suppress(TimeoutError):
        wait([future for _, future in order if not future.done()], timeout=seconds, return_when=how)


def _work(work: Callable[[str], FileResult[T]], file: str, wanted: str) -> FileResult[T]:
    """On a worker: refuse to work for another calotools, since the result would depend on who made it."""
    if version != wanted:
        return FileResult(
            file, None, ConfigError(f"a worker has calotools {version}, this is {wanted}; install the same")
        )
    return work(file)


def _result(file: str, future: Any) -> FileResult[Any]:
    from distributed.client import FutureCancelledError

    try:
        result: FileResult[Any] = future.result()
    except FutureCancelledError as error:
        raise ConfigError(f"the Dask scheduler went away while file '{file}' was under way: {error}") from None
    future.release()
    return result


@contextmanager
def workers(where: ManyFilesConfig) -> Iterator[Executor | None]:
    """Start, or connect to, the workers that a recipe asks for.

    Parameters
    ----------
    where : ManyFilesConfig
        With `scheduler`, the workers of that one; with ``batch.system``, `jobs` jobs of it; else `jobs` processes here.

    Yields
    ------
    Executor or None
        None for one job on this machine: the work is done in this process.

    Raises
    ------
    ConfigError
        Dask is not installed, the scheduler does not answer, or this machine cannot submit to the batch system.

    Examples
    --------
    >>> from calotools.recipe import ManyFilesConfig
    >>> with workers(ManyFilesConfig(jobs=1)) as execute:
    ...     print(execute)
    None
    """
    batch = where.batch.system is not None
    if where.scheduler is not None and batch:
        raise ConfigError(f"scheduler = '{where.scheduler}' and batch.system = '{where.batch.system}': choose one")
    if where.scheduler is None and not batch and where.jobs == 1:
        yield None
        return
    with ExitStack() as stack:
        yield Executor(stack.enter_context(_client(where, stack)))


def _client(where: ManyFilesConfig, stack: ExitStack) -> AbstractContextManager[Any]:
    try:
        import dask
        from distributed import Client
    except ImportError:
        raise ConfigError(_NEED_DASK) from None
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": _LOST_WORKERS}))
    address = where.scheduler or stack.enter_context(_cluster(where))
    try:
        client: AbstractContextManager[Any] = Client(address, timeout=_CONNECT)
    except (OSError, ValueError) as error:
        raise ConfigError(f"scheduler '{where.scheduler}' does not answer: {error}; is it running there?") from None
    return client


def _cluster(where: ManyFilesConfig) -> AbstractContextManager[Any]:
    if where.batch.system is not None:
        from calotools.deploy.batch_system import open_batch

        return open_batch(where.batch, jobs=where.jobs)
    from distributed import LocalCluster

    # One thread for each process: reading holds the interpreter. Nannies start a lost process again.
    local: AbstractContextManager[Any] = LocalCluster(
        n_workers=where.jobs,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        dashboard_address=":0",
        silence_logs=logging.ERROR,
    )
    return local
