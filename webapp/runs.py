"""Everything that a person, the API, `/cron` or the tick may do to a run: start, join, send, approve, cancel, undo.

Each function is one short transaction and, after it, one job on a queue. `jobs.runstate` moves runs while a worker
has them; the two meet only in conditional UPDATEs, so that neither overwrites the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select, update

from webapp import enqueue
from webapp.database import transaction
from webapp.extensions import db
from webapp.models import OPEN, Entry, ExtraRow, HistoryFinding, PlayRow, Run, User, utcnow

POSTING: Final = ("full", "completed", "watching", "title")  # may send plays, have a preview, can be undone
STARTABLE: Final = (*POSTING, "single", "undo", "move", "doctor")
BY_HAND: Final = ("page", "api")
OF_ONE_TITLE: Final = ("title", "single", "move")
DATING: Final = timedelta(minutes=1)
TAKEN_AWAY: Final = ("removing", "removed", "moved", "restoring")  # what the undo of a repair puts back
_HELD: Final = ("gone", "removed", "rejected")


@dataclass(frozen=True, slots=True)
class Started:
    """The run that answers a command; `joined` when it was open already."""

    run: Run
    joined: bool


class RunError(Exception):
    """A command that this run cannot take; `code` for the API, `status` is its HTTP status, the text is for people."""

    def __init__(self, code: str, message: str, *, status: int = 409) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@contextmanager
def own_transaction() -> Iterator[Any]:
    """A writing transaction of our own. What a view has read before ends first: no two are nested."""
    if db.session().in_transaction():
        db.session.commit()
    with transaction() as session:
        yield session


def start(
    user_id: int,
    mode: str,
    trigger: str,
    *,
    preview: bool = False,
    anilist_id: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Started:
    """Start a run, or join the open one of the same person, mode, title and kind. Two calls at once start one.

    `trigger` is page, api, cron or schedule. `options` as in `models.Run.options`; a run that still waits in the
    queue takes over `approved` and `force` of a command that joins it. Raises ValueError for an unknown mode.
    """
    if mode not in STARTABLE or (mode in OF_ONE_TITLE) != (anilist_id is not None and mode != "undo"):
        raise ValueError(f"no run of mode {mode!r} can be started this way")
    with own_transaction() as session:
        lock_user(session, user_id)
        started = create(
            session, user_id, mode, trigger, preview=preview, anilist_id=anilist_id, options=dict(options or {})
        )
    if started.run.status == "queued":
        enqueue.run(started.run)
    return started


def lock_user(session: Any, user_id: int) -> User:
    """Serialise what is decided from a person's runs: SQLite holds its write lock, PostgreSQL locks the row."""
    user: User | None = session.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None:
        raise RunError("not_found", "There is no such account.", status=404)
    return user


def create(
    session: Any,
    user_id: int,
    mode: str,
    trigger: str,
    *,
    preview: bool = False,
    anilist_id: int | None = None,
    parent_id: int | None = None,
    options: dict[str, Any],
) -> Started:
    """The database part of `start`, inside the caller's transaction, after `lock_user`; the caller enqueues."""
    same = select(Run).where(
        Run.user_id == user_id,
        Run.mode == mode,
        Run.preview == preview,
        Run.status.in_(OPEN),
        Run.anilist_id.is_(None) if anilist_id is None else Run.anilist_id == anilist_id,
        Run.parent_id.is_(None) if parent_id is None else Run.parent_id == parent_id,
        Run.cancel_requested.is_(False),
    )
    run: Run | None = session.scalar(same.order_by(Run.id.desc()).limit(1))
    if run is not None:
        wishes = {key: True for key in ("approved", "force") if options.get(key)}
        if wishes and run.status == "queued":
            run.options = {**run.options, **wishes}
        return Started(run, joined=True)
    run = Run(
        user_id=user_id,
        mode=mode,
        trigger=trigger,
        preview=preview,
        anilist_id=anilist_id,
        parent_id=parent_id,
        options=options,
        status="queued",
        created_at=utcnow(),
    )
    session.add(run)
    if trigger in BY_HAND and mode in POSTING and not preview:
        consent(session, user_id)
    session.flush()
    return Started(run, joined=False)


def consent(session: Any, user_id: int) -> None:
    """A run by hand, or an approval: from now on automated runs need no first approval."""
    session.execute(
        update(User).where(User.id == user_id, User.hand_consent_at.is_(None)).values(hand_consent_at=utcnow())
    )


def send_preview(
    run_id: int,
    user_id: int,
    entries: Iterable[int] | None,
    date_rule: str | None = None,
    extras: Iterable[str] | None = None,
) -> Started:
    """Send what a preview shows, or only its ticked `entries` (AniList ids) and `extras` (`jobs.extras.Extra.code`).

    Raises RunError: `not_found`, `not_a_preview`, `not_ready`, `plan_expired`, `dating`.
    """
    with own_transaction() as session:
        lock_user(session, user_id)
        preview = _ready_preview(session, run_id, user_id)
        if is_dating(preview):
            raise RunError("dating", "The dates of this plan are being worked out.")
        options: dict[str, Any] = {"entries": None if entries is None else sorted(set(entries))}
        if extras is not None:
            options["extras"] = sorted(set(extras))
        if date_rule:
            options["date_rule"] = date_rule
        started = create(
            session,
            user_id,
            preview.mode,
            "page",
            anilist_id=preview.anilist_id,
            parent_id=preview.id,
            options=options,
        )
    if started.run.status == "queued":
        enqueue.run(started.run)
    return started


def change_dates(run_id: int, user_id: int, rule: str, day: str | None = None) -> Run:
    """Ask for other dates of a preview's stored plan: by `rule`, for all its titles or those completed on `day` (ISO).

    The plays stay the same. `jobs.planning.redate` works the dates out; until then `options["dating"]` stands with the run.
    Raises RunError: `not_found`, `not_a_preview`, `not_ready`, `plan_expired`, `no_answer` when nobody would work them out.
    """
    with own_transaction() as session:
        lock_user(session, user_id)
        run = _ready_preview(session, run_id, user_id)
        before = dict(run.options)
        number = int(before.get("wishes") or 0) + 1
        wish = {"number": number, "rule": rule, "day": day, "at": utcnow().isoformat()}
        run.options = {**before, "wishes": number, "dating": wish}
    if not enqueue.dates(run.id, number):
        with own_transaction() as session:
            run = _own(session, run_id, user_id)
            run.options = {name: value for name, value in run.options.items() if name != "dating"}
        raise RunError("no_answer", "The queue does not answer.", status=503)
    return run


def is_dating(run: Run) -> bool:
    """Whether other dates are being worked out; a wish that nobody has met for a minute is no longer waited for."""
    wish: dict[str, Any] = (run.options or {}).get("dating") or {}
    return bool(wish) and utcnow() - datetime.fromisoformat(wish["at"]) < DATING


def approve(
    run_id: int, user_id: int, entries: Iterable[int] | None = None, extras: Iterable[str] | None = None
) -> Started:
    """Let a run that waits in `needs_approval` go on, whole or with the ticked `entries` and `extras` only.

    The same run goes back to `queued`; its stored plan is the first plan. A run that was approved a moment ago is joined. Raises RunError: `not_found`, `not_waiting`,
    `plan_expired`, `replaced`.
    """
    with own_transaction() as session:
        lock_user(session, user_id)
        run = _own(session, run_id, user_id)
        if run.status in OPEN and run.options.get("approved"):
            return Started(run, joined=True)
        if run.status != "needs_approval":
            raise RunError("not_waiting", "This run does not wait for approval.")
        _check_plan(run)
        if newer := newer_plan(session, run):
            raise RunError("replaced", f"Run {newer} has a newer plan.")
        options = {**run.options, "approved": True, "approved_reason": run.reason}
        if entries is not None:
            options["entries"] = sorted(set(entries))
        if extras is not None:
            options["extras"] = sorted(set(extras))
        changed = session.execute(
            update(Run)
            .where(Run.id == run.id, Run.status == "needs_approval")
            .values(
                status="queued",
                reason=None,
                detail=None,
                detail_said=None,
                options=options,
                approved_at=utcnow(),
                resume_at=None,
                finished_at=None,
            )
        ).rowcount
        if not changed:
            raise RunError("not_waiting", "This run does not wait for approval.")
        if options["approved_reason"] != "account_changed":  # another account's plays are asked about then
            consent(session, user_id)
        session.refresh(run)
    enqueue.run(run)
    return Started(run, joined=False)


def newer_plan(session: Any, run: Run) -> int | None:
    """The id of a later run of the same mode that has a plan of its own, which replaces one that awaits approval."""
    found: int | None = session.scalar(
        select(Run.id)
        .where(
            Run.user_id == run.user_id,
            Run.mode == run.mode,
            Run.preview.is_(False),
            Run.id > run.id,
            Run.anilist_id.is_(None) if run.anilist_id is None else Run.anilist_id == run.anilist_id,
            or_(Run.status.in_(("needs_approval", "succeeded", "partial")), Run.approved_at.is_not(None)),
        )
        .order_by(Run.id.desc())
        .limit(1)
    )
    return found


def cancel(run_id: int, user_id: int) -> Run:
    """End a run that has not begun at once; ask one that runs to stop after its open request.

    Raises RunError: `not_found`, `already_ended`.
    """
    with own_transaction() as session:
        run = _own(session, run_id, user_id)
        ended = session.execute(
            update(Run)
            .where(Run.id == run.id, Run.status.in_(("queued", "waiting", "needs_approval")))
            .values(
                status="cancelled",
                reason="cancelled",
                lock_key=None,
                resume_at=None,
                cancel_requested=True,
                finished_at=utcnow(),
            )
        ).rowcount
        if not ended:
            asked = session.execute(
                update(Run).where(Run.id == run.id, Run.status == "running").values(cancel_requested=True)
            ).rowcount
            if not asked:
                raise RunError("already_ended", "This run has ended.")
        session.refresh(run)
    return run


def undo(run_id: int, user_id: int) -> Started:
    """Take the plays that a run sent off Trakt again, in a run of its own.

    Raises RunError: `not_found`, `still_open`, `nothing_to_undo`.
    """
    with own_transaction() as session:
        lock_user(session, user_id)
        run = _own(session, run_id, user_id)
        if run.status in OPEN:
            raise RunError("still_open", "This run has not ended yet; cancel it first.")
        sent = session.scalar(
            select(func.count())
            .select_from(PlayRow)
            .where(PlayRow.run_id == run.id, PlayRow.user_id == user_id, PlayRow.state.in_(("sent", "removing")))
        )
        taken_away = session.scalar(
            select(func.count())
            .select_from(HistoryFinding)
            .where(HistoryFinding.repair_id == run.id, HistoryFinding.state.in_(TAKEN_AWAY))
        )
        beyond = session.scalar(
            select(func.count())
            .select_from(ExtraRow)
            .where(ExtraRow.run_id == run.id, ExtraRow.user_id == user_id, ExtraRow.state.in_(("sent", "removing")))
        )
        if not sent and not taken_away and not beyond:
            raise RunError("nothing_to_undo", "Nothing that this run sent is left on Trakt.")
        started = create(session, user_id, "undo", "page", parent_id=run.id, options={})
    if started.run.status == "queued":
        enqueue.run(started.run)
    return started


def repair(user_id: int, findings: Iterable[int]) -> Started:
    """Put right what the history doctor found and the person chose (ids of `history_findings`), in a run of its own.

    Raises RunError: `nothing_chosen` when none of them is still to be decided.
    """
    wanted = sorted(set(findings))
    with own_transaction() as session:
        lock_user(session, user_id)
        rows = [
            row
            for part in (wanted[i : i + 500] for i in range(0, len(wanted), 500))
            for row in session.execute(
                select(HistoryFinding.id, HistoryFinding.anilist_id, HistoryFinding.to_season).where(
                    HistoryFinding.id.in_(part), HistoryFinding.user_id == user_id, HistoryFinding.state == "found"
                )
            )
        ]
        if not rows:
            raise RunError("nothing_chosen", "Nothing was chosen, or it has been put right already.")
        moved = sorted({row.anilist_id for row in rows if row.to_season is not None})
        run = Run(
            user_id=user_id,
            mode="repair",
            trigger="page",
            options={"entries": moved},
            status="queued",
            created_at=utcnow(),
        )
        session.add(run)
        session.flush()
        for part in (rows[i : i + 500] for i in range(0, len(rows), 500)):
            session.execute(
                update(HistoryFinding)
                .where(HistoryFinding.id.in_([row.id for row in part]), HistoryFinding.state == "found")
                .values(state="chosen", repair_id=run.id, updated_at=utcnow()),
                execution_options={"synchronize_session": False},
            )
    enqueue.run(run)
    return Started(run, joined=False)


def move(user_id: int, anilist_id: int, *, trigger: str = "page") -> Started:
    """Move the plays of an entry whose place has changed: post at the right place, confirm, then remove."""
    return start(user_id, "move", trigger, anilist_id=anilist_id)


def send_again(
    user_id: int,
    *,
    play_id: int | None = None,
    anilist_id: int | None = None,
    run_id: int | None = None,
    trigger: str = "page",
) -> Started:
    """Clear the hold of removed, vanished or rejected plays (one, a title's or a run's) and start a run that sends them.

    One title is a run of mode `title`, several are `full`. Raises RunError `nothing_held` when there is none.
    """
    wanted = {PlayRow.id: play_id, PlayRow.anilist_id: anilist_id, PlayRow.run_id: run_id}
    chosen = [column == value for column, value in wanted.items() if value is not None]
    if len(chosen) != 1:
        raise ValueError("name one of play_id, anilist_id and run_id")
    with own_transaction() as session:
        lock_user(session, user_id)
        held = (PlayRow.user_id == user_id, PlayRow.state.in_(_HELD), PlayRow.held.is_(True), *chosen)
        titles = sorted(set(session.scalars(select(PlayRow.anilist_id).where(*held))))
        beyond = _free_extras(session, user_id, anilist_id=anilist_id, run_id=run_id) if play_id is None else 0
        if not titles and not beyond:
            raise RunError("nothing_held", "No play is held back here.")
        session.execute(
            update(PlayRow).where(*held).values(held=False), execution_options={"synchronize_session": False}
        )
        for part in (titles[i : i + 500] for i in range(0, len(titles), 500)):
            session.execute(
                update(Entry).where(Entry.user_id == user_id, Entry.anilist_id.in_(part)).values(changed_at=utcnow()),
                execution_options={"synchronize_session": False},
            )
        one = titles[0] if len(titles) == 1 and not beyond else None
        started = create(session, user_id, "title" if one else "full", trigger, anilist_id=one, options={})
    if started.run.status == "queued":
        enqueue.run(started.run)
    return started


def _free_extras(session: Any, user_id: int, *, anilist_id: int | None, run_id: int | None) -> int:
    """Ratings, watchlist items and dropped shows that are held back no more."""
    chosen = ExtraRow.anilist_id == anilist_id if anilist_id is not None else ExtraRow.run_id == run_id
    held = (ExtraRow.user_id == user_id, ExtraRow.state.in_(_HELD), ExtraRow.held.is_(True), chosen)
    changed = session.execute(
        update(ExtraRow).where(*held).values(held=False), execution_options={"synchronize_session": False}
    )
    return int(changed.rowcount)


def _own(session: Any, run_id: int, user_id: int) -> Run:
    run: Run | None = session.scalar(
        select(Run).where(Run.id == run_id, Run.user_id == user_id).execution_options(populate_existing=True)
    )
    if run is None:
        raise RunError("not_found", "There is no such run.", status=404)
    return run


def _ready_preview(session: Any, run_id: int, user_id: int) -> Run:
    """A preview whose plan can be sent, or be given other dates, now."""
    preview = _own(session, run_id, user_id)
    if not preview.preview:
        raise RunError("not_a_preview", "Only a preview can be sent or changed.")
    if preview.status != "succeeded":
        raise RunError("not_ready", "This preview has no plan that could be sent or changed.")
    _check_plan(preview)
    return preview


def _check_plan(run: Run, now: datetime | None = None) -> None:
    if run.plan_expires_at is not None and run.plan_expires_at <= (now or utcnow()):
        raise RunError("plan_expired", "This plan is older than 24 hours; make a new one.")
