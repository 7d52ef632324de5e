"""The mapping caches: how they stand, and refreshing them through the queue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import Api, FakeQueue, add
from webapp.database import transaction
from webapp.models import MappingSource, User, utcnow

NAMES = {"otaku": ("otaku", 1), "fribbs": ("fribbs", 2), "anime-lists": ("anime_lists", 3)}
DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


def source(name: str, **values: Any) -> MappingSource:
    stored = {"url": "http://x", "rows_in_file": 12, "rows_kept": 10, "last_sync": DAY, "last_full_sync": DAY, "last_activity": DAY, "last_attempt": DAY}  # fmt: skip
    return MappingSource(name=name, **{**stored, **values})


@pytest.mark.parametrize("path", NAMES)
def test_a_check_only_reads(api: Api, user: User, queue: FakeQueue, path: str) -> None:
    add(source(NAMES[path][0]))
    body: Any = api.get(f"/api/refresh-{path}?check=1").json
    assert (body["count"], body["lastSync"], body["lastActivity"], body["lastFullSync"]) == (10, "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z")  # fmt: skip
    assert queue.caches == []


def test_a_cache_that_never_filled_counts_nothing(api: Api, user: User, queue: FakeQueue) -> None:
    body: Any = api.get("/api/refresh-fribbs?check=1").json
    assert (body["count"], body["lastSync"], body["error"]) == (0, None, None)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", NAMES)
def test_a_refresh_answers_when_the_cache_was_tried(
    api: Api, user: User, queue: FakeQueue, path: str, method: str
) -> None:
    name, number = NAMES[path]
    queue.on_cache = lambda _number: add(source(name, last_attempt=utcnow(), last_sync=utcnow()))
    answer = api(method, f"/api/refresh-{path}")
    assert answer.json is not None
    assert (answer.status_code, answer.json["success"], answer.json["count"]) == (200, True, 10)
    assert queue.caches == [number]


def test_a_refresh_that_was_of_no_use_is_502_with_its_sentence(api: Api, user: User, queue: FakeQueue) -> None:
    queue.on_cache = lambda _number: add(
        source("otaku", last_attempt=utcnow(), last_error="The file is an empty list.")
    )
    answer = api.post("/api/refresh-otaku")
    assert answer.json is not None
    assert (answer.status_code, answer.json["success"], answer.json["count"]) == (502, False, 10)
    assert (answer.json["error"], answer.json["code"]) == ("The file is an empty list.", "cache_refresh_failed")


def test_a_refresh_that_takes_longer_is_202(api: Api, user: User, queue: FakeQueue) -> None:
    add(source("otaku"))
    answer = api.post("/api/refresh-otaku?wait=0")
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["statusUrl"] == "/api/refresh-otaku?check=1"
    with transaction(readonly=True) as session:
        assert session.get_one(MappingSource, "otaku").last_attempt == DAY


def test_without_a_queue_the_refresh_says_so(api: Api, user: User, queue: FakeQueue) -> None:
    queue.up = False
    answer = api.post("/api/refresh-otaku?wait=0")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (503, "queue_down")
