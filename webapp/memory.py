"""How a process that lives long treats the memory of what it has loaded."""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """Modules and tables are there for good: the collector need not look through them, and children share their pages.

    It also looks less often: a page, or a library that is placed, makes thousands of records, few of them in circles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
