"""A cache is replaced by a good file, whole or not at all, and keeps its rows when the file is no good."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from jobs import refresh
from jobs.cache_diff import fresh_lines
from jobs.errors import NotFound, ServiceDown
from jobs.mapping import datasets
from jobs.transport import Download
from tests.jobs.mapping_files import anime, fribbs_file, many_otaku_rows, otaku_file, xml_file
from webapp.config import Config
from webapp.database import transaction
from webapp.models import AnidbMap, AnimeId, Lease, MappingSource, SystemConfig, utcnow

Answer = bytes | Exception | None  # a file, an error, or None for 304


class FakeHost:
    """Stands in for `jobs.transport.download`: serves `answer`, remembers what it was asked."""

    def __init__(self, answer: Answer = None) -> None:
        self.answer = answer
        self.calls: list[dict[str, Any]] = []
        self.last_modified: str | None = None
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, url: str, *, path: Path, **options: Any) -> Download:
        self.calls.append({"url": url, **options})
        self.meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            return Download(304, None, None, 0)
        path.write_bytes(self.answer)
        return Download(200, f'"{len(self.answer)}"', self.last_modified, len(self.answer))


@pytest.fixture
def host(app: Flask) -> FakeHost:
    return FakeHost()


def fribbs_rows(count: int, start: int = 1) -> bytes:
    return fribbs_file([{"type": "TV", "anilist_id": n, "tvdb_id": n} for n in range(start, start + count)])


def ids() -> list[int | None]:
    with transaction(readonly=True) as session:
        return list(session.scalars(select(AnimeId.anilist_id).where(AnimeId.source == "fribbs").order_by(AnimeId.id)))


def source(name: str = "fribbs") -> MappingSource:
    with transaction(readonly=True) as session:
        return session.get_one(MappingSource, name, populate_existing=True)


def test_a_good_file_fills_the_table_and_the_numbers(host: FakeHost) -> None:
    host.answer = fribbs_file(
        [{"anilist_id": 1, "tvdb_id": 5}, {"mal_id": 2}, {"anidb_id": 3}, {"anilist_id": 1}, {"anilist_id": 4}]
    )
    state = refresh.refresh("fribbs", download=host)
    assert (state.error, state.changed, state.rows_kept) == (None, True, 4)
    assert ids() == [1, None, 1, 4]
    row = source()
    assert (row.rows_in_file, row.rows_kept, row.double_ids) == (5, 4, 1)
    assert row.last_sync == row.last_full_sync == row.last_attempt == state.last_sync
    assert row.last_error is None


def test_every_source_number_has_its_parser_and_its_address(app: Flask, config: Config) -> None:
    assert refresh.SOURCES == {1: "otaku", 2: "fribbs", 3: "anime_lists"}
    for dataset in datasets.DATASETS.values():
        host = FakeHost(ServiceDown("away"))
        refresh.refresh(dataset.name, download=host)
        assert host.calls[0]["url"] == getattr(config, dataset.setting)


def test_otaku_tells_its_last_activity_and_the_reference_keys_follow(host: FakeHost, tmp_path: Path) -> None:
    host.answer = otaku_file(tmp_path / "o.db", many_otaku_rows(3))
    refresh.refresh("otaku", download=host)
    assert source("otaku").last_activity == datetime(2024, 11, 11, 23, 54, 31, tzinfo=UTC)
    with transaction(readonly=True) as session:
        keys = {
            row.key: row.value for row in session.scalars(select(SystemConfig).where(SystemConfig.user_id.is_(None)))
        }
    assert keys["status:otaku:last-activity"] == "2024-11-11T23:54:31.000Z"
    assert datetime.fromisoformat(keys["status:otaku:last-sync"]) <= utcnow()


def test_anime_lists_keeps_one_row_per_anidb_id_with_its_rules(host: FakeHost) -> None:
    rules = '<mapping-list><mapping anidbseason="0" tvdbseason="0">;1-4;</mapping></mapping-list>'
    host.answer = xml_file(anime(1, rules, tvdbid="9", tmdbid="128") + anime(2, tvdbid="movie") + anime(1, tvdbid="8"))
    host.last_modified = "Sat, 21 Nov 2026 00:53:02 GMT"
    refresh.refresh("anime_lists", download=host)
    with transaction(readonly=True) as session:
        first, second = session.scalars(select(AnidbMap).order_by(AnidbMap.anidb_id))
    assert (first.tvdb_id, first.tmdb_movie_ids) == (9, [128])
    assert first.rules == [{"anidb": 0, "side": "tvdb", "season": 0, "pairs": [[1, [4]]]}]
    assert (second.tvdb_id, second.tvdb_kind, second.rules) == (None, "movie", [])
    row = source("anime_lists")
    assert (row.rows_kept, row.double_ids) == (2, 1)
    assert row.last_activity == datetime(2026, 11, 21, 0, 53, 2, tzinfo=UTC)


def test_a_cache_leaves_the_rows_of_the_others_alone(host: FakeHost, tmp_path: Path) -> None:
    host.answer = otaku_file(tmp_path / "o.db", many_otaku_rows(3))
    refresh.refresh("otaku", download=host)
    host.answer = fribbs_rows(2)
    refresh.refresh("fribbs", download=host)
    refresh.refresh("fribbs", download=host)
    with transaction(readonly=True) as session:
        counts = dict(session.execute(select(AnimeId.source, func.count()).group_by(AnimeId.source)).all())
    assert counts == {"otaku": 3, "fribbs": 2}


def test_an_unchanged_file_is_asked_for_by_its_etag_and_only_moves_the_last_look(host: FakeHost) -> None:
    host.answer = fribbs_rows(3)
    host.last_modified = "Sat, 21 Nov 2026 00:53:02 GMT"
    first = refresh.refresh("fribbs", download=host)
    host.answer = None
    second = refresh.refresh("fribbs", download=host)
    assert host.calls[0]["etag"] is None
    assert host.calls[1]["etag"] == f'"{len(fribbs_rows(3))}"'
    assert host.calls[1]["last_modified"] == host.last_modified
    assert (second.changed, second.rows_kept, second.error) == (False, 3, None)
    assert second.last_full_sync == first.last_full_sync
    assert second.last_sync is not None
    assert first.last_sync is not None
    assert second.last_sync > first.last_sync


def test_an_unchanged_file_is_read_again_when_its_rows_are_gone_or_its_address_or_parser_is_new(host: FakeHost) -> None:
    host.answer = fribbs_rows(3)
    for spoil in (
        delete(AnimeId),
        update(MappingSource).values(url="http://elsewhere/"),
        update(MappingSource).values(parsed_as=0),
    ):
        refresh.refresh("fribbs", download=host)
        with transaction() as session:
            session.execute(spoil)
        refresh.refresh("fribbs", download=host)
        assert host.calls[-1]["etag"] is None
        assert ids() == [1, 2, 3]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<!DOCTYPE html><html></html>", "web page"),
        (fribbs_rows(100)[:-50], "cut off"),
        (b"[]", "empty list"),
        (b'[{"anidb_id": 1}]', "None of the 1 rows"),
        (b"{}", "not a JSON list"),
        (fribbs_rows(94), "94 usable rows, 6 % fewer than the 100"),
        (ServiceDown("Fribbs answered 503"), "Fribbs answered 503."),
        (NotFound("Fribbs answered 404: nothing at that address"), "404"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_old_rows_and_says_why(host: FakeHost, answer: Answer, says: str) -> None:
    host.answer = fribbs_rows(100)
    good = refresh.refresh("fribbs", download=host)
    host.answer = answer
    bad = refresh.refresh("fribbs", download=host)
    assert says in (bad.error or "")
    assert (bad.error or "").endswith(" The rows from before stay in use.")
    assert ids() == list(range(1, 101))
    row = source()
    assert row.last_error == bad.error
    assert (row.last_sync, row.rows_kept, row.rows_in_file) == (good.last_sync, 100, 100)
    assert row.last_attempt is not None
    assert good.last_sync is not None
    assert row.last_attempt > good.last_sync
    assert row.etag == f'"{len(fribbs_rows(100))}"'


def test_a_file_with_five_percent_fewer_rows_is_taken(host: FakeHost) -> None:
    host.answer = fribbs_rows(100)
    refresh.refresh("fribbs", download=host)
    host.answer = fribbs_rows(95, start=6)
    assert refresh.refresh("fribbs", download=host).error is None
    assert ids() == list(range(6, 101))


def test_a_loss_can_be_taken_on_purpose(host: FakeHost) -> None:
    host.answer = fribbs_rows(100)
    refresh.refresh("fribbs", download=host)
    host.answer = fribbs_rows(10)
    assert refresh.refresh("fribbs", download=host, accept_loss=True).rows_kept == 10


def test_a_failure_is_forgotten_after_the_next_good_look(host: FakeHost) -> None:
    host.answer = fribbs_rows(3)
    refresh.refresh("fribbs", download=host)
    host.answer = ServiceDown("away")
    refresh.refresh("fribbs", download=host)
    host.answer = None
    assert refresh.refresh("fribbs", download=host).error is None


def test_a_first_look_that_fails_says_so_without_rows(host: FakeHost) -> None:
    host.answer = ServiceDown("Fribbs could not be reached")
    state = refresh.refresh("fribbs", download=host)
    assert (state.error, state.rows_kept, state.last_sync) == ("Fribbs could not be reached.", 0, None)
    assert refresh.empty_sources() == ["otaku", "fribbs", "anime_lists"]


def test_old_rows_stay_when_the_swap_dies_in_the_middle(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host.answer = fribbs_rows(20)
    refresh.refresh("fribbs", download=host)
    read_batches = fresh_lines

    def die_after_one(path: Path, fresh: bytearray, size: int) -> Iterator[list[str]]:
        yield next(read_batches(path, fresh, size))
        raise SystemExit

    monkeypatch.setattr("jobs.cache_store.fresh_lines", die_after_one)
    host.answer = fribbs_rows(30)
    with pytest.raises(SystemExit):
        refresh.refresh("fribbs", download=host)
    assert ids() == list(range(1, 21))
    assert source().rows_kept == 20
    monkeypatch.undo()
    assert refresh.refresh("fribbs", download=host).rows_kept == 30


def test_nothing_is_left_in_the_work_folder(host: FakeHost, config: Config) -> None:
    for answer in (fribbs_rows(3), b"oops"):
        host.answer = answer
        refresh.refresh("fribbs", download=host)
    assert list((config.data_dir / "downloads").iterdir()) == []


def test_a_cache_that_somebody_refreshes_is_not_refreshed_twice(host: FakeHost) -> None:
    host.answer = fribbs_rows(3)
    other = FakeHost(fribbs_rows(9))
    host.meanwhile = lambda: states.append(refresh.refresh("fribbs", download=other, wait_seconds=0))
    states: list[refresh.SourceState] = []
    assert refresh.refresh("fribbs", download=host).rows_kept == 3
    assert states[0].busy
    assert other.calls == []


def test_who_waited_for_a_refresh_takes_its_result(host: FakeHost) -> None:
    host.answer = fribbs_rows(3)
    refresh.refresh("fribbs", download=host)
    with transaction() as session:
        session.execute(update(Lease).values(holder="other", until=utcnow() + timedelta(minutes=5)))

    def other_one_ends(_seconds: float) -> None:
        with transaction() as session:
            session.execute(update(MappingSource).values(last_attempt=utcnow()))
            session.execute(update(Lease).values(until=utcnow()))

    state = refresh.refresh("fribbs", download=host, sleep=other_one_ends)
    assert (state.rows_kept, state.busy, len(host.calls)) == (3, False, 1)


def test_a_lease_that_ran_out_is_taken_over_and_the_late_one_writes_nothing(host: FakeHost) -> None:
    host.answer = fribbs_rows(3)
    other = FakeHost(fribbs_rows(9))

    def too_slow() -> None:
        with transaction() as session:
            session.execute(update(Lease).values(until=utcnow()))
        refresh.refresh("fribbs", download=other)

    host.meanwhile = too_slow
    assert refresh.refresh("fribbs", download=host).busy
    assert len(ids()) == 9


def test_a_source_is_due_when_it_is_old_empty_or_failed_a_while_ago(host: FakeHost) -> None:
    now = utcnow()
    assert refresh.due_sources(now) == [1, 2, 3]
    host.answer = fribbs_rows(3)
    refresh.refresh("fribbs", download=host)
    assert refresh.due_sources(utcnow()) == [1, 3]
    assert refresh.due_sources(utcnow() + timedelta(hours=25)) == [1, 2, 3]
    host.answer = ServiceDown("away")
    for name in ("fribbs", "otaku"):
        refresh.refresh(name, download=host)
    assert refresh.due_sources(utcnow()) == [3]
    assert refresh.due_sources(utcnow() + timedelta(minutes=3)) == [1, 3]
    assert refresh.due_sources(utcnow() + timedelta(minutes=31)) == [1, 2, 3]
    with transaction() as session:
        session.execute(update(Lease).where(Lease.name == "cache:otaku").values(until=utcnow() + timedelta(days=1)))
    assert refresh.due_sources(utcnow() + timedelta(minutes=31)) == [2, 3]


@responses.activate
def test_the_job_follows_redirects_and_asks_conditionally(app: Flask, config: Config) -> None:
    target = "http://127.0.0.1:9/elsewhere"
    responses.get(config.FRIBBS_URL, status=302, headers={"Location": target})
    responses.get(target, body=fribbs_rows(3), headers={"ETag": '"one"'})
    refresh.refresh_source(2)
    assert ids() == [1, 2, 3]
    responses.replace(responses.GET, target, status=304)
    refresh.refresh_source(2)
    assert responses.calls[-1].request.headers["If-None-Match"] == '"one"'
    assert source().last_error is None


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_source_answers_the_rows_at_hand_stay_or_are_replaced_whole(host: FakeHost, seed: int) -> None:
    host.answer = fribbs_rows(40)
    refresh.refresh("fribbs", download=host)
    chance, spoiled = random.Random(seed), bytearray(fribbs_rows(40))
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(spoiled))
        spoiled[at : at + chance.randrange(30)] = chance.randbytes(chance.randrange(8))
    host.answer = bytes(spoiled)
    state = refresh.refresh("fribbs", download=host)
    assert len(ids()) == state.rows_kept
    assert state.error is None or ids() == list(range(1, 41))


def test_only_changed_rows_are_written_and_rows_of_one_id_keep_the_order_of_the_file(host: FakeHost) -> None:
    def row_ids() -> dict[int, int | None]:
        with transaction(readonly=True) as session:
            rows = session.execute(select(AnimeId.tvdb_id, AnimeId.id).where(AnimeId.source == "fribbs"))
            return dict(rows.all())

    def answer(*tvdb_ids: int) -> None:
        rows = [{"anilist_id": n // 10, "mal_id": n % 10 or None, "tvdb_id": n} for n in tvdb_ids]
        host.answer = fribbs_file(rows)
        assert refresh.refresh("fribbs", download=host, accept_loss=True).error is None

    answer(11, 20, 30, 31, 40)
    before = row_ids()
    answer(11, 21, 20, 30, 31, 40)
    after = row_ids()
    assert {n: after[n] for n in (40,)} == {n: before[n] for n in (40,)}
    assert sorted(after, key=lambda n: after[n] or 0)[1:] == [11, 21, 20, 30, 31]  # 21 joined the ids of 11 and 20
    answer(11, 21, 20, 30, 31, 40)
    assert row_ids() == after


def test_what_an_administrator_agreed_to_is_taken_once_and_nothing_smaller(host: FakeHost) -> None:
    host.answer = fribbs_rows(100)
    refresh.refresh("fribbs", download=host)
    host.answer = fribbs_rows(50)
    assert refresh.refresh("fribbs", download=host).error is not None
    assert source().held_rows == 50
    with transaction() as session:
        session.execute(update(MappingSource).values(accepted_rows=MappingSource.held_rows))
    host.answer = fribbs_rows(20)
    assert "20 usable rows" in (refresh.refresh("fribbs", download=host).error or "")
    host.answer = fribbs_rows(50)
    assert refresh.refresh("fribbs", download=host).error is None
    assert (source().held_rows, source().accepted_rows, len(ids())) == (None, None, 50)
