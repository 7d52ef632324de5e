"""How fast we may ask: one pace for all processes, kept in Redis, each budget in its own unit.

A budget allows `limit` requests in any `period` seconds, as a burst or evenly (a sliding window, so never twice the
limit around a boundary). Each request reserves the next free moment and waits for it; whoever would wait longer than
its patience gets `RateLimited` and parks its run. What services say in their headers closes a bucket for everybody
until then. Without Redis the same counting goes on inside the process. Source of the numbers: AniList's guide to rate
limiting (30 a minute while degraded), Trakt's (500 reads in 5 minutes, 1 write a second), TMDB's (about 40 a second).
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs.answers import retry_after
from jobs.errors import RateLimited
from jobs.said import said

log = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds; a longer wait parks the run
BLOCK_AT_MOST = 3600.0
_PREFIX = "tsuzuki:pace"
_REDIS_REST = 30.0  # seconds without asking Redis after it failed
_LEARNED = 600  # seconds for which a lower limit counts that a service has named

# KEYS: slots, block, heard. ARGV: limit, period ms, patience ms, a unique name. Returns ms to wait, slots left.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit = math.min(tonumber(ARGV[1]), tonumber(redis.call('HGET', KEYS[3], 'limit') or ARGV[1]))
local period = tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - period)
local used = redis.call('ZCARD', KEYS[1])
local at = now + math.max(redis.call('PTTL', KEYS[2]), 0)
if used >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], used - limit, used - limit, 'WITHSCORES')
  at = math.max(at, tonumber(oldest[2]) + period + 1)
end
if at - now > tonumber(ARGV[3]) then return {at - now, 0} end
redis.call('ZADD', KEYS[1], at, ARGV[4])
redis.call('PEXPIRE', KEYS[1], at - now + period)
return {at - now, math.max(limit - used - 1, 0)}
"""
# KEYS: block. ARGV: ms. A block is only ever made longer.
_BLOCK = "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end"


@dataclass(frozen=True, slots=True)
class Rule:
    """One budget: `limit` requests in any `period` seconds."""

    service: str
    bucket: str  # unique, without secrets
    limit: int
    period: float


@dataclass(frozen=True, slots=True)
class Budget:
    """A rule and how much of it is left now, for a page. `blocked_until`: the service told us to wait.

    `limit` is what the service has said lately, where that is less than its rule.
    """

    service: str
    bucket: str
    limit: int
    period: float
    left: int
    blocked_until: datetime | None = None


class Store(Protocol):
    """Where slots are counted."""

    def reserve(self, rule: Rule, patience: float) -> float:
        """Seconds until the slot; more than `patience`: none was taken."""

    def block(self, rule: Rule, seconds: float) -> None: ...

    def blocked_for(self, rule: Rule) -> float: ...

    def learn(self, rule: Rule, limit: int) -> None:
        """The service allows less than we thought."""

    def look(self, rule: Rule) -> Budget | None:
        """How it stands now; None when that cannot be known."""


class LocalStore:
    """Counts inside this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: defaultdict[str, list[float]] = defaultdict(list)
        self._until: dict[str, float] = {}
        self._limits: dict[str, tuple[int, float]] = {}  # what was learned, and until when it counts

    def reserve(self, rule: Rule, patience: float) -> float:
        with self._lock:
            now = self._clock()
            limit = self._limit(rule, now)
            slots = [t for t in self._slots[rule.bucket] if t > now - rule.period]
            at = max(now, self._until.get(rule.bucket, now))
            if len(slots) >= limit:
                at = max(at, slots[-limit] + rule.period)
            if at - now <= patience:
                slots.append(at)
            self._slots[rule.bucket] = slots
            return at - now

    def block(self, rule: Rule, seconds: float) -> None:
        with self._lock:
            self._until[rule.bucket] = max(self._until.get(rule.bucket, 0.0), self._clock() + seconds)

    def blocked_for(self, rule: Rule) -> float:
        with self._lock:
            return max(self._until.get(rule.bucket, 0.0) - self._clock(), 0.0)

    def learn(self, rule: Rule, limit: int) -> None:
        with self._lock:
            self._limits[rule.bucket] = limit, self._clock() + _LEARNED

    def look(self, rule: Rule) -> Budget | None:
        with self._lock:
            now = self._clock()
            used, limit = sum(t > now - rule.period for t in self._slots[rule.bucket]), self._limit(rule, now)
        return _budget(rule, limit, used, self.blocked_for(rule))

    def _limit(self, rule: Rule, now: float) -> int:
        learned, until = self._limits.get(rule.bucket, (rule.limit, now))
        return min(rule.limit, learned) if until > now else rule.limit


class RedisStore:
    """Counts in Redis, by Redis's clock; falls back to this process for a while when Redis does not answer."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._reserve = client.register_script(_RESERVE)
        self._block = client.register_script(_BLOCK)
        self._local = LocalStore(clock)
        self._resting_until = -math.inf

    def _ask(self, question: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        if self._clock() >= self._resting_until:
            try:
                return question()
            except redis.RedisError as error:
                self._resting_until = self._clock() + _REDIS_REST
                log.warning(
                    "Redis does not answer, so the pace is kept by this process alone: %s", type(error).__name__
                )
        return otherwise()

    def reserve(self, rule: Rule, patience: float) -> float:
        def ask() -> float:
            arguments: list[str | int] = [
                rule.limit,
                round(rule.period * 1000),
                round(patience * 1000),
                uuid.uuid4().hex,
            ]
            return float(self._reserve(keys=_keys(rule), args=arguments)[0]) / 1000

        return float(self._ask(ask, lambda: self._local.reserve(rule, patience)))

    def block(self, rule: Rule, seconds: float) -> None:
        self._local.block(rule, seconds)
        self._ask(lambda: self._block(keys=[_keys(rule)[1]], args=[max(round(seconds * 1000), 1)]), lambda: None)

    def blocked_for(self, rule: Rule) -> float:
        ask = lambda: max(self._client.pttl(_keys(rule)[1]), 0) / 1000  # noqa: E731 - as short as its fallback
        return float(self._ask(ask, lambda: self._local.blocked_for(rule)))

    def learn(self, rule: Rule, limit: int) -> None:
        def ask() -> None:
            key = _keys(rule)[2]
            self._client.hset(key, "limit", limit)
            self._client.expire(key, _LEARNED)

        self._local.learn(rule, limit)
        self._ask(ask, lambda: None)

    def look(self, rule: Rule) -> Budget | None:
        def ask() -> Budget:
            seconds, micros = self._client.time()
            now = seconds * 1000 + micros // 1000
            slots, block, heard = _keys(rule)
            learned = self._client.hget(heard, "limit")
            used = self._client.zcount(slots, now - round(rule.period * 1000), "+inf")
            limit = rule.limit if learned is None else min(rule.limit, int(learned))
            return _budget(rule, limit, used, max(self._client.pttl(block), 0) / 1000)

        found: Budget | None = self._ask(ask, lambda: None)
        return found


def _keys(rule: Rule) -> list[str]:
    return [f"{_PREFIX}:{rule.bucket}", f"{_PREFIX}:{rule.bucket}:block", f"{_PREFIX}:{rule.bucket}:heard"]


def _budget(rule: Rule, limit: int, used: int, blocked: float) -> Budget:
    until = datetime.now(UTC) + timedelta(seconds=blocked) if blocked > 0 else None
    return Budget(rule.service, rule.bucket, limit, rule.period, max(limit - used, 0), until)


class Bucket:
    """The pace of one budget: `jobs.transport.Pace`."""

    def __init__(
        self, rule: Rule, store: Store, *, patience: float = PATIENCE, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.rule = rule
        self._store = store
        self._patience = patience
        self._sleep = sleep

    def turn(self) -> float:
        """Wait for the turn; returns the seconds waited. Raises RateLimited when it is further away than patience."""
        wait = self._store.reserve(self.rule, self._patience)
        waited = 0.0
        while wait > 0:
            if waited + wait > self._patience:
                raise RateLimited(
                    said(
                        "the turn for %(service)s comes in %(seconds)s s",
                        service=self.rule.service,
                        seconds=math.ceil(wait),
                    ),
                    service=self.rule.service,
                    seconds=wait,
                )
            self._sleep(wait)
            waited += wait
            wait = self._store.blocked_for(self.rule)  # another process may have been told to wait meanwhile
        return waited

    def heard(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from `Retry-After`, `X-RateLimit-*` and Trakt's `X-Ratelimit` JSON."""
        limit, left = _number(headers, "X-RateLimit-Limit"), _number(headers, "X-RateLimit-Remaining")
        if limit and 0 < limit < self.rule.limit:
            self._store.learn(self.rule, int(limit))
        seconds = retry_after(headers) if status == 429 or status >= 500 else None
        if seconds is None:
            seconds = _told(headers, status, time.time())
        if seconds is None and limit and left is not None and left - max(limit - self.rule.limit, 0) <= 0:
            seconds = self.rule.period / self.rule.limit  # somebody else uses the same address
        if seconds is None and status == 429:
            seconds = 1.0
        if seconds:
            self._store.block(self.rule, min(seconds, BLOCK_AT_MOST))


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        number = float(headers.get(name, ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _told(headers: Mapping[str, str], status: int, now: float) -> float | None:
    """Seconds until the moment that the headers name, if nothing is left until then."""
    reset = _number(headers, "X-RateLimit-Reset")
    if reset and (status == 429 or _number(headers, "X-RateLimit-Remaining") == 0):
        return max(reset - now, 0.0)
    try:
        said = json.loads(headers.get("X-Ratelimit", "").replace("'", '"'))
        if int(said["remaining"]) > 0 or not (until := str(said["until"])):
            return None
        return max(datetime.fromisoformat(until.replace("Z", "+00:00")).timestamp() - now, 0.0)
    except (ValueError, TypeError, KeyError):
        return None


@lru_cache(maxsize=8)
def store_for(redis_url: str | None) -> Store:
    """The store of this process for a Redis address; without one, counting stays in the process."""
    if not redis_url:
        return LocalStore()
    once_more = Retry(NoBackoff(), 1)  # a connection that Redis closed while idle; more would hold the request up
    return RedisStore(redis.Redis.from_url(redis_url, socket_timeout=2.0, socket_connect_timeout=1.0, retry=once_more))


def budgets(redis_url: str | None, rules: Sequence[Rule]) -> list[Budget] | None:
    """How these stand now, for a page; None when Redis does not answer, so that nobody knows of all processes."""
    store = store_for(redis_url)
    found = [budget for rule in rules if (budget := store.look(rule)) is not None]
    return found if len(found) == len(rules) else None


def _named(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def anilist() -> Rule:
    """Per outgoing address, as `tmdb`: processes that share a Redis are taken to share their address too."""
    return Rule("anilist", "anilist", 30, 60.0)


def trakt_reads(user_id: int) -> Rule:
    """Signed reads; one Trakt account belongs to one person of the instance."""
    return Rule("trakt", f"trakt-reads:{user_id}", 500, 300.0)


def trakt_writes(user_id: int) -> Rule:
    return Rule("trakt", f"trakt-writes:{user_id}", 1, 1.1)


def trakt_public(client_id: str) -> Rule:
    """Reads without a token, per app key and address."""
    return Rule("trakt", f"trakt-public:{_named(client_id)}", 500, 300.0)


def tmdb() -> Rule:
    return Rule("tmdb", "tmdb", 40, 1.0)
