"""Placing against a database, with a Trakt and an AniList that answer from memory and count what they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from jobs.errors import ServiceDown
from jobs.library_rows import store_media
from jobs.mapping.resolver import IdType
from jobs.mapping.rows import IdRow
from jobs.placing import PlacingClients, place_entries, stored_placement
from jobs.records import Kind, MediaInfo, Pile, Placement, Reason, Refusal, Shape
from jobs.targets.trakt_public import Found, SeasonsAnswer
from tests.jobs.mapping.builders import TMDB, TRAKT, TVDB, fribbs, match, media, otaku, shape, spans
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import AnidbMap, AnimeId, Entry, EntrySpan, EpisodeOverride, Mapping, Media, TraktShow, User, utcnow


@dataclass
class FakeTrakt:
    """The public reads of Trakt that placing uses."""

    shapes: dict[int, Shape] = field(default_factory=dict)
    ids: dict[tuple[str, str, int | str], list[Found]] = field(default_factory=dict)
    titles: dict[str, list[Found]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    down: bool = False

    def seasons(self, trakt_id: int, etag: str | None = None) -> SeasonsAnswer:
        self.asked.append(f"seasons {trakt_id}")
        if self.down:
            raise ServiceDown("no answer", service="trakt")
        if trakt_id not in self.shapes:
            return SeasonsAnswer(None, missing=True)
        if etag == "same":
            return SeasonsAnswer(None, etag, not_modified=True)
        return SeasonsAnswer(replace(self.shapes[trakt_id], trakt_id=trakt_id), "same")

    def show(self, trakt_id_or_slug: int | str) -> Found | None:
        self.asked.append(f"show {trakt_id_or_slug}")
        return next(iter(self.ids.get(("show", "trakt", trakt_id_or_slug), [])), None)

    def find(self, id_type: IdType, external_id: int | str, kind: Kind) -> list[Found]:
        self.asked.append(f"find {id_type} {external_id}")
        return self.ids.get((kind, id_type, external_id), [])

    def search_movies(self, title: str) -> list[Found]:
        self.asked.append(f"title {title}")
        return self.titles.get(title, [])


@dataclass
class World:
    """A person with entries, the caches, Trakt and AniList."""

    user_id: int
    trakt: FakeTrakt = field(default_factory=FakeTrakt)
    anilist: dict[int, MediaInfo] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def add(self, *rows: Any) -> None:
        with transaction() as session:
            session.add_all(rows)

    def caches(self, *rows: IdRow) -> None:
        values = [{name: getattr(row, name) for name in IdRow._fields} for row in rows]
        self.add(*(AnimeId(**{k: list(v) if isinstance(v, tuple) else v for k, v in row.items()}) for row in values))

    def entry(self, anilist_id: int, episodes: int | None = 12, *, progress: int | None = None, **more: Any) -> None:
        store_media([media(anilist_id, episodes, **more)])
        watched = progress if progress is not None else episodes or 0
        row = Entry(user_id=self.user_id, account_id="1", anilist_id=anilist_id, status="COMPLETED", progress=watched, seen_at=utcnow())  # fmt: skip
        self.add(row)

    def place(self, *ids: int) -> dict[int, Placement | Refusal]:
        def ask(wanted: Sequence[int]) -> list[MediaInfo]:
            self.asked.extend(wanted)
            return [self.anilist[i] for i in wanted if i in self.anilist]

        db.session.remove()
        return place_entries(self.user_id, ids, PlacingClients(self.trakt, ask))

    def row(self, anilist_id: int) -> Entry:
        db.session.remove()
        with transaction(readonly=True) as session:
            return session.scalars(
                select(Entry).where(Entry.user_id == self.user_id, Entry.anilist_id == anilist_id)
            ).one()

    def age(self, trakt_id: int, **by: float) -> None:
        with transaction() as session:
            at = utcnow() - timedelta(**by)
            session.execute(update(TraktShow).where(TraktShow.trakt_id == trakt_id).values(fetched_at=at))


@pytest.fixture
def world(app: Flask, user: User) -> World:
    return World(user.id)


def _found(kind: Kind, trakt_id: int, title: str = "Title", year: int | None = 2010, tmdb: int | None = None) -> Found:
    one = match(kind, trakt_id, title=title, year=year, tmdb=tmdb)
    return Found(kind, trakt_id, title, year, one.ids)


def test_an_entry_is_placed_and_its_row_says_where(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1)
    world.trakt.shapes[TRAKT] = shape(12)
    placed = world.place(1)[1]
    assert spans(placed) == [(1, 12, 1, 1)]
    row = world.row(1)
    assert (row.pile, row.reason, row.kind, row.trakt_id) == ("placed", None, "show", TRAKT)
    assert stored_placement(row) == placed
    with transaction(readonly=True) as session:
        mapping = session.scalars(select(Mapping)).one()
    assert (mapping.user_id, mapping.anilist_id, mapping.trakt_id, mapping.source) == (None, 1, TRAKT, "otaku")


def test_entries_that_nobody_has_on_a_list_still_push_the_later_ones_back(world: World) -> None:
    world.caches(otaku(1, "1", media_from=1, media_to=24), fribbs(1, 1), fribbs(2, 2))
    world.entry(2, 23)
    world.trakt.shapes[TRAKT] = shape(47)
    assert spans(world.place(2)[2]) == [(1, 23, 1, 25)]


def test_a_length_that_no_cache_knows_is_asked_of_anilist_and_kept(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1), fribbs(2, 2))
    world.entry(2, 23)
    world.trakt.shapes[TRAKT] = shape(47)
    world.anilist[1] = media(1, 24)
    assert spans(world.place(2)[2]) == [(1, 23, 1, 25)]
    assert world.asked == [1]
    assert spans(world.place(2)[2]) == [(1, 23, 1, 25)]
    assert world.asked == [1]


def test_seasons_are_read_once_and_again_by_etag_when_they_are_old(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1)
    world.trakt.shapes[TRAKT] = shape(12)
    for _ in range(2):
        world.place(1)
    assert world.trakt.asked == [f"seasons {TRAKT}"]
    world.age(TRAKT, days=31)
    assert spans(world.place(1)[1]) == [(1, 12, 1, 1)]
    assert len(world.trakt.asked) == 2
    world.place(1)
    assert len(world.trakt.asked) == 2


@pytest.mark.parametrize(
    ("status", "ended", "hours", "reads"),
    [("RELEASING", False, 19, 1), ("RELEASING", False, 21, 2), ("FINISHED", False, 100, 1), ("FINISHED", False, 170, 2), ("FINISHED", True, 170, 1), ("FINISHED", True, 725, 2)],
)  # fmt: skip
def test_how_old_seasons_may_be_depends_on_whether_the_show_airs(
    world: World, status: str, ended: bool, hours: float, reads: int
) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, status=status)
    world.trakt.shapes[TRAKT] = shape(12, ended=ended)
    world.place(1)
    world.age(TRAKT, hours=hours)
    world.place(1)
    assert len(world.trakt.asked) == reads


def test_a_show_that_trakt_no_longer_has_is_looked_for_by_its_other_ids(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1)
    world.trakt.shapes[42] = shape(12)
    world.trakt.ids["show", "tmdb", TMDB] = [_found("show", 42)]
    placed = world.place(1)[1]
    assert isinstance(placed, Placement)
    assert placed.trakt_id == 42
    assert world.row(1).trakt_id == 42
    asked = list(world.trakt.asked)
    world.place(1)
    assert world.trakt.asked == asked


def test_the_title_that_trakts_search_gave_is_kept_with_the_seasons(world: World) -> None:
    world.caches(fribbs(1, 1))
    world.entry(1)
    world.trakt.ids["show", "tmdb", TMDB] = [_found("show", 42, "The Show", 2009, tmdb=TMDB)]
    world.trakt.shapes[42] = shape(12)
    world.place(1)
    with transaction(readonly=True) as session:
        show = session.get_one(TraktShow, 42)
    assert (show.title, show.year, show.tmdb_id) == ("The Show", 2009, TMDB)


def test_otakus_show_without_the_season_gives_way_to_the_show_that_trakt_names(world: World) -> None:
    world.caches(otaku(1, "2"), fribbs(1, 2))
    world.entry(1)
    world.trakt.shapes |= {TRAKT: shape(6), 42: shape(24, 12)}
    world.trakt.ids["show", "tmdb", TMDB] = world.trakt.ids["show", "tvdb", TVDB] = [_found("show", 42, tmdb=TMDB)]
    placed = world.place(1)[1]
    assert spans(placed) == [(1, 12, 2, 1)]
    assert placed.trakt_id == 42
    assert world.place(1)[1] == placed


def test_otakus_show_stays_where_trakt_names_no_other(world: World) -> None:
    world.caches(otaku(1, "2"), fribbs(1, 2))
    world.entry(1)
    world.trakt.shapes[TRAKT] = shape(6)
    refused = world.place(1)[1]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.trakt_id) == (Reason.SEASON_UNKNOWN, TRAKT)


def test_short_finished_shows_that_trakt_itself_named_need_no_seasons(world: World) -> None:
    world.caches(fribbs(1, 1), fribbs(2, 1, tmdb_show_id=TMDB + 1, tvdb_id=TVDB + 1))
    for anilist_id in (1, 2):
        world.entry(anilist_id)
        world.trakt.ids["show", "tmdb", TMDB + anilist_id - 1] = [_found("show", 40 + anilist_id)]
        world.trakt.shapes[40 + anilist_id] = shape(12)
    found = world.place(1, 2)
    assert [spans(found[i]) for i in (1, 2)] == [[(1, 12, 1, 1)]] * 2
    assert not [question for question in world.trakt.asked if question.startswith("seasons")]
    world.place(1)
    assert "seasons 41" in world.trakt.asked


def test_a_movie_is_found_by_title_and_year_and_kept(world: World) -> None:
    world.entry(1, 1, format="MOVIE", romaji="Kaze", season_year=2010)
    world.trakt.titles["Kaze"] = [_found("movie", 7, "KAZE"), _found("movie", 8, "Kaze", 2011)]
    placed = world.place(1)[1]
    assert isinstance(placed, Placement)
    assert (placed.kind, placed.trakt_id, placed.spans) == ("movie", 7, ())
    world.place(1)
    assert world.trakt.asked == ["title Kaze"]


def test_a_numbered_sequel_that_no_cache_knows_stands_in_its_season_of_what_anime_lists_has_by_name(
    world: World,
) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.add(AnidbMap(anidb_id=127, name="Magic Knight", tmdb_show_id=TMDB, tmdb_season="1"))
    world.entry(2, romaji="Magic Knight II")
    world.trakt.shapes[TRAKT] = shape(12, 12)
    assert spans(world.place(2)[2]) == [(1, 12, 2, 1)]
    assert world.place(2)[2] == stored_placement(world.row(2))


def test_an_entry_without_ids_is_looked_at_again_in_a_month(world: World) -> None:
    world.entry(1)
    refused = world.place(1)[1]
    assert isinstance(refused, Refusal)
    row = world.row(1)
    assert (row.pile, row.reason) == ("no_match", "no_id")
    assert row.due_at is not None
    assert timedelta(days=29) < row.due_at - utcnow() < timedelta(days=31)


def test_what_trakt_does_not_list_yet_is_looked_at_again_when_it_has_aired(world: World) -> None:
    airs = utcnow() + timedelta(days=3)
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 12, progress=6, status="RELEASING", next_airing_at=airs)
    world.trakt.shapes[TRAKT] = shape(5, ended=False)
    placed = world.place(1)[1]
    assert spans(placed) == [(1, 5, 1, 1)]
    row = world.row(1)
    assert (row.pile, row.reason) == ("waiting", "not_listed_yet")
    assert row.due_at == airs + timedelta(hours=1)
    assert row.waiting_since is not None


def test_open_episodes_that_were_not_watched_leave_the_entry_placed(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 12, progress=5, status="RELEASING")
    world.trakt.shapes[TRAKT] = shape(5, ended=False)
    world.place(1)
    assert (world.row(1).pile, world.row(1).due_at) == ("placed", None)


def test_after_thirty_days_of_waiting_the_person_decides(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1), fribbs(2, 2))
    world.entry(2, status="RELEASING")
    world.trakt.shapes[TRAKT] = shape(12, ended=False)
    world.anilist[1] = media(1, 12)
    world.place(2)
    row = world.row(2)
    assert row.pile == "waiting"
    with transaction() as session:
        session.execute(update(Entry).values(waiting_since=utcnow() - timedelta(days=31)))
    result = world.place(2)[2]
    assert isinstance(result, Refusal)
    assert result.pile is Pile.NEEDS_YOU
    assert world.row(2).pile == "needs_you"


def test_progress_above_the_length_lies_in_review_with_the_rest_placed(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 12, progress=14)
    world.trakt.shapes[TRAKT] = shape(12)
    placed = world.place(1)[1]
    assert spans(placed) == [(1, 12, 1, 1)]
    assert (world.row(1).pile, world.row(1).reason) == ("needs_you", Reason.ABOVE_EPISODES.value)


def _manual(world: World, anilist_id: int, trakt_id: int, *, user_id: int | None = None, **more: Any) -> Mapping:
    return Mapping(user_id=user_id or world.user_id, anilist_id=anilist_id, trakt_id=trakt_id, source="manual", **more)


def test_a_persons_own_mapping_comes_before_a_shared_one_which_comes_before_the_caches(world: World) -> None:
    other = User(username="jiro", password_hash="unusable")
    world.add(other)
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 1)
    world.trakt.shapes[TRAKT] = shape(1)
    world.add(_manual(world, 1, 71, user_id=other.id, kind="movie"))
    assert world.place(1)[1].trakt_id == TRAKT
    with transaction() as session:
        session.execute(update(Mapping).where(Mapping.trakt_id == 71).values(shared=True))
    assert world.place(1)[1].trakt_id == 71
    world.add(_manual(world, 1, 72, kind="movie"))
    assert world.place(1)[1].trakt_id == 72


def test_a_person_may_choose_a_show_that_no_source_knows(world: World) -> None:
    world.entry(1, 12)
    world.add(_manual(world, 1, 61))
    world.trakt.shapes[61] = shape(13)
    placed = world.place(1)[1]
    assert spans(placed) == [(1, 12, 1, 1)]


def test_seasons_of_another_show_count_nothing_for_the_show_that_a_person_chose(world: World) -> None:
    world.caches(otaku(1, "2"), fribbs(1, 2))
    world.entry(1, 12)
    world.add(_manual(world, 1, 61))
    world.trakt.shapes[61] = shape(12, 12)
    refused = world.place(1)[1]
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.SEASON_UNKNOWN
    assert [c.spans[0].season for c in refused.candidates] == [1, 2]


def test_a_show_that_a_person_chose_and_trakt_does_not_have_is_named(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1)
    world.add(_manual(world, 1, 61))
    refused = world.place(1)[1]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.trakt_id) == (Reason.NOT_ON_TRAKT, 61)


def test_spans_win_over_overrides_which_win_over_what_was_found(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 4)
    world.trakt.shapes[TRAKT] = shape(4, specials=3)
    world.add(EpisodeOverride(trakt_id=TRAKT, abs=2, season=0, episode=1))
    world.add(EpisodeOverride(trakt_id=TRAKT, abs=3, season=0, episode=2))
    assert spans(world.place(1)[1]) == [(1, 1, 1, 1), (2, 3, 0, 1), (4, 4, 1, 4)]
    world.add(EntrySpan(user_id=world.user_id, anilist_id=1, first=3, last=3, season=0, start=3))
    assert spans(world.place(1)[1]) == [(1, 1, 1, 1), (2, 2, 0, 1), (3, 3, 0, 3), (4, 4, 1, 4)]


def test_another_persons_spans_do_not_count(world: World) -> None:
    other = User(username="jiro", password_hash="unusable")
    world.add(other)
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1, 4)
    world.trakt.shapes[TRAKT] = shape(4)
    world.add(EntrySpan(user_id=other.id, anilist_id=1, first=1, last=None, season=0, start=3))
    assert spans(world.place(1)[1]) == [(1, 4, 1, 1)]


def test_what_was_learned_before_trakt_went_down_is_kept(world: World) -> None:
    world.caches(fribbs(1, 1))
    world.entry(1)
    world.trakt.ids["show", "tmdb", TMDB] = [_found("show", 42, tmdb=TMDB)]
    world.trakt.shapes[42] = shape(12)
    world.trakt.down = True
    with pytest.raises(ServiceDown):
        world.place(1)
    assert world.row(1).pile is None
    world.trakt.down = False
    assert spans(world.place(1)[1]) == [(1, 12, 1, 1)]
    assert world.trakt.asked == [f"find tmdb {TMDB}", "seasons 42", "seasons 42"]


def test_what_a_person_decides_while_placing_is_at_work_is_not_overwritten(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    world.entry(1)

    class Meanwhile(FakeTrakt):
        def seasons(self, trakt_id: int, etag: str | None = None) -> SeasonsAnswer:
            with transaction() as session:
                session.execute(update(Entry).values(pile="needs_you", reason="sources_disagree", changed_at=utcnow()))
            return super().seasons(trakt_id, etag)

    world.trakt = Meanwhile(shapes={TRAKT: shape(12)})
    world.place(1)
    assert (world.row(1).pile, world.row(1).placed_at) == ("needs_you", None)
    world.place(1)
    assert world.row(1).pile == "placed"


def test_a_title_that_is_on_no_list_is_placed_without_a_row(world: World) -> None:
    world.caches(otaku(1, "1"), fribbs(1, 1))
    store_media([media(1)])
    world.trakt.shapes[TRAKT] = shape(12)
    assert spans(world.place(1)[1]) == [(1, 12, 1, 1)]


def test_the_number_of_statements_does_not_grow_with_the_entries(world: World) -> None:
    def statements(*ids: int) -> int:
        seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        world.place(*ids)
        return len([s for s in seen if not s.startswith(("BEGIN", "COMMIT"))])

    with transaction() as session:
        ids = range(1, 61)
        session.add_all(
            Media(anilist_id=i, format="TV", status="FINISHED", episodes=12, fetched_at=utcnow()) for i in ids
        )
        session.flush()
        session.add_all(Entry(user_id=world.user_id, account_id="1", anilist_id=i, status="COMPLETED", progress=12, seen_at=utcnow()) for i in ids)  # fmt: skip
    for anilist_id in ids:
        world.caches(otaku(anilist_id, "1", trakt_id=TRAKT + anilist_id, tmdb_show_id=TMDB + anilist_id, tvdb_id=None))
        world.trakt.shapes[TRAKT + anilist_id] = shape(12)
    world.place(*ids)
    assert statements(*range(1, 6)) == statements(*ids)
