"""The three mapping data sets: their names, settings and parsers.

A parser takes the path of a downloaded file and gives one record per row of it, or None for a row that nobody can
use; it raises `UnusableFile` when the file must not replace what is at hand, possibly only at its end. So a caller
reads to the end before it replaces anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jobs.mapping import anime_lists, fribbs, otaku
from jobs.mapping.rows import AnidbRow, IdRow

PARSER_VERSION = 1  # raise it when a parser reads more than before: unchanged files are then read again
MAX_BYTES = 128 * 1024 * 1024  # of one file; the largest had 8 MB in 2026


def _not_told(_path: Path) -> datetime | None:
    return None


@dataclass(frozen=True)
class Dataset:
    """One data set: `number` is what a queue carries, `setting` the name of the address in `webapp.config`."""

    number: int
    name: str
    title: str
    setting: str
    read: Callable[[Path], Iterator[IdRow | None]] | Callable[[Path], Iterator[AnidbRow | None]]
    last_activity: Callable[[Path], datetime | None] = _not_told


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(1, "otaku", "Otaku", "OTAKU_URL", otaku.read, otaku.last_activity),
        Dataset(2, "fribbs", "Fribbs", "FRIBBS_URL", fribbs.read),
        Dataset(3, "anime_lists", "Anime-Lists", "ANIME_LISTS_URL", anime_lists.read),
    )
}
SOURCES: dict[int, str] = {dataset.number: dataset.name for dataset in DATASETS.values()}
