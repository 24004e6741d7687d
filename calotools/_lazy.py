"""Names of a package that are imported when they are first used.

The ``__init__.py`` of such a package reads like any other: imports, and a sorted ``__all__``. Only, its imports stand
under ``if TYPE_CHECKING:``, where type checkers and editors see them and Python does not run them; they happen one by
one, when a name is asked for. So a package costs nothing until it is used, and a name is written down once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package whose imports are under ``if TYPE_CHECKING:``.

    Parameters
    ----------
    package : str
        ``__name__`` of the package.

    Returns
    -------
    tuple of two functions
        The first imports a name and raises AttributeError where the package has no such import; the second lists
        ``__all__``.

    Examples
    --------
    >>> get, names = lazy_names("calotools")
    >>> get("index_of").__module__
    'calotools.ntuple.reader'
    >>> "index_of" in names()
    True
    """

    def get(name: str) -> Any:
        home = _homes(package).get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)

    return get, lambda: list(sys.modules[package].__all__)


@cache
def _homes(package: str) -> dict[str, str]:
    """The module of each name that the package's source imports under ``if TYPE_CHECKING:``."""
    import ast  # takes longer than all else here, and often no name is asked for
    import pkgutil

    source = ast.parse(pkgutil.get_data(package, "__init__.py") or b"")
    blocks = [node for node in source.body if isinstance(node, ast.If)]
    typing = [block for block in blocks if isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"]
    imports = [node for block in typing for node in block.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: str(node.module) for node in imports for alias in node.names}
