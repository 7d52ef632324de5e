"""Builders that the tests of planning and posting share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from jobs.planner import AccountRules, DateHints, LedgerRow, PlanInputs
from jobs.records import ListEntry, MediaInfo, PartialDate, Picture, Placement, Play, Refusal, Span, Watched
from tests.fakes import FakeRun
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import Connection, PlayRow, Run, User

NOW = datetime.fromisoformat("2026-05-01T12:00:00+00:00")


def entry(anilist_id: int = 1, status: str = "COMPLETED", progress: int = 12, **more: Any) -> ListEntry:
    """A row of somebody's list; `episodes`, `format` and `duration` go to its media."""
    media = {key: more.pop(key) for key in ("episodes", "format", "duration", "start_date") if key in more}
    media.setdefault("episodes", 12)
    for name in ("started", "completed"):
        if name in more:
            more[name] = PartialDate.parse(more[name])
    return ListEntry(MediaInfo(anilist_id, **media), anilist_id * 10, status, progress, **more)


def show(
    anilist_id: int = 1, trakt_id: int | None = None, *, season: int = 1, start: int = 1, last: int = 12, **more: Any
) -> Placement:
    """A placement of episodes 1..last at one season, from `start` on."""
    spans = (Span(1, last, season, start),) if last else ()
    return Placement(anilist_id, "show", trakt_id or anilist_id * 100, spans, "fribbs", "offset", "Because.", **more)


def movie(anilist_id: int = 1, trakt_id: int | None = None) -> Placement:
    return Placement(anilist_id, "movie", trakt_id or anilist_id * 100, (), "movie", "movie", "It is a movie.")


def picture(
    episodes: Mapping[tuple[int, int, int], int] | None = None,
    movies: Mapping[int, int] | None = None,
    began_at: datetime = NOW,
    account_id: str = "trakt-uuid",
) -> Picture:
    return Picture(
        account_id,
        began_at,
        {},
        {key: Watched(plays) for key, plays in (episodes or {}).items()},
        {key: Watched(plays) for key, plays in (movies or {}).items()},
    )


def row(anilist_id: int = 1, episode: int = 1, state: str = "sent", **more: Any) -> LedgerRow:
    """A row of the ledger where `show()` would place it, unless said otherwise."""
    values: dict[str, Any] = {
        "play_id": episode,
        "kind": "episode",
        "trakt_id": anilist_id * 100,
        "season": 1,
        "number": episode,
    }
    return LedgerRow(anilist_id=anilist_id, episode=episode, state=state, **(values | more))


def inputs(
    *entries: ListEntry,
    placements: Mapping[int, Placement | Refusal] | None = None,
    mode: str = "completed",
    ledger: Any = (),
    now: datetime = NOW,
    dates: DateHints | None = None,
    force: bool = False,
    trakt: Picture | None = None,
    **rules: Any,
) -> PlanInputs:
    places = {e.anilist_id: show(e.anilist_id) for e in entries} if placements is None else placements
    return PlanInputs(
        mode,
        entries,
        places,
        trakt or picture(),
        tuple(ledger),
        AccountRules(**rules),
        now,
        dates or DateHints(),
        force,
    )


def play(anilist_id: int = 1, episode: int = 1, **more: Any) -> Play:
    values: dict[str, Any] = {
        "nth": 1, "kind": "episode", "trakt_id": anilist_id * 100, "season": 1, "number": episode, "target_nth": 1,
        "before": 0, "watched_at": NOW.replace(hour=1, minute=episode % 60, second=anilist_id % 60), "date_source": "updated",
    }  # fmt: skip
    return Play(anilist_id, episode, **(values | more))


def connect(user: User) -> None:
    """Give the person an AniList and a Trakt account."""
    db.session.add_all(
        [
            Connection(user_id=user.id, service="anilist", account_id="7", account_name="hanako"),
            Connection(user_id=user.id, service="trakt", account_id="trakt-uuid", account_name="hanako"),
        ]
    )
    db.session.commit()


def new_run(user_id: int, mode: str = "full", **values: Any) -> FakeRun:
    """A run that is `running`, and its context."""
    run = Run(user_id=user_id, mode=mode, trigger="page", status="running", attempt=1, **values)
    db.session.add(run)
    db.session.commit()
    return FakeRun(run.id, user_id)


def next_attempt(ctx: FakeRun) -> FakeRun:
    """The run is taken over by another worker."""
    db.session.get_one(Run, ctx.run_id).attempt = ctx.attempt + 1
    db.session.commit()
    return FakeRun(ctx.run_id, ctx.user_id, ctx.attempt + 1)


def rows(**where: Any) -> list[PlayRow]:
    """Rows of the ledger as they stand in the database now."""
    with transaction(readonly=True) as session:
        query = select(PlayRow).filter_by(**where).order_by(PlayRow.id)
        return list(session.scalars(query.execution_options(populate_existing=True)))


def states(**where: Any) -> dict[str, int]:
    """How many rows are in each state."""
    found: dict[str, int] = {}
    for one in rows(**where):
        found[one.state] = found.get(one.state, 0) + 1
    return found
