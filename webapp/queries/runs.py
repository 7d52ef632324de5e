"""Runs with their plan, items, plays and requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import lazyload

from webapp.database import among, unindexed
from webapp.extensions import db
from webapp.models import OPEN, Entry, Media, PlanItem, PlayRow, RequestCount, Run, RunItem, TraktShow, User, utcnow

CHECKS = ("full", "completed", "watching", "title")  # runs that may send


def run(user_id: int, run_id: int) -> Run | None:
    return db.session.scalar(select(Run).where(Run.id == run_id, Run.user_id == user_id))


def runs(user_id: int, *, before: int | None = None, limit: int = 50) -> list[Run]:
    """Newest first, older than the id `before`."""
    query = select(Run).where(Run.user_id == user_id)
    if before is not None:
        query = query.where(Run.id < before)
    return list(db.session.scalars(query.order_by(Run.id.desc()).limit(limit)))


def open_runs(user_id: int) -> list[Run]:
    """In the order in which they will be done."""
    query = select(Run).where(Run.user_id == user_id, Run.status.in_(OPEN))
    return list(db.session.scalars(query.order_by(unindexed(Run.id)).limit(10)))


def waiting_approval(user_id: int) -> list[Run]:
    return list(
        db.session.scalars(
            select(Run).where(Run.user_id == user_id, Run.status == "needs_approval").order_by(Run.id.desc()).limit(5)
        )
    )


@dataclass(frozen=True, slots=True)
class Latest:
    """How the runs of a person stand.

    `last_check`: the last run that has ended and was able to send: no preview, no look at one title. `preview`: the newest library
    preview with a plan that can still be sent, if nothing has run since.
    """

    open_runs: list[Run]  # in the order in which they will be done
    waiting_approval: list[Run]  # newest first
    last_check: Run | None
    preview: Run | None


_ENDED = ("succeeded", "partial", "failed")
_PLANNED = ("succeeded", "partial", *OPEN)


def latest(user_id: int) -> Latest:
    """In one query: each part of it finds the few ids in the index of the states."""

    def ids(order: Any, limit: int, *conditions: Any) -> Any:
        newest = select(Run.id).where(Run.user_id == user_id, *conditions).order_by(order.desc()).limit(limit)
        return select(newest.subquery().c.id)

    library = Run.mode.in_(CHECKS[:3])
    wanted = ids(unindexed(Run.id), 50, Run.status.in_((*OPEN, "needs_approval"))).union_all(
        ids(Run.id, 1, Run.status.in_(_ENDED), Run.preview.is_(False), library),
        ids(Run.id, 1, Run.status.in_(_PLANNED), library),
    )
    found = list(db.session.scalars(select(Run).where(Run.id.in_(wanted)).order_by(Run.id.desc())))
    checks = [run for run in found if run.mode in CHECKS[:3]]
    preview = next((run for run in checks if run.status in _PLANNED), None)
    if preview and not (preview.preview and preview.status == "succeeded" and _holds(preview)):
        preview = None
    return Latest(
        open_runs=[run for run in reversed(found) if run.status in OPEN],
        waiting_approval=[run for run in found if run.status == "needs_approval"][:5],
        last_check=next((run for run in checks if run.status in _ENDED and not run.preview), None),
        preview=preview,
    )


def _holds(plan: Run) -> bool:
    return plan.plan_expires_at is None or plan.plan_expires_at > utcnow()


def newest_plan(user_id: int) -> Run | None:
    """The newest run that got as far as a plan of the library, sent or not."""
    ended = ("succeeded", "partial", "needs_approval")
    return db.session.scalar(
        select(Run)
        .where(Run.user_id == user_id, Run.mode.in_(CHECKS[:3]), Run.status.in_(ended))
        .order_by(Run.id.desc())
        .limit(1)
    )


def sent_as(preview_id: int) -> Run | None:
    """The run that sends this preview, or has sent something of it."""
    done = ("succeeded", "partial", *OPEN)
    return db.session.scalar(
        select(Run)
        .where(Run.parent_id == preview_id, Run.mode.in_(CHECKS), Run.status.in_(done))
        .order_by(Run.id.desc())
        .limit(1)
    )


# What a run would do


@dataclass
class PlanEntry:
    """One entry of a plan. `parts` are runs of plays in one season: where they come from and go to."""

    anilist_id: int
    media: Media | None
    entry: Entry | None
    show: str | None  # as Trakt calls it
    parts: list[PlanPart] = field(default_factory=list)

    @property
    def plays(self) -> int:
        return sum(part.plays for part in self.parts)


@dataclass(frozen=True)
class Part:
    """Plays of one entry in one season: `episode` counts on AniList's side, `number` on Trakt's."""

    kind: str  # episode, movie
    trakt_id: int
    season: int
    nth: int
    plays: int
    first_episode: int
    last_episode: int
    first_number: int
    last_number: int

    @property
    def unbroken(self) -> bool:
        return (
            self.last_episode - self.first_episode + 1 == self.plays
            and self.last_number - self.first_number + 1 == self.plays
        )


@dataclass(frozen=True)
class PlanPart(Part):
    earliest: datetime | None
    latest: datetime | None
    undated: int
    date_sources: str
    already: int  # plays of it that Trakt had at planning


@dataclass(frozen=True, slots=True)
class PlanTitle:
    """How much of a plan is one entry's."""

    anilist_id: int
    plays: int
    movies: int  # plays of a movie among them


def plan_titles(run_id: int) -> list[PlanTitle]:
    """The entries of a stored plan, most recently watched first."""
    item = PlanItem
    query = (
        select(item.anilist_id, func.count(), func.sum(case((item.kind == "movie", 1), else_=0)))
        .where(item.run_id == run_id)
        .group_by(item.anilist_id)
        .order_by(func.max(item.watched_at).desc().nulls_last(), item.anilist_id)
    )
    return [PlanTitle(anilist_id, plays, int(movies)) for anilist_id, plays, movies in db.session.execute(query)]


def plan_of(run_id: int, anilist_ids: Sequence[int]) -> list[PlanEntry]:
    """These entries of a stored plan in this order, their plays grouped by season. Two queries."""
    item = PlanItem
    query = (
        select(
            item.anilist_id, item.kind, item.trakt_id, item.season, item.nth, func.count(),
            func.min(item.episode), func.max(item.episode), func.min(item.number), func.max(item.number),
            func.min(item.watched_at), func.max(item.watched_at), func.sum(case((item.watched_at.is_(None), 1), else_=0)),
            func.min(item.date_source), func.max(item.date_source), func.sum(item.before),
        )
        .where(item.run_id == run_id, among(item.anilist_id, anilist_ids))
        .group_by(item.anilist_id, item.kind, item.trakt_id, item.season, item.nth)
        .order_by(item.anilist_id, item.nth, func.min(item.episode))
    )  # fmt: skip
    user_id = select(Run.user_id).where(Run.id == run_id).scalar_subquery()
    named = (
        select(Media, Entry, TraktShow.title)
        .options(lazyload(Entry.media))  # stands beside it
        .select_from(Media)
        .outerjoin(Entry, (Entry.anilist_id == Media.anilist_id) & (Entry.user_id == user_id))
        .outerjoin(TraktShow, (TraktShow.trakt_id == Entry.trakt_id) & (Entry.kind == "show"))
        .where(among(Media.anilist_id, anilist_ids))
    )
    names = {media.anilist_id: (media, entry, show) for media, entry, show in db.session.execute(named)}
    found = {one: PlanEntry(one, *names.get(one, (None, None, None))) for one in anilist_ids}
    for anilist_id, kind, trakt_id, season, nth, plays, e1, e2, n1, n2, t1, t2, undated, d1, d2, before in db.session.execute(query):  # fmt: skip
        sources = d1 if d1 == d2 else f"{d1} {d2}"
        found[anilist_id].parts.append(PlanPart(kind, trakt_id, season, nth, plays, e1, e2, n1, n2, t1, t2, undated, sources, before))  # fmt: skip
    return [row for row in found.values() if row.parts]


def completed_together(run: Run) -> tuple[str, int] | None:
    """The day (ISO) that most titles of a plan share as their completion, of those dated by it, and how many they are."""
    by_completion = select(PlanItem.anilist_id).where(PlanItem.run_id == run.id, PlanItem.date_source == "completed")
    query = (
        select(Entry.completed_at, func.count())
        .where(
            unindexed(Entry.user_id) == run.user_id,
            Entry.anilist_id.in_(by_completion),
            func.length(Entry.completed_at) == len("2012-04-08"),
        )
        .group_by(Entry.completed_at)
        .order_by(func.count().desc(), Entry.completed_at)
        .limit(1)
    )
    row = db.session.execute(query).first()
    return (str(row[0]), int(row[1])) if row else None


def plan_plays(run_id: int, anilist_id: int) -> list[PlanItem]:
    """Every play of one entry in a plan."""
    query = select(PlanItem).where(PlanItem.run_id == run_id, PlanItem.anilist_id == anilist_id)
    return list(db.session.scalars(query.order_by(PlanItem.nth, PlanItem.episode)))


# What a run did


@dataclass(frozen=True)
class ItemPage:
    items: Sequence[tuple[RunItem, Media | None]]
    next: int | None  # offset of the next page


def items_of(
    run_id: int, *, outcome: str | None = None, without: str | None = None, offset: int = 0, limit: int = 50
) -> ItemPage:
    """Entries that were sent, refused, wait or need the person; what needs a person first."""
    urgency = case(
        {"needs_you": 0, "misplaced": 1, "refused": 2, "sent_in_part": 3, "left_out": 4, "held": 4, "sent": 5},
        value=RunItem.outcome,
        else_=6,
    )
    wanted = select(RunItem.id).where(RunItem.run_id == run_id)
    if outcome:
        wanted = wanted.where(RunItem.outcome == outcome)
    elif without:
        wanted = wanted.where(RunItem.outcome != without)
    # the ids of the page first: a sort of whole rows with their titles takes longer than all the rest
    page = wanted.order_by(urgency, RunItem.id).offset(offset).limit(limit + 1).subquery()
    query = (
        select(RunItem, Media)
        .outerjoin(Media, Media.anilist_id == RunItem.anilist_id)
        .where(RunItem.id.in_(select(page.c.id)))
        .order_by(urgency, RunItem.id)
    )
    rows = [(item, media) for item, media in db.session.execute(query)]
    return ItemPage(rows[:limit], offset + limit if len(rows) > limit else None)


@dataclass(frozen=True)
class SentPart(Part):
    state: str  # of the plays now, as in the ledger
    show: str | None  # as Trakt calls it


def sent_parts(run_id: int, anilist_ids: Collection[int] | None = None) -> dict[int, list[SentPart]]:
    """Where the plays that a run sent, or tried to, went; of these entries, or of all. One query."""
    play = PlayRow
    wanted = [play.run_id == run_id]
    if anilist_ids is not None:  # by the index of the entries: a run may have sent far more
        person = select(Run.user_id).where(Run.id == run_id).scalar_subquery()
        wanted = [unindexed(play.run_id) == run_id, play.user_id == person, play.anilist_id.in_(anilist_ids)]
    query = (
        select(
            play.anilist_id, play.kind, play.trakt_id, play.season, play.nth, func.count(), func.min(play.episode),
            func.max(play.episode), func.min(play.number), func.max(play.number), play.state, func.min(TraktShow.title),
        )
        .outerjoin(TraktShow, (TraktShow.trakt_id == play.trakt_id) & (play.kind == "episode"))
        .where(*wanted)
        .group_by(play.anilist_id, play.kind, play.trakt_id, play.season, play.nth, play.state)
        .order_by(play.anilist_id, play.nth, func.min(play.episode))
    )  # fmt: skip
    found: dict[int, list[SentPart]] = {}
    for anilist_id, *values in db.session.execute(query):
        found.setdefault(anilist_id, []).append(SentPart(*values))
    return found


def outcome_counts(run_id: int) -> dict[str, int]:
    query = select(RunItem.outcome, func.count()).where(RunItem.run_id == run_id).group_by(RunItem.outcome)
    return dict(db.session.execute(query).all())


def requests_of(run_id: int) -> list[RequestCount]:
    query = select(RequestCount).where(RequestCount.run_id == run_id).order_by(RequestCount.service)
    return list(db.session.scalars(query))


def run_plays(run_id: int) -> dict[str, int]:
    """How many plays of a run are in which state now."""
    query = select(PlayRow.state, func.count()).where(PlayRow.run_id == run_id).group_by(PlayRow.state)
    return dict(db.session.execute(query).all())


def has_plays(run_id: int) -> tuple[bool, bool]:
    """Whether a run has plays in the ledger, and whether any of them stands as it was sent."""
    of_run = exists().where(PlayRow.run_id == run_id)
    row = db.session.execute(select(of_run, of_run.where(PlayRow.state == "sent"))).one()
    return bool(row[0]), bool(row[1])


def all_there(run: Run, *, limit: int) -> list[Entry]:
    """Placed titles that a run looked at and of which it would send nothing, because Trakt has it all; newest first."""
    person = db.session.get_one(User, run.user_id)
    statuses = {"completed": ("COMPLETED", "REPEATING"), "watching": ("CURRENT",)}.get(run.mode, tuple(person.statuses))
    query = (
        select(Entry)
        .where(
            Entry.user_id == run.user_id,
            Entry.gone_at.is_(None),
            Entry.pile == "placed",
            Entry.choice.is_(None),
            Entry.progress > 0,
            Entry.status.in_(statuses),
            Entry.anilist_id.not_in(select(PlanItem.anilist_id).where(PlanItem.run_id == run.id)),
            Entry.anilist_id.not_in(select(RunItem.anilist_id).where(RunItem.run_id == run.id)),
        )
        .order_by(Entry.list_updated_at.desc(), Entry.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def posting_since(run: Run) -> tuple[datetime | None, int]:
    """When the present attempt of a run began to send, and how many plays it has sent since."""
    row = db.session.execute(
        select(func.min(PlayRow.claimed_at), func.sum(case((PlayRow.state == "sent", 1), else_=0))).where(
            PlayRow.run_id == run.id, PlayRow.attempt == run.attempt
        )
    ).one()
    return row[0], int(row[1] or 0)


def vanished_titles(run: Run) -> list[tuple[int, Media | None, int]]:
    """(anilist_id, media, plays) that this run found missing on Trakt, the most plays first."""
    named: list[tuple[int, int]] = [
        (int(row["anilistId"]), int(row["plays"])) for row in (run.result or {}).get("vanishedTitles") or ()
    ]
    query = select(Media).where(Media.anilist_id.in_([anilist_id for anilist_id, _plays in named]))
    media = {row.anilist_id: row for row in db.session.scalars(query)} if named else {}
    return [(anilist_id, media.get(anilist_id), plays) for anilist_id, plays in named]


def last_items(user_id: int, anilist_ids: Collection[int]) -> dict[int, RunItem]:
    """What the newest run that named each of these titles said of it; previews count too."""
    newest = (
        select(RunItem.anilist_id, func.max(RunItem.run_id).label("run_id"))
        .where(RunItem.user_id == user_id, RunItem.anilist_id.in_(sorted(anilist_ids)))
        .group_by(RunItem.anilist_id)
        .subquery()
    )
    query = select(RunItem).join(
        newest, (RunItem.run_id == newest.c.run_id) & (RunItem.anilist_id == newest.c.anilist_id)
    )
    return {item.anilist_id: item for item in db.session.scalars(query)}
