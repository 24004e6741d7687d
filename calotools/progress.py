"""How work says how far it is: ``progress(task, done, total)``, called whenever there is something to tell."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress"]

Progress = Callable[[str, int, int], None]
"""What is counted ("candidates", "steps"), how many are done, and of how many."""
