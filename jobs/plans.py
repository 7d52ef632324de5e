"""Stored plans: a plan is data, kept with its run for 24 hours (DESIGN 6.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select, update

from jobs import ledger
from jobs.errors import BadData, TsuzukiError
from jobs.records import Play
from jobs.runstate import PLAN_LIVES, RunContext
from jobs.said import said
from jobs.storing import upsert_rows
from webapp.database import transaction
from webapp.models import PlanItem, Run, utcnow

PART = 500


class PlanExpired(TsuzukiError):
    """The stored plan is older than 24 hours, or gone: make a new one."""

    reason = "approval_expired"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is left of a new plan when only what stands in the first one too may go out."""

    plays: tuple[Play, ...]  # in both, with the dates of the first
    fell_out: tuple[Play, ...]  # in the first, not wanted any more
    came_new: tuple[Play, ...]  # wanted now, never shown to the person
    unticked: tuple[Play, ...]  # of entries that the person left out


def store(ctx: RunContext, plays: Sequence[Play]) -> None:
    """Keep the plays of a run. What stands there from an earlier attempt keeps its date."""
    rows = [_row(ctx, play) for play in plays]
    keys = {play.source_key for play in plays}
    with transaction() as session:
        old = select(PlanItem).where(PlanItem.run_id == ctx.run_id)
        gone = [row.id for row in session.scalars(old) if (row.anilist_id, row.episode, row.nth) not in keys]
    if ctx.preview or ctx.attempt == 1:  # a run that goes on keeps what it has sent already
        for start in range(0, len(gone), PART):
            with transaction() as session:
                session.execute(delete(PlanItem).where(PlanItem.id.in_(gone[start : start + PART])))
    for start in range(0, len(rows), PART):
        with transaction() as session:
            upsert_rows(session, PlanItem, rows[start : start + PART], key=("run_id", "anilist_id", "episode", "nth"))
    done = ledger.counts(ctx.run_id)  # of earlier attempts: what went out is not planned again, but was wanted
    ctx.update(plays_planned=len(plays) + done.sent + done.rejected, plan_expires_at=utcnow() + PLAN_LIVES)


def _row(ctx: RunContext, play: Play) -> dict[str, Any]:
    return {
        "run_id": ctx.run_id,
        "user_id": ctx.user_id,
        "anilist_id": play.anilist_id,
        "episode": play.episode,
        "nth": play.nth,
        "kind": play.kind,
        "trakt_id": play.trakt_id,
        "season": play.season,
        "number": play.number,
        "target_nth": play.target_nth,
        "before": play.before,
        "watched_at": play.watched_at,
        "date_source": play.date_source,
    }


def load(run_id: int) -> list[Play]:
    """The stored plays of a run, in the order in which they were planned."""
    with transaction(readonly=True) as session:
        rows = session.scalars(select(PlanItem).where(PlanItem.run_id == run_id).order_by(PlanItem.id)).all()
    return [_play(row) for row in rows]


def _play(row: PlanItem) -> Play:
    return Play(
        anilist_id=row.anilist_id,
        episode=row.episode,
        nth=row.nth,
        kind="movie" if row.kind == "movie" else "episode",
        trakt_id=row.trakt_id,
        season=row.season,
        number=row.number,
        target_nth=row.target_nth,
        before=row.before,
        watched_at=row.watched_at,
        date_source=row.date_source,
    )


def is_first(ctx: RunContext) -> bool:
    """Whether the plan that is stored with this run is the one that was approved: it stays as it is then."""
    if ctx.parent_id is not None or not ctx.approved or ctx.approved_at is None:
        return False
    with transaction(readonly=True) as session:
        return session.get_one(Run, ctx.run_id, populate_existing=True).plan_expires_at is not None


def first_plan(ctx: RunContext) -> list[Play] | None:
    """The plan that the person has seen and said yes to: of the preview that is sent, or of this run before approval.

    None for a run that nobody has been asked about. Raises `PlanExpired`.
    """
    run_id = first_run_id(ctx)
    return None if run_id is None else load(run_id)


def first_run_id(ctx: RunContext) -> int | None:
    """The run with which that plan is stored. Raises `PlanExpired`."""
    if ctx.parent_id is None and not is_first(ctx):
        return None
    with transaction(readonly=True) as session:
        own = session.get_one(Run, ctx.run_id, populate_existing=True)
        parent = session.get_one(Run, ctx.parent_id, populate_existing=True) if ctx.parent_id is not None else None
    if parent is None or own.plan_expires_at is not None:
        return ctx.run_id  # a run that goes on has kept what it took from the preview
    if parent.plan_expires_at is None or parent.plan_expires_at < ctx.created_at:
        raise PlanExpired(said("This plan is older than 24 hours; make a new one."))
    return parent.id


def own_dates(ctx: RunContext, plays: Sequence[Play]) -> tuple[Play, ...]:
    """The plan of a run that goes on after a wait or a crash: a date that was decided is never computed again."""
    if ctx.attempt == 1:
        return tuple(plays)
    first = {(play.source_key, play.target_key): play for play in load(ctx.run_id)}
    return tuple(dated(play, first.get((play.source_key, play.target_key))) for play in plays)


def dated(play: Play, first: Play | None) -> Play:
    return play if first is None else replace(play, watched_at=first.watched_at, date_source=first.date_source)


def choose(first: Iterable[Play], new: Sequence[Play], ticked: Collection[int] | None) -> Chosen:
    """Only what stands in both plans at the same place goes out, with the dates of the first (DESIGN 6.2)."""
    seen: Mapping[Any, Play] = {(play.source_key, play.target_key): play for play in first}
    wanted = {(play.source_key, play.target_key): play for play in new}
    both = [dated(play, seen[key]) for key, play in wanted.items() if key in seen]
    return Chosen(
        plays=tuple(play for play in both if ticked is None or play.anilist_id in ticked),
        fell_out=tuple(play for key, play in seen.items() if key not in wanted),
        came_new=tuple(play for key, play in wanted.items() if key not in seen),
        unticked=tuple(play for play in both if ticked is not None and play.anilist_id not in ticked),
    )


def set_dates(run_id: int, plays: Sequence[Play], wish: Mapping[str, Any]) -> bool:
    """Replace the dates of a stored plan and note the rule with the run; False when another wish has come meanwhile.

    The plays stay the same. Raises `BadData` when they do not.
    """
    with transaction() as session:
        run = _locked(session, run_id)
        if run.options.get("dating") != wish:
            return False
        rows = {
            (row.anilist_id, row.episode, row.nth): row.id
            for row in session.scalars(select(PlanItem).where(PlanItem.run_id == run_id))
        }
        if set(rows) != {play.source_key for play in plays}:
            raise BadData(said("the plan changed while its dates were being changed"))
        values = [
            {"id": rows[play.source_key], "watched_at": play.watched_at, "date_source": play.date_source}
            for play in plays
        ]
        if values:
            session.execute(update(PlanItem), values)
        rule = {} if wish.get("day") else {"date_rule": wish["rule"]}
        run.options = {**_without_wish(run.options), **rule}
    return True


def drop_wish(run_id: int, wish: Mapping[str, Any]) -> None:
    """The wish for other dates could not be met: the plan stays as it is."""
    with transaction() as session:
        run = _locked(session, run_id)
        if run.options.get("dating") == wish:
            run.options = _without_wish(run.options)


def _without_wish(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "dating"}


def _locked(session: Any, run_id: int) -> Run:
    query = select(Run).where(Run.id == run_id).with_for_update().execution_options(populate_existing=True)
    run: Run = session.scalars(query).one()
    return run
