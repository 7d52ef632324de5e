"""The search of titles finds the same whichever way it takes: few titles by name, many on the way through the list, or all first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.big_library import Library
from webapp import queries
from webapp.config import Config, _database_url
from webapp.extensions import db
from webapp.models import Entry, EntrySpan, Mapping, Media, PlayRow, utcnow
from webapp.models import plays as plays_models
from webapp.queries import library, plays

TITLES = 230
URGENCY = {"needs_you": 0, "waiting": 1, None: 2, "no_match": 3, "placed": 4}
ORDERS: dict[str, Callable[[Entry], Any]] = {
    "updated": lambda row: (row.list_updated_at, row.id),
    "progress": lambda row: (row.progress, row.list_updated_at, row.id),
    "state": lambda row: (-URGENCY[row.pile], row.list_updated_at, row.id),
}
STATES: dict[str, Callable[[Entry, set[int]], bool]] = {
    "": lambda _row, _hand: True,
    "placed": lambda row, _hand: row.pile == "placed",
    "needs_you": lambda row, _hand: row.pile == "needs_you",
    "manual": lambda row, hand: row.anilist_id in hand,
    "auto": lambda row, hand: row.pile == "placed" and row.anilist_id not in hand,
    "movie": lambda row, _hand: row.kind == "movie",
    "ignored": lambda row, _hand: row.choice == "ignored",
}


@pytest.fixture
def config(config: Config, database_url: str) -> Config:
    return config.replace(DATABASE_URL=_database_url(database_url))


@pytest.fixture
def words(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A library in which 12 titles are many; what may be searched for in it."""
    monkeypatch.setattr(library, "FEW", 12)
    monkeypatch.setattr(library, "DEEP", 20)
    known = Library("unusable", titles=TITLES, plays=10, logs=10, runs=8).fill()
    db.session.add(EntrySpan(user_id=1, anilist_id=5, first=1, last=None, season=1, start=1))
    for row in db.session.scalars(select(Entry).where(Entry.anilist_id % 23 == 0)):
        row.gone_at = utcnow()
    db.session.commit()
    return {"": "", "one": str(known["words"]), "many": "no", "two words": "no ma", "number": "7", "nothing": "nothing-fits"}  # fmt: skip


def expected(q: str, state: str) -> list[Entry]:
    by_hand = {*db.session.scalars(select(Mapping.anilist_id).where(Mapping.user_id == 1)), 5}
    rows = [row for row in db.session.scalars(select(Entry)).unique() if row.gone_at is None and STATES[state](row, by_hand)]  # fmt: skip
    return [row for row in rows if all(word in row.media.search_text for word in q.split()) or (q.isdecimal() and int(q) in (row.anilist_id, row.trakt_id))]  # fmt: skip


def by_pages(**asked: Any) -> tuple[list[Entry], int | None]:
    """All entries of all pages, and how many the last page that has some says there are."""
    rows: list[Entry] = []
    offset: int | None = 0
    total: int | None = None
    while offset is not None:
        page = queries.mappings(1, offset=offset, limit=9, **asked)
        rows += [row[0] for row in page.rows]
        assert page.total is None or page.total >= len(rows)
        total, offset = page.total, page.next
    return rows, total


@pytest.mark.parametrize("wanted", ["", "one", "many", "two words", "number", "nothing"])
def test_pages_hold_every_title_that_fits_once_and_in_order(words: dict[str, str], wanted: str) -> None:
    q = words[wanted]
    for state in STATES:
        right = expected(q, state)
        for sort, key in ORDERS.items():
            rows, total = by_pages(q=q, state=state, sort=sort)
            assert [row.id for row in rows] == [row.id for row in sorted(right, key=key, reverse=True)], (state, sort)
            assert total == len(right), (state, sort)
        rows, total = by_pages(q=q, state=state, sort="title")
        assert [row.media.sort_romaji for row in rows] == sorted(row.media.sort_romaji for row in right), state
        assert (total, {row.id for row in rows}) == (len(right), {row.id for row in right}), state


def test_a_search_that_finds_hundreds_does_not_count_them(words: dict[str, str]) -> None:
    page = queries.mappings(1, q="no", limit=9)
    assert (page.total, page.next, len(page.rows)) == (None, 9, 9)


def test_custom_lists_are_those_of_titles_that_are_on_the_list_still(words: dict[str, str]) -> None:
    rows = {row.anilist_id: row for row in db.session.scalars(select(Entry)).unique()}
    rows[50].custom_lists, rows[100].custom_lists, rows[46].custom_lists = ["B", "A"], ["A"], ["Gone"]
    db.session.commit()
    assert rows[46].gone_at is not None
    assert queries.custom_lists(1) == sorted({"A", "B", *(name for row in rows.values() if row.gone_at is None for name in row.custom_lists)})  # fmt: skip


@pytest.mark.parametrize("window", [3, 40, 2000])
def test_the_history_of_a_search_is_the_same_however_far_it_looks(app: Flask, monkeypatch: pytest.MonkeyPatch, window: int) -> None:  # fmt: skip
    monkeypatch.setattr(plays, "FEW", 4)
    monkeypatch.setattr(plays, "LOOKED_THROUGH", window)
    Library("unusable", titles=30, plays=300, logs=10, runs=8).fill()
    titles = {row.anilist_id: row.search_text for row in db.session.scalars(select(Media))}
    for q in ("", "no", "no ma", "the", "nothing-fits"):
        for state, states in {"": plays_models.PLAY_STATES, **queries.PLAY_FILTERS}.items():
            right = [row.id for row in db.session.scalars(select(PlayRow).order_by(PlayRow.id.desc())) if row.state in states and (state != "hold" or row.held) and all(word in titles[row.anilist_id] for word in q.split())]  # fmt: skip
            found: list[int] = []
            before: int | None = None
            while True:
                page = queries.history(1, q=q, state=state, before=before, limit=11)
                found += [play.id for play, _media, _show in page.plays]
                if (before := page.next) is None:
                    break
            assert found == right, (q, state)
