"""Fifty placements change between two runs: nothing is posted by itself, each asks once, and a move puts each right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from jobs import refresh
from jobs.transport import Download
from tests.jobs.demo_runs import go, lines, read_back
from webapp import decisions
from webapp.database import transaction
from webapp.models import Entry, PlayRow, Run, RunItem, User
from webapp.simulator import process
from webapp.simulator.library import MappingIds
from webapp.simulator.mapping_files import build_files
from webapp.simulator.process import Running

TITLES = 50
EPISODES = list(range(1, 13))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Fifty shows of two seasons; every entry belongs to the first, say the sources."""
    file = tmp_path_factory.mktemp("drift") / "library.json"
    media = [
        {
            "id": 1000 + n, "idMal": 2000 + n, "title": f"Title {n}", "english": None, "format": "TV", "episodes": 12,
            "year": 2015, "trakt": 5000 + n, "eps": {str(e): [1, e] for e in EPISODES},
        }
        for n in range(TITLES)
    ]  # fmt: skip
    shows = [
        {
            "id": 5000 + n, "slug": f"title-{n}", "title": f"Title {n}", "year": 2015, "tvdb": 6000 + n,
            "tmdb": 7000 + n, "imdb": None, "seasons": {"1": EPISODES, "2": EPISODES},
        }
        for n in range(TITLES)
    ]  # fmt: skip
    file.write_text(json.dumps({"media": media, "shows": shows, "movies": []}), encoding="utf-8")
    anidb = '<anime-list><anime anidbid="1" tvdbid="1" defaulttvdbseason="1"><name>Other</name></anime></anime-list>'
    file.with_name("anime-list-master.xml").write_text(anidb, encoding="utf-8")
    with process.start(data=file) as running:
        yield running


def drift() -> None:
    """The caches are refreshed, and every source says now that the entries are second seasons."""
    rows = [
        MappingIds(
            1000 + n, f"Title {n}", "TV", mal=2000 + n, tvdb=6000 + n, tmdb_tv=7000 + n, episodes=12,
            tvdb_at=(2, 0), tmdb_at=(2, 0),
        )
        for n in range(TITLES)
    ]  # fmt: skip
    files = build_files(rows, updated=1_764_000_000)
    for name, file in (("otaku", "otaku.db"), ("fribbs", "fribbs.json")):

        def download(url: str, *, path: Path, content: bytes = files[file](), **_more: Any) -> Download:
            path.write_bytes(content)
            return Download(200, None, None, len(content))

        assert refresh.refresh(name, download=download).error is None


def seasons(sim: Running) -> Counter[int]:
    return Counter(row["season"] for row in sim.get("history"))


def asked(user: User) -> set[int]:
    with transaction(readonly=True) as session:
        return set(
            session.scalars(select(Entry.anilist_id).where(Entry.user_id == user.id, Entry.reason == "misplaced"))
        )


def items(run: Run) -> Counter[str]:
    with transaction(readonly=True) as session:
        return Counter(session.scalars(select(RunItem.outcome).where(RunItem.run_id == run.id)))


def sent_entries(user: User) -> set[int]:
    with transaction(readonly=True) as session:
        return set(
            session.scalars(select(PlayRow.anilist_id).where(PlayRow.user_id == user.id, PlayRow.state == "sent"))
        )


def watch_one_more(sim: Running, user: User) -> int:
    """Somebody goes on with a title that is not finished; its AniList id."""
    with transaction(readonly=True) as session:
        query = select(Entry.anilist_id, Entry.progress).where(
            Entry.user_id == user.id, Entry.status.in_(("CURRENT", "PAUSED")), Entry.progress < 12
        )
        anilist_id, progress = session.execute(query.order_by(Entry.anilist_id).limit(1)).one()
    sim.post("entries", {"media_id": anilist_id, "changes": {"progress": progress + 1}})
    return int(anilist_id)


def test_a_drift_posts_nothing_asks_once_for_each_and_a_move_puts_each_right(sim: Running, person: User) -> None:
    for anilist_id in range(1000, 1000 + TITLES):
        sim.post("entries", {"media_id": anilist_id, "changes": {"status": "COMPLETED", "progress": 12}})
    sim.post("entries", {"media_id": 1007, "changes": {"status": "CURRENT", "progress": 6}})
    first = go(person)
    assert (first.status, seasons(sim)) == ("succeeded", {1: first.plays_sent}), lines(first)
    assert len(sent_entries(person)) == TITLES
    read_back()

    drift()
    ongoing = watch_one_more(sim, person)
    drifted = go(person)
    assert drifted.plays_sent == 0, lines(drifted)
    assert items(drifted) == {"misplaced": TITLES}
    assert asked(person) == sent_entries(person)
    assert seasons(sim) == {1: first.plays_sent}
    again = go(person)
    assert (again.plays_sent, asked(person)) == (0, sent_entries(person))

    moved = go(person, mode="move", options={"entries": sorted(asked(person))})
    assert (moved.status, moved.result["moved"]) == ("succeeded", first.plays_sent), lines(moved)
    assert seasons(sim) == {2: first.plays_sent}
    assert max(Counter((row["trakt_id"], row["number"]) for row in sim.get("history")).values()) == 1

    after = go(person)
    assert (after.plays_sent, asked(person)) == (1, set()), lines(after)
    new = [row for row in sim.get("history") if row["trakt_id"] == ongoing + 4000]
    assert sorted(row["number"] for row in new) == list(range(1, 8))
    assert {row["season"] for row in new} == {2}


def test_keeping_them_leaves_the_old_place_and_sends_new_episodes_there(sim: Running, person: User) -> None:
    sim.post("entries", {"media_id": 1007, "changes": {"status": "CURRENT", "progress": 6}})
    first = go(person)
    drift()
    go(person)
    assert 1007 in asked(person)
    decisions.keep_where_it_stands(person, 1007)
    sim.post("entries", {"media_id": 1007, "changes": {"progress": 7}})
    kept = go(person)
    with transaction(readonly=True) as session:
        places = session.execute(
            select(PlayRow.season, func.count())
            .where(PlayRow.anilist_id == 1007, PlayRow.state == "sent")
            .group_by(PlayRow.season)
        ).all()
    assert (kept.plays_sent, [tuple(row) for row in places]) == (1, [(1, 7)]), lines(kept)
    assert seasons(sim) == {1: first.plays_sent + 1}
