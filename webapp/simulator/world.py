"""Everything the simulator remembers, behind one lock: accounts, plays, tokens, settings, requests, faults.

The lock is held by the WSGI door (`app.Door`) while a request is answered, never while a fault waits.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from threading import RLock
from typing import Any

from webapp.simulator import constants
from webapp.simulator.catalogue import Kind
from webapp.simulator.faults import Fault
from webapp.simulator.library import AniListUser, Entry, Library, ListActivity
from webapp.simulator.marks import Mark, Marks

Place = tuple[Kind, int, int, int]  # kind, trakt id, season, number
FIRST_HISTORY_ID = 10_400_000_001  # ids of history rows need more than 32 bits


@dataclass(slots=True)
class Settings:
    """What a test may turn; every value can be set by `POST /_sim/settings`."""

    lag_seconds: float = 0.0  # reads show what was true so long ago
    lag_activities: bool = False  # last_activities lags too
    enforce_limits: bool = False  # rate limits answer 429
    anilist_limit: int = 30  # requests a minute
    require_referer: bool = True  # AniList's gate of August 2026
    access_token_seconds: int = 604_800
    device_interval: int = 5
    device_seconds: int = 600
    trakt_page: int = 250  # the most rows of a page; larger limits are clamped
    anilist_chunk: int = 500  # the most entries of a part of the list
    not_found_echo: str = "nested"  # nested, empty, bare or zero: how a missing episode is echoed
    history_conflict: bool = False  # 409 for an exact repeat, as one client has seen it


@dataclass(slots=True)
class StoredPlay:
    """One history row; `watched_at` None means unknown; times in epoch seconds."""

    id: int
    kind: Kind
    trakt_id: int
    season: int
    number: int
    watched_at: float | None
    action: str
    inserted_at: float
    removed_at: float | None = None

    @property
    def place(self) -> Place:
        return self.kind, self.trakt_id, self.season, self.number

    def seen_at(self, moment: float | None) -> bool:
        """Does a reading of the state at `moment` (None: now) show it?"""
        if moment is None:
            return self.removed_at is None
        return self.inserted_at <= moment and (self.removed_at is None or self.removed_at > moment)


@dataclass(slots=True)
class TraktAccount:
    """One Trakt account with its history."""

    name: str
    uuid: str
    timezone: str = "Europe/Berlin"
    vip: bool = True
    watch_only_once: bool = False
    trouble: str = ""  # "", limit (420), locked (423), vip (426)
    plays: dict[int, StoredPlay] = field(default_factory=dict)
    by_place: dict[Place, list[StoredPlay]] = field(default_factory=dict)
    episodes_at: float = 0.0
    movies_at: float = 0.0
    hidden: set[int] = field(default_factory=set)
    reset_at: dict[int, float] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)  # ratings, watchlist, dropped shows
    watchlist_limit: int = 1000
    version: int = 0

    def keep(self, play: StoredPlay) -> None:
        self.plays[play.id] = play
        self.by_place.setdefault(play.place, []).append(play)
        self._moved(play.kind, play.inserted_at)

    def remove(self, play: StoredPlay, now: float) -> None:
        play.removed_at = now
        self._moved(play.kind, now)

    def _moved(self, kind: Kind, now: float) -> None:
        self.version += 1
        if kind == "movie":
            self.movies_at = max(self.movies_at + 0.001, now)
        else:
            self.episodes_at = max(self.episodes_at + 0.001, now)

    def living(self, place: Place, moment: float | None = None) -> list[StoredPlay]:
        return [play for play in self.by_place.get(place, ()) if play.seen_at(moment)]


@dataclass(slots=True)
class Grant:
    """An authorization code or device code on its way to a token."""

    client_id: str
    account: str = ""
    redirect_uri: str = ""
    challenge: str = ""
    expires_at: float = 0.0
    state: str = "open"  # open, approved, denied, used
    user_code: str = ""
    polled_at: float = 0.0


class World:
    """The whole state. `factory(born)` makes the library; `reset` makes everything anew."""

    def __init__(self, factory: Callable[[float], Library], *, clock: Callable[[], float] = time.time) -> None:
        self.lock = RLock()
        self.clock = clock
        self._factory = factory
        self.dirty = False
        self.reset()

    def reset(self, *, born: float | None = None) -> None:
        """Back to the beginning: library, history, tokens, settings, counts and faults."""
        self.born = self.clock() if born is None else born
        self.library = self._factory(self.born)
        self.settings = Settings()
        self.users: dict[int, AniListUser] = {user.id: user for user in self.library.users}
        self.activities: list[ListActivity] = list(self.library.activities)
        self.accounts: dict[str, TraktAccount] = {}
        self.anilist_tokens: dict[str, tuple[int, float]] = {
            constants.ANILIST_ACCESS_TOKEN: (constants.ANILIST_USER_ID, 2_082_758_400),
            constants.SECOND_ANILIST_ACCESS_TOKEN: (constants.SECOND_ANILIST_USER_ID, 2_082_758_400),
        }
        self.anilist_codes: dict[str, Grant] = {}
        self.access_tokens: dict[str, tuple[str, float]] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.codes: dict[str, Grant] = {}
        self.devices: dict[str, Grant] = {}
        self.refused_apps: dict[str, str] = {}  # client id -> deleted | blocked
        self.counts: Counter[tuple[str, str]] = Counter()
        self.waits: dict[str, list[float]] = {}
        self.faults: list[Fault] = []
        self.added_episodes: list[dict[str, Any]] = []
        self.file_overrides: dict[str, bytes] = {}
        self.file_times: dict[str, float] = {}
        self._next_history_id = FIRST_HISTORY_ID
        self._seed_trakt()
        self.dirty = True

    def _seed_trakt(self) -> None:
        for name, uuid, access, refresh in (
            (
                constants.TRAKT_ACCOUNT,
                "b6589fc6ab0dc82cf12099d1c2d40ab994e8410c",
                constants.TRAKT_ACCESS_TOKEN,
                constants.TRAKT_REFRESH_TOKEN,
            ),
            (
                constants.SECOND_TRAKT_ACCOUNT,
                "356a192b7913b04c54574d18c28d46e6395428ab",
                constants.SECOND_TRAKT_ACCESS_TOKEN,
                constants.SECOND_TRAKT_REFRESH_TOKEN,
            ),
        ):
            self.accounts[name] = TraktAccount(name, uuid)
            self.access_tokens[access] = (name, self.born + 7 * 86_400)
            self.refresh_tokens[refresh] = name
            for seed in self.library.seeds.get(name, ()):
                place: Place = (seed.kind, seed.trakt_id, seed.season, seed.number)
                self.add_play(self.accounts[name], place, seed.watched_at, seed.action, inserted_at=seed.watched_at)

    # Trakt

    def add_play(
        self,
        account: TraktAccount,
        place: Place,
        watched_at: float | None,
        action: str,
        *,
        inserted_at: float | None = None,
    ) -> StoredPlay:
        """Insert a play; Trakt does not look whether it has the same one already."""
        play = StoredPlay(
            self._next_history_id, *place, watched_at, action, self.clock() if inserted_at is None else inserted_at
        )
        self._next_history_id += 1
        account.keep(play)
        self.dirty = True
        return play

    def remove_plays(self, account: TraktAccount, plays: Iterable[StoredPlay]) -> Counter[Kind]:
        removed: Counter[Kind] = Counter()
        for play in plays:
            if play.removed_at is None:
                account.remove(play, self.clock())
                removed[play.kind] += 1
        self.dirty = True
        return removed

    @property
    def reading_moment(self) -> float | None:
        """The moment that reads show: None for now, or `lag_seconds` ago."""
        return self.clock() - self.settings.lag_seconds if self.settings.lag_seconds else None

    def issue_tokens(self, account: str) -> dict[str, Any]:
        """A new pair of Trakt tokens, as the token endpoint answers."""
        access, refresh, lifetime = secrets.token_hex(32), secrets.token_hex(32), self.settings.access_token_seconds
        self.access_tokens[access] = (account, self.clock() + lifetime)
        self.refresh_tokens[refresh] = account
        self.dirty = True
        return {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": lifetime,
            "refresh_token": refresh,
            "scope": "public",
            "created_at": int(self.clock()),
        }

    # AniList

    def edit_entry(self, user: AniListUser, media_id: int, changes: Mapping[str, Any]) -> Entry:
        """Change or add a list entry as the person would. Raises KeyError for an unknown title."""
        self.library.media[media_id]
        now = int(self.clock())
        entry = user.entries.get(media_id)
        if entry is None:
            highest = max((e.id for u in self.users.values() for e in u.entries.values()), default=420_000_000)
            entry = user.entries[media_id] = Entry(highest + 1, media_id, "CURRENT", 0, created_at=now)
        names = {f.name for f in fields(Entry)} - {"id", "media_id"}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"an entry has no {name}")
            setattr(entry, name, tuple(value) if isinstance(value, list) else value)
        if "updated_at" not in changes:
            entry.updated_at = now
        self.dirty = True
        return entry

    def add_activity(
        self, user: AniListUser, media_id: int, status: str, progress: str | None, created_at: int | None = None
    ) -> ListActivity:
        """A list activity; further episodes of the same title within the merge window fold into one range."""
        now = int(self.clock()) if created_at is None else created_at
        latest = next((a for a in reversed(self.activities) if a.user_id == user.id and a.media_id == media_id), None)
        if (
            latest
            and progress
            and latest.progress
            and latest.status == status
            and now - latest.created_at <= user.merge_minutes * 60
        ):
            first = latest.progress.split(" - ")[0]
            latest.progress, latest.created_at = f"{first} - {progress.split(' - ')[-1]}", now
            self.dirty = True
            return latest
        number = max((a.id for a in self.activities), default=600_000_000) + 1
        activity = ListActivity(number, user.id, media_id, status, progress, now)
        self.activities.append(activity)
        self.dirty = True
        return activity

    def list_episode(self, spec: Mapping[str, Any]) -> None:
        """Trakt lists one more episode: {trakt_id, season, number, title?, first_aired?}. Raises KeyError."""
        self.library.catalogue.add_episode(
            int(spec["trakt_id"]),
            int(spec["season"]),
            int(spec["number"]),
            title=spec.get("title"),
            first_aired=spec.get("first_aired", self.clock() - 3600),
        )
        self.added_episodes.append(dict(spec))
        self.dirty = True

    # State file

    def dump(self) -> dict[str, Any]:
        """What a state file keeps: everything that a person did since the beginning."""
        return {
            "library": self.library.name,
            "born": self.born,
            "next_history_id": self._next_history_id,
            "accounts": {
                name: {
                    "plays": [asdict(play) for play in account.plays.values()],
                    "episodes_at": account.episodes_at,
                    "movies_at": account.movies_at,
                    "marks": [asdict(mark) for mark in account.marks.rows],
                    "marks_moved": account.marks.moved,
                }
                for name, account in self.accounts.items()
            },
            "access_tokens": self.access_tokens,
            "refresh_tokens": self.refresh_tokens,
            "anilist_tokens": self.anilist_tokens,
            "users": {user.id: [asdict(entry) for entry in user.entries.values()] for user in self.users.values()},
            "activities": [asdict(activity) for activity in self.activities],
            "added_episodes": self.added_episodes,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a dumped state; one of another library is left alone."""
        if state.get("library") != self.library.name:
            return
        self.reset(born=state["born"])
        for name, kept in state["accounts"].items():
            account = self.accounts[name]
            account.plays.clear()
            account.by_place.clear()
            for row in kept["plays"]:
                account.keep(StoredPlay(**row))
            account.episodes_at, account.movies_at = kept["episodes_at"], kept["movies_at"]
            account.marks.rows = [Mark(**{**row, "target": tuple(row["target"])}) for row in kept.get("marks", ())]
            account.marks.moved = dict(kept.get("marks_moved", {}))
        self._next_history_id = state["next_history_id"]
        self.access_tokens = {token: (row[0], row[1]) for token, row in state["access_tokens"].items()}
        self.refresh_tokens = dict(state["refresh_tokens"])
        self.anilist_tokens = {token: (row[0], row[1]) for token, row in state["anilist_tokens"].items()}
        for user_id, entries in state["users"].items():
            self.users[int(user_id)].entries = {row["media_id"]: _entry(row) for row in entries}
        self.activities = [ListActivity(**row) for row in state["activities"]]
        for spec in state["added_episodes"]:
            self.list_episode(spec)
        self.dirty = False


def _entry(row: Mapping[str, Any]) -> Entry:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Entry(**values)
