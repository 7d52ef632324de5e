"""What can be refreshed, and where its rows stand: the three data sets, and the lists that were subscribed to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Table, func, select, type_coerce
from sqlalchemy import Text as TextType

from jobs.mapping import correction_file
from jobs.mapping.datasets import DATASETS, MAX_BYTES
from jobs.mapping.rows import AnidbRow, AnidbRule, IdRow, ListRow
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import AnidbMap, AnimeId, ListMapping, MappingList

Row = IdRow | AnidbRow | ListRow
_JSON = ("tmdb_movie_ids", "imdb_ids", "rules", "spans")


@dataclass(frozen=True)
class Shelf:
    """The rows of one source: all of `table` for which the columns `fixed` have their values."""

    model: Any
    fields: tuple[str, ...]  # columns that a file gives
    keys: tuple[str, ...]  # of these, the ids that join rows to groups (`jobs.cache_diff`)
    row_id: str
    fixed: Mapping[str, Any]

    @property
    def table(self) -> Table:
        return db.metadata.tables[self.model.__tablename__]

    @property
    def where(self) -> list[ColumnElement[bool]]:
        return [self.table.c[name] == value for name, value in self.fixed.items()]

    @property
    def unique(self) -> bool:
        """Whether the table takes one row per id only."""
        return len(self.keys) == 1

    def line(self, row: Row) -> str:
        """A row as the text that staging files hold and that is compared."""
        columns = {name: getattr(row, name) for name in self.fields}
        if isinstance(row, AnidbRow):
            columns["rules"] = [AnidbRule.to_json(rule) for rule in row.rules]
        return _text(columns)

    def group(self, columns: Mapping[str, Any]) -> list[int]:
        """The ids of a row that other rows may share, as numbers that do not meet."""
        return [value * len(self.keys) + place for place, name in enumerate(self.keys) if (value := columns[name])]

    def values(self, lines: Sequence[str]) -> list[dict[str, Any]]:
        """What is inserted for lines of a staging file."""
        return [{**json.loads(line), **self.fixed} for line in lines]

    def stored(self) -> Iterator[tuple[int, list[int], str]]:
        """Row id, group and text of every row at hand, in order. Needs an open reading transaction."""
        columns = [self.table.c[self.row_id].label("row_id"), *(_raw(self.table.c[name]) for name in self.fields)]
        query = select(*columns).where(*self.where).order_by(self.table.c[self.row_id])
        for row_id, *cells in db.session.execute(query.execution_options(yield_per=1000)):
            values = dict(zip(self.fields, cells, strict=True))
            for name in _JSON:
                if name in values:
                    values[name] = _decoded(values[name])
            yield row_id, self.group(values), _text(values) + "\n"

    def count(self) -> int:
        """How many rows there really are, whatever `mapping_sources` says."""
        with transaction(readonly=True) as session:
            return session.scalar(select(func.count()).select_from(self.table).where(*self.where)) or 0


def _text(columns: Mapping[str, Any]) -> str:
    return json.dumps(columns, separators=(",", ":"), sort_keys=True)


def _raw(column: Any) -> Any:
    """A JSON column as the driver gives it: most are empty, and decoding each would cost more than all the rest."""
    return type_coerce(column, TextType) if column.name in _JSON else column


def _decoded(raw: Any) -> Any:
    if raw is None or raw == "null":
        return []
    return ([] if raw == "[]" else json.loads(raw)) if isinstance(raw, str) else raw


@dataclass(frozen=True)
class Source:
    """One thing that is refreshed. `public_only`: its address was typed by a person and must not lead inside."""

    name: str
    title: str
    url: str
    read: Callable[[Path], Iterator[Row | None]]
    shelf: Shelf
    last_activity: Callable[[Path], datetime | None] = lambda _path: None
    max_bytes: int = MAX_BYTES
    public_only: bool = False


_IDS = IdRow._fields
_ANIDB = AnidbRow._fields
_LIST = tuple(field.name for field in fields(ListRow))


def source_named(name: str) -> Source | None:
    """A data set, or `list:<id>`; None when nobody subscribes to that list any more. Raises KeyError otherwise."""
    if name.startswith("list:"):
        list_id = int(name.removeprefix("list:"))
        with transaction(readonly=True) as session:
            found = session.get(MappingList, list_id, populate_existing=True)
        if found is None:
            return None
        shelf = Shelf(ListMapping, _LIST, ("anilist_id",), "id", {"list_id": list_id})
        return Source(name, found.title, found.url, correction_file.read_list, shelf, max_bytes=correction_file.MAX_BYTES, public_only=True)  # fmt: skip
    dataset = DATASETS[name]
    if name == "anime_lists":
        shelf = Shelf(AnidbMap, _ANIDB, ("anidb_id",), "anidb_id", {})
    else:
        shelf = Shelf(AnimeId, _IDS, ("anilist_id", "mal_id"), "id", {"source": name})
    url: str = getattr(current_app.config["TSUZUKI"], dataset.setting)
    return Source(name, dataset.title, url, dataset.read, shelf, dataset.last_activity)


def list_names() -> list[str]:
    """The names of the lists that were subscribed to."""
    with transaction(readonly=True) as session:
        return [f"list:{list_id}" for list_id in session.scalars(select(MappingList.id).order_by(MappingList.id))]
