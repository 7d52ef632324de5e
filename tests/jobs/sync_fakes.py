"""Stand-ins for AniList and Trakt that implement the clients' interfaces in memory, counting their requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from jobs.records import (
    Activity,
    ListEntry,
    MediaInfo,
    PartialDate,
    Picture,
    Placement,
    Play,
    Receipt,
    Refusal,
    Span,
    Watched,
    to_json,
)
from jobs.runstate import RunContext, claim
from jobs.sources.anilist import Changes, Viewer
from jobs.targets.trakt import TraktAccount
from webapp.database import transaction
from webapp.models import Connection, Entry, MappingSource, Run, User, utcnow

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def media(anilist_id: int, *, episodes: int | None = 12, **values: Any) -> MediaInfo:
    return MediaInfo(
        **{
            "anilist_id": anilist_id,
            "format": "TV",
            "status": "FINISHED",
            "episodes": episodes,
            "romaji": f"Title {anilist_id}",
            "start_date": PartialDate(2015, 1, 10),
            **values,
        }
    )


def entry(anilist_id: int, progress: int = 12, status: str = "COMPLETED", **values: Any) -> ListEntry:
    return ListEntry(
        **{
            "media": media(anilist_id),
            "list_entry_id": 9000 + anilist_id,
            "status": status,
            "progress": progress,
            "updated_at": NOW - timedelta(days=30),
            **values,
        }
    )


@dataclass
class FakeAniList:
    """The whole interface of `jobs.sources.anilist.AniList`; `asked` names every request."""

    entries: list[ListEntry] = field(default_factory=list)
    rows: list[Activity] = field(default_factory=list)
    titles: list[MediaInfo] = field(default_factory=list)
    account: Viewer = field(default_factory=lambda: Viewer("77", "hanako", "-03:00", "english", []))
    signed_in: bool = True
    asked: list[str] = field(default_factory=list)
    count: Callable[[str, float], None] = lambda _service, _waited: None
    page: int = 50

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        self.count("anilist", 0.0)

    def _of(self, account_id: str) -> list[ListEntry]:
        """The list belongs to `account`; another one's is empty."""
        return self.entries if account_id == self.account.account_id else []

    def put(self, *entries: ListEntry) -> None:
        ids = {row.anilist_id for row in entries}
        self.entries = [row for row in self.entries if row.anilist_id not in ids] + list(entries)

    def viewer(self) -> Viewer:
        self._ask("viewer")
        return self.account

    def user(self, name: str) -> Viewer:
        self._ask(f"user {name}")
        return replace(self.account, timezone=None)

    def whole_list(self, account_id: str) -> list[ListEntry]:
        self._ask("whole")
        return [row for row in self._of(account_id) if self.signed_in or not row.private]

    def changes(
        self, account_id: str, *, activities_since: datetime, changed_since: datetime, media_ids: Sequence[int] = ()
    ) -> Changes:
        self._ask("changes")
        activities = [row for row in self.rows if row.created_at > activities_since]
        latest = sorted(self._of(account_id), key=lambda row: row.updated_at or NOW, reverse=True)
        first = latest[: self.page]
        return Changes(
            viewer=self.account if self.signed_in else None,
            activities=activities[: self.page],
            more_activities=len(activities) > self.page,
            entries=first,
            more_entries=len(latest) > self.page and all((row.updated_at or NOW) >= changed_since for row in first),
            media=[row.media for row in self.entries if row.anilist_id in media_ids],
        )

    def activities(
        self, account_id: str, *, since: datetime | None, max_pages: int | None, newest_first: bool = False
    ) -> list[Activity]:
        self._ask(f"activities {max_pages}")
        found = [row for row in self.rows if since is None or row.created_at > since]
        return found[-max_pages * 50 :] if max_pages and newest_first else found

    def changed_entries(self, account_id: str, since: datetime, *, page: int = 2) -> list[ListEntry]:
        self._ask(f"changed {page}")
        latest = sorted(self._of(account_id), key=lambda row: row.updated_at or NOW, reverse=True)
        return latest[self.page * (page - 1) :]

    def media(self, ids: Sequence[int]) -> list[MediaInfo]:
        self._ask("media")
        return [row for row in (*self.titles, *(e.media for e in self.entries)) if row.anilist_id in ids]

    def entry(self, account_id: str, anilist_id: int) -> ListEntry | None:
        self._ask(f"entry {anilist_id}")
        return next((row for row in self._of(account_id) if row.anilist_id == anilist_id), None)


@dataclass
class FakeTrakt:
    """What syncing asks of `jobs.targets.trakt.Trakt`; plays are taken, repeated ones too."""

    name: TraktAccount = field(
        default_factory=lambda: TraktAccount(
            account_id="uuid-1", name="hanako", vip=True, watch_only_once=False, timezone="UTC", details={}
        )
    )
    history: list[Play] = field(default_factory=list)
    moved_at: datetime = NOW - timedelta(days=1)  # watched_at of last_activities
    asked: list[str] = field(default_factory=list)
    count: Callable[[str, float], None] = lambda _service, _waited: None
    answers: list[Receipt | Exception] = field(default_factory=list)  # for the next POSTs, instead of taking them
    refused: set[tuple[int, int]] = field(default_factory=set)  # (show, number) that Trakt never takes

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        self.count("trakt", 0.0)

    def account(self) -> TraktAccount:
        self._ask("account")
        return self.name

    def _activities(self) -> dict[str, str]:
        return {"episodes": to_json(self.moved_at), "movies": to_json(NOW - timedelta(days=400))}

    def last_activities(self) -> dict[str, str]:
        self._ask("last_activities")
        return self._activities()

    def picture(self, account_id: str) -> Picture:
        self._ask("picture")
        episodes: dict[tuple[int, int, int], Watched] = {}
        movies: dict[int, Watched] = {}
        for play in self.history:
            if play.kind == "movie":
                movies[play.trakt_id] = Watched(1, play.watched_at)
            else:
                key = (play.trakt_id, play.season, play.number)
                episodes[key] = Watched(episodes[key].plays + 1 if key in episodes else 1, play.watched_at)
        return Picture(account_id, utcnow(), self._activities(), episodes, movies)

    def post_plays(self, plays: Sequence[Play]) -> Receipt:
        self._ask(f"post {len(plays)}")
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        taken = [play for play in plays if (play.trakt_id, play.number) not in self.refused]
        self.history += taken
        self.moved_at = utcnow()
        missing = [{"number": play.number} for play in plays if play not in taken]
        return Receipt("applied", added=len(taken), http_status=201, not_found=missing, elapsed=0.1)

    def show_history(self, trakt_id: int, start_at: datetime | None, end_at: datetime | None) -> list[Any]:
        self._ask(f"history {trakt_id}")
        return [
            HistoryRow(number, play.watched_at, "watch", "episode", play.trakt_id, play.season, play.number)
            for number, play in enumerate(self.history, 1)
            if play.trakt_id == trakt_id and play.kind == "episode"
        ]

    def movie_history(self, trakt_id: int, start_at: datetime | None, end_at: datetime | None) -> list[Any]:
        self._ask(f"history {trakt_id}")
        return []


@dataclass(frozen=True)
class HistoryRow:
    history_id: int
    watched_at: datetime | None
    action: str
    kind: str
    trakt_id: int
    season: int
    number: int


@dataclass
class FakePlacing:
    """`jobs.placing.place_entries`: an entry n stands in show 10 * n, season 1, unless told otherwise."""

    special: dict[int, Placement | Refusal] = field(default_factory=dict)
    asked: list[list[int]] = field(default_factory=list)

    def place_entries(
        self,
        user_id: int,
        anilist_ids: Sequence[int],
        clients: object,
        *,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> dict[int, Placement | Refusal]:
        self.asked.append(sorted(anilist_ids))
        found = {i: self.placement(i) for i in anilist_ids}
        for anilist_id, placement in found.items():
            refusal = isinstance(placement, Refusal)
            with transaction() as session:
                session.execute(
                    update(Entry)
                    .where(Entry.user_id == user_id, Entry.anilist_id == anilist_id)
                    .values(
                        pile=placement.pile.value if isinstance(placement, Refusal) else "placed",
                        reason=placement.reason.value if isinstance(placement, Refusal) else None,
                        due_at=placement.due_at if isinstance(placement, Refusal) else None,
                        trakt_id=None if refusal else placement.trakt_id,
                        placed_at=utcnow(),
                    )
                )
        if on_progress:
            on_progress(len(found), len(found))
        return found

    def placement(self, anilist_id: int) -> Placement | Refusal:
        plain = Placement(anilist_id, "show", 10 * anilist_id, (Span(1, 500, 1, 1),), "fribbs", "season", "Season 1")
        return self.special.get(anilist_id, plain)

    def stored_placement(self, row: Entry) -> Placement | Refusal | None:
        return self.placement(row.anilist_id) if row.placed_at else None


def connect(user: User, *, anilist: str | None = "77", trakt: str | None = "uuid-1") -> None:
    """Both services connected, the accounts known, asked today."""
    details = {"watch_only_once": False, "vip": True, "timezone": "UTC"}
    with transaction() as session:
        if anilist is not None:
            session.add(Connection(user_id=user.id, service="anilist", account_id=anilist, account_name="hanako"))
        if trakt is not None:
            session.add(
                Connection(
                    user_id=user.id,
                    service="trakt",
                    account_id=trakt,
                    account_name="hanako",
                    details=details,
                    checked_at=utcnow(),
                )
            )
        for name in ("otaku", "fribbs", "anime_lists"):
            session.add(MappingSource(name=name, url="http://127.0.0.1:9", rows_kept=1))


def make_run(user: User, **values: Any) -> int:
    with transaction() as session:
        row = Run(**{"user_id": user.id, "mode": "full", "trigger": "page", "options": {}, **values})
        session.add(row)
        session.flush()
        return row.id


def claimed(user: User, **values: Any) -> RunContext:
    """A new run of this person, taken. What ran before is ended, so that the lock is free."""
    with transaction() as session:
        session.execute(
            update(Run).where(Run.status.in_(("running", "waiting", "queued"))).values(status="failed", lock_key=None)
        )
    ctx = claim(make_run(user, **values))
    assert ctx is not None
    return ctx


def run_row(run_id: int) -> Run:
    with transaction(readonly=True) as session:
        return session.get_one(Run, run_id, populate_existing=True)


def entry_row(user: User, anilist_id: int) -> Entry:
    with transaction(readonly=True) as session:
        row = (
            session.query(Entry)
            .filter_by(user_id=user.id, anilist_id=anilist_id)
            .execution_options(populate_existing=True)
            .one()
        )
    assert isinstance(row, Entry)
    return row


def change_entry(user: User, anilist_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Entry).where(Entry.user_id == user.id, Entry.anilist_id == anilist_id).values(**values))
