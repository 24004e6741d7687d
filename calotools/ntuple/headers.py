"""Trees of files, without opening again those that were looked at before.

A tree's header takes uproot 40 ms for a hundred branches, as long as thousands of candidates. A training looks at every
file for its ranges, its variables, its scalers and its cells, so what was found out is kept: names, the number of
entries, and where the baskets of the branches are that somebody asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uproot.behaviors.TTree import TTree

from calotools.ntuple.baskets import Baskets, Branch
from calotools.ntuple.remote import is_remote
from calotools.ntuple.source import list_trees, open_baskets, open_file

__all__ = ["Tree", "open_trees"]

_MOST = 1000  # files: some 30 kB each


@dataclass(frozen=True)
class _Header:
    """What is known of a tree; more branches are added as they are asked for."""

    keys: tuple[str, ...]
    num_entries: int
    branches: dict[str, Branch] = field(default_factory=dict)


_Headers = dict[str, _Header]


class Tree:
    """A tree, its file opened only when something is asked that is not known.

    Parameters
    ----------
    path, name : str
    header : _Header
    trees : callable
        Those of the opened file, by name.
    """

    def __init__(self, path: str, name: str, header: _Header, trees: Callable[[], Mapping[str, Any]]) -> None:
        self.path, self.name, self.num_entries = path, name, header.num_entries
        self._header, self._trees = header, trees

    def keys(self) -> tuple[str, ...]:
        """Branches, with those above them."""
        return self._header.keys

    def opened(self) -> Any:
        """uproot's tree, usable until the end of `open_trees`."""
        return self._trees()[self.name]

    def baskets(self, branches: Sequence[str]) -> Baskets | None:
        """The fast way to some branches, which needs the file no longer; None where there is none.

        Raises
        ------
        InputFileError
            The header of a branch cannot be read.
        """
        known = self._header.branches
        if not all(name in known for name in branches):
            found = open_baskets(self.opened(), branches, path=self.path)
            if found is None:
                return None
            known.update(zip(branches, found.branches, strict=True))
        return Baskets(self.path, self.name, [known[name] for name in branches], n=self.num_entries)

    def boundaries(self, branches: Sequence[str]) -> set[int]:
        """Entries at which baskets of all of some branches, or clusters, begin."""
        found = self.baskets(branches)
        if found is not None:
            edges = [set(one.entries.tolist()) for one in found.branches if len(one.seeks)]
            return set.intersection(*edges) if edges else set()
        tree, wanted = self.opened(), frozenset(branches)
        if hasattr(tree, "common_entry_offsets"):
            return set(map(int, tree.common_entry_offsets(filter_name=lambda name: name.rpartition("/")[2] in wanted)))
        return {int(cluster.num_first_entry) for cluster in tree.cluster_summaries}


class _Known:
    """Headers of the files that were looked at last, as long as these do not change."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[tuple[int, ...], _Headers]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: str) -> _Headers | None:
        state = _state(path)
        with self._lock:
            kept = self._files.get(path)
            if kept is None or kept[0] != state:
                return None
            self._files.move_to_end(path)
            return kept[1]

    def keep(self, path: str, state: tuple[int, ...], headers: _Headers) -> None:
        with self._lock:
            self._files[path] = state, headers
            while len(self._files) > _MOST:
                self._files.popitem(last=False)


_KNOWN = _Known()


def _state(path: str) -> tuple[int, ...] | None:
    """What changes when a file does; None for one on a server, or that is not there."""
    if is_remote(path):
        return None
    with suppress(OSError):
        found = Path(path).stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    return None


@contextmanager
def open_trees(path: str) -> Iterator[dict[str, Tree]]:
    """The trees of a file by name, as `list_trees` finds them.

    Parameters
    ----------
    path : str

    Yields
    ------
    dict of str to Tree

    Raises
    ------
    InputFileError
        The file, or the header of a tree, cannot be read.
    """
    with ExitStack() as stack:
        opened: list[dict[str, Any]] = []

        def trees() -> dict[str, Any]:
            if not opened:
                opened.append(list_trees(stack.enter_context(open_file(path))))
            return opened[0]

        headers = _KNOWN.get(path)
        if headers is None:
            state = _state(path)
            headers = {name: _Header(tuple(tree.keys()), int(tree.num_entries)) for name, tree in trees().items()}
            if state is not None and all(isinstance(tree, TTree) for tree in trees().values()):
                _KNOWN.keep(path, state, headers)
        yield {name: Tree(path, name, header, trees) for name, header in headers.items()}
