"""Several threads that begin at the same moment. Nobody waits for ever: an error in one thread reaches the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

PATIENCE = 60.0  # seconds


def at_once(actions: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of the actions, in their order, begun together in a thread each. Raises what the first of them raised."""
    gate = threading.Barrier(len(actions))

    def begin(action: Callable[[], Result]) -> Result:
        gate.wait(PATIENCE)
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        begun = [threads.submit(begin, action) for action in actions]
        return [one.result(PATIENCE) for one in begun]
