"""The pace that processes share, against a real Redis and without one."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import redis
from flask import current_app

from jobs import pace
from jobs.errors import RateLimited
from jobs.pace import Bucket, Budget, LocalStore, RedisStore, Rule, Store, budgets, store_for
from tests.at_once import at_once
from tests.processes import in_processes
from webapp.launch import redis_server


@pytest.fixture(scope="module")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A private Redis of this module."""
    path = tmp_path_factory.mktemp("r") / "s"
    command = [str(redis_server.find()), "--port", "0", "--unixsocket", str(path), "--save", ""]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(path))
    for _ in range(500):
        try:
            client.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.01)
    yield path
    client.close()
    server.terminate()
    server.wait(10)


@pytest.fixture
def client(redis_socket: Path) -> Iterator[redis.Redis]:
    client = redis.Redis(unix_socket_path=str(redis_socket))
    client.flushall()
    yield client
    client.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


RULE = Rule("anilist", "anilist", 3, 60.0)


@pytest.fixture(params=["redis", "local"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "local":
        return LocalStore()
    return RedisStore(request.getfixturevalue("client"))


def test_a_burst_goes_up_to_the_budget_and_the_next_one_waits(store: Store) -> None:
    waits = [store.reserve(RULE, 100.0) for _ in range(4)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert 50 < waits[3] <= 60.1


def test_no_window_ever_holds_more_than_the_budget() -> None:
    clock = Clock()
    store = LocalStore(clock)
    taken = []
    for step in range(40):
        wait = store.reserve(RULE, 1e9)
        taken.append(clock.now + wait)
        clock.now += 7.0 * (step % 3)
    assert all(later - earlier >= 60.0 for earlier, later in zip(taken, taken[3:], strict=False))


def test_a_turn_that_is_too_far_away_takes_no_slot(store: Store) -> None:
    rule = Rule("anilist", "anilist", 1, 90.0)
    bucket = Bucket(rule, store, sleep=lambda _s: None)
    bucket.turn()
    for _ in range(3):
        with pytest.raises(RateLimited) as got:
            bucket.turn()
        assert 80 < got.value.seconds <= 90.1
        assert got.value.service == "anilist"


def test_a_block_is_never_made_shorter(store: Store) -> None:
    store.block(RULE, 50.0)
    store.block(RULE, 5.0)
    assert 40 < store.blocked_for(RULE) <= 50.0
    assert 40 < store.reserve(RULE, 100.0) <= 50.0


@pytest.mark.parametrize(
    ("status", "headers", "low", "high"),
    [
        (429, {"Retry-After": "42"}, 40, 42),
        (429, {"Retry-After": "42", "X-RateLimit-Remaining": "0"}, 40, 42),
        (429, {}, 0.5, 1),
        (503, {"Retry-After": "30"}, 28, 30),
        (503, {}, 0, 0),
        (200, {"Retry-After": "30"}, 0, 0),
        (429, {"X-RateLimit-Reset": "IN30"}, 27, 30),
        (200, {"X-RateLimit-Limit": "90", "X-RateLimit-Remaining": "87"}, 10, 20),
        (200, {"X-RateLimit-Limit": "90", "X-RateLimit-Remaining": "88"}, 0, 0),
        (200, {"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "1"}, 0, 0),
        (200, {"X-RateLimit-Remaining": "soon"}, 0, 0),
        (429, {"X-Ratelimit": "{'name':'A','period':1,'limit':1,'remaining':0,'until':'IN30'}"}, 27, 31),
        (200, {"X-Ratelimit": "{broken"}, 0, 0),
    ],
)
def test_what_a_service_says_in_its_headers_closes_the_bucket(
    store: Store, status: int, headers: dict[str, str], low: float, high: float
) -> None:
    later = datetime.now(UTC) + timedelta(seconds=30)
    if "X-RateLimit-Reset" in headers:
        headers = {**headers, "X-RateLimit-Reset": str(later.timestamp())}
    if "X-Ratelimit" in headers:
        headers = {**headers, "X-Ratelimit": headers["X-Ratelimit"].replace("IN30", later.isoformat())}
    Bucket(RULE, store).heard(status, headers)
    assert low <= store.blocked_for(RULE) <= high


def test_a_lower_limit_in_the_headers_counts_for_everybody(store: Store) -> None:
    bucket = Bucket(RULE, store)
    bucket.heard(200, {"X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "2"})
    assert [store.reserve(RULE, 100.0) > 0 for _ in range(3)] == [False, False, True]


def test_a_turn_waits_on_when_the_bucket_was_closed_meanwhile() -> None:
    clock = Clock()
    store = LocalStore(clock)
    rule = Rule("trakt", "w", 1, 1.1)

    def sleep(seconds: float) -> None:
        if not clock.sleeps:
            store.block(rule, 9.0)
        clock.sleep(seconds)

    bucket = Bucket(rule, store, sleep=sleep)
    bucket.turn()
    assert bucket.turn() == pytest.approx(9.0)


def test_processes_share_one_budget_through_redis(client: redis.Redis) -> None:
    stores = [RedisStore(client) for _ in range(4)]
    rule = Rule("anilist", "anilist", 30, 60.0)

    def take(store: RedisStore) -> list[float]:
        return [store.reserve(rule, 0.0) for _ in range(20)]

    waits = at_once([partial(take, store) for store in stores])
    assert sum(wait == 0 for one in waits for wait in one) == 30


def take_turns(times: int) -> int:
    """In each process: how many of so many requests may leave at once."""
    store = store_for(current_app.config["TSUZUKI"].REDIS_URL)
    return sum(store.reserve(pace.anilist(), 0.0) == 0.0 for _ in range(times))


def test_real_processes_share_one_budget(redis_url: str, tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path), "SECRET_KEY": "x", "REDIS_URL": redis_url}
    counts = in_processes(settings, 4, f"{__name__}:take_turns", 20)
    assert len(counts) == 4
    assert sum(counts) == 30


def test_each_budget_has_its_own_unit() -> None:
    """Per outgoing address: one bucket for everybody. Per account, per app key: one bucket each."""
    assert pace.anilist() == pace.anilist()
    assert pace.tmdb().bucket == "tmdb"
    buckets = [make(who).bucket for who in (1, 2) for make in (pace.trakt_reads, pace.trakt_writes)]
    buckets += [pace.trakt_public(key).bucket for key in ("one", "two")]
    assert len(set(buckets)) == 6


def test_without_redis_the_process_counts_alone() -> None:
    store_for.cache_clear()
    store = store_for("unix:///nowhere/redis.sock")
    assert [store.reserve(RULE, 100.0) > 0 for _ in range(4)] == [False, False, False, True]
    store.block(RULE, 70.0)
    with pytest.raises(RateLimited):
        Bucket(RULE, store).turn()
    assert store.look(RULE) is None
    assert budgets("unix:///nowhere/redis.sock", [RULE]) is None


def test_redis_is_asked_again_after_a_rest(client: redis.Redis) -> None:
    clock = Clock()
    store = RedisStore(client, clock)
    store._resting_until = clock.now + 30
    store.reserve(RULE, 1.0)
    assert client.zcard("tsuzuki:pace:anilist") == 0
    clock.now += 31
    store.reserve(RULE, 1.0)
    assert client.zcard("tsuzuki:pace:anilist") == 1


def test_a_page_reads_what_is_left_of_each_budget(store: Store) -> None:
    store.reserve(RULE, 1.0)
    store.reserve(RULE, 1.0)
    assert store.look(RULE) == Budget("anilist", "anilist", 3, 60.0, 1, None)
    store.learn(RULE, 2)  # the service has named a lower limit
    assert store.look(RULE) == Budget("anilist", "anilist", 2, 60.0, 0, None)
    store.block(RULE, 30.0)
    seen = store.look(RULE)
    assert seen is not None
    assert seen.blocked_until is not None
    assert 20 < (seen.blocked_until - datetime.now(UTC)).total_seconds() <= 30
    other = Rule("trakt", "never-asked", 500, 300.0)
    assert store.look(other) == Budget("trakt", "never-asked", 500, 300.0, 500, None)


def test_a_limit_that_a_service_has_named_counts_for_ten_minutes() -> None:
    clock = Clock()
    store = LocalStore(clock)
    store.learn(RULE, 2)
    clock.now += 599
    assert [store.reserve(RULE, 100.0) > 0 for _ in range(3)] == [False, False, True]
    clock.now += 200
    assert [store.reserve(RULE, 100.0) > 0 for _ in range(4)] == [False, False, False, True]


def test_nothing_of_an_app_key_stands_in_redis(client: redis.Redis) -> None:
    RedisStore(client).reserve(pace.trakt_public("my-secret-client-id"), 1.0)
    stored = json.dumps([repr(key) for key in client.scan_iter()] + [repr(client.hgetall("tsuzuki:pace"))])
    assert "trakt-public" in stored
    assert "my-secret" not in stored


def test_without_an_address_there_is_one_store_for_the_process() -> None:
    assert store_for(None) is store_for(None)
    assert budgets(None, [Rule("anilist", "nobody", 3, 60.0)]) == [Budget("anilist", "nobody", 3, 60.0, 3, None)]


@pytest.mark.parametrize("make", [pace.anilist, pace.tmdb, lambda: pace.trakt_reads(1), lambda: pace.trakt_writes(1)])
def test_each_budget_has_the_numbers_of_its_service(make: Callable[[], Rule]) -> None:
    numbers = {"anilist": (30, 60.0), "tmdb": (40, 1.0), "trakt-reads:1": (500, 300.0), "trakt-writes:1": (1, 1.1)}
    assert (make().limit, make().period) == numbers[make().bucket]
