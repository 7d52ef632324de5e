"""Beyond plays: what a full run would send as ratings, onto the watchlist and among the dropped shows.

Nothing is asked while all three are off, and nothing while everything that the list asks for has been sent or was
there at the last reading. `jobs.extras` decides, `jobs.extras_sending` sends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from jobs import extras_ledger, extras_lists, plans
from jobs import placing_store as store
from jobs.accounts import TraktSettings
from jobs.dates import zone_of
from jobs.errors import Stops, Waits
from jobs.extras import (
    GOES_ON,
    KINDS,
    RATED,
    Decided,
    Extra,
    ExtraKind,
    ExtraRules,
    Target,
    Title,
    decide,
    shows_in_question,
    wanted,
)
from jobs.extras_lists import Reading
from jobs.filters import from_json
from jobs.library_rows import list_entry
from jobs.lookups import in_parallel
from jobs.placing import place_entries, stored_placement
from jobs.records import Picture, Placement, Shape
from jobs.runstate import RunContext, config
from jobs.tools import Tools
from webapp.database import transaction
from webapp.models import Entry, User, utcnow

FRESH = timedelta(hours=1)  # how long what we did ourselves outweighs what a reading shows
SHAPE_AGE = timedelta(days=7)  # of a show's seasons, before they decide what is rated
NAMES: Mapping[ExtraKind, str] = {"rating": "ratings", "watchlist": "watchlist", "dropped": "dropped"}  # in `result`


@dataclass(frozen=True, slots=True)
class Beyond:
    """What may go out, and the numbers that a run says of what does not."""

    new: tuple[Extra, ...] = ()
    kinds: tuple[ExtraKind, ...] = ()  # that are switched on
    decided: Decided = field(default_factory=Decided)
    waiting: tuple[Extra, ...] = ()  # for room on the watchlist
    left_out: int = 0  # unticked, or not in the plan that was agreed to
    trouble: Stops | Waits | None = None  # why nothing of it could be planned; plays go out all the same


NOTHING = Beyond()


def rules_of(ctx: RunContext) -> ExtraRules:
    """What the person switched on, and what they leave out."""
    with transaction(readonly=True) as session:
        user = session.get_one(User, ctx.user_id, populate_existing=True)
    on = {"rating": user.send_ratings, "watchlist": user.send_watchlist, "dropped": user.send_dropped}
    return ExtraRules(
        kinds=tuple(kind for kind in KINDS if on[kind]),
        statuses=tuple(user.statuses),
        send_private=user.send_private,
        filters=from_json(user.filters),
        zone=zone_of(user.timezone or config().TZ),
        now=utcnow(),
    )


def plan(ctx: RunContext, tools: Tools, picture: Picture, settings: TraktSettings | None) -> Beyond:
    """What this run would send now. Reads Trakt's lists only when something may be new. Full runs only.

    Raises `IncompleteRead` and the errors of the clients.
    """
    rules = rules_of(ctx)
    if ctx.mode != "full" or not rules.kinds:
        return NOTHING
    titles = titles_of(ctx, tools, rules)
    account_id = settings.account_id if settings else ""
    shapes = _shapes(tools, shows_in_question(titles, picture, rules), only_missing=True)
    asked = wanted(titles, shapes, picture, rules)
    ledger = extras_ledger.known(account_id)
    readings = extras_lists.load(account_id)
    in_question = {extra.kind for extra in asked if (row := ledger.get(extra.key)) is None or row.is_open}
    if in_question and tools.trakt is not None:
        kinds = sorted(in_question, key=KINDS.index)
        read, fresh = extras_lists.current(ctx.user_id, account_id, tools.trakt.extras, kinds)
        readings |= read
        if not ctx.preview:
            note_gone(ctx, account_id, {kind: read[kind] for kind in fresh})
            ledger = extras_ledger.known(account_id)
    decided = decide(asked, ledger, _there(readings))
    decisive = {extra.target.trakt_id for extra in decided.new if extra.target.kind != "movie"} & shapes.keys()
    if decisive:  # what has been stored for long may have got more episodes
        shapes |= _shapes(tools, decisive)
        decided = decide(wanted(titles, shapes, picture, rules), ledger, _there(readings))
    now = utcnow()
    full = {kind for kind in rules.kinds if extras_lists.is_full(readings.get(kind), now)}
    new = tuple(extra for extra in decided.new if extra.kind not in full)
    waiting = tuple(extra for extra in decided.new if extra.kind in full)
    return Beyond(new, tuple(rules.kinds), decided, waiting)


def _there(readings: Mapping[ExtraKind, Reading]) -> dict[ExtraKind, Mapping[Target, int]]:
    return {kind: reading.there for kind, reading in readings.items()}


def note_gone(ctx: RunContext, account_id: str, readings: Mapping[ExtraKind, Reading]) -> None:
    """What we sent and a complete reading no longer shows was taken away, or changed, by the person."""
    for kind, reading in readings.items():
        gone = [
            row.row_id
            for row in extras_ledger.standing(account_id, kind)
            if row.sent_at is not None
            and row.sent_at < reading.began_at - FRESH
            and reading.there.get(row.extra.target) != row.extra.value
        ]
        extras_ledger.record_gone(ctx, gone, utcnow())


# The list


def titles_of(ctx: RunContext, tools: Tools, rules: ExtraRules) -> list[Title]:
    """The whole list; what decides something here and was not placed yet is placed first."""
    rows = _entries(ctx.user_id)
    dropped = "dropped" in rules.kinds and any(row.status == "DROPPED" for row in rows)
    stale = [row.anilist_id for row in rows if _matters(row, rules, any_dropped=dropped) and _is_stale(row, rules.now)]
    if stale:
        ctx.progress.phase("placing", len(stale))
        place_entries(ctx.user_id, stale, tools.placing, on_progress=ctx.progress.step)
        rows = _entries(ctx.user_id)
    return [_title(row) for row in rows]


def _entries(user_id: int) -> Sequence[Entry]:
    with transaction(readonly=True) as session:
        mine = select(Entry).where(Entry.user_id == user_id, Entry.gone_at.is_(None)).order_by(Entry.anilist_id)
        return list(session.scalars(mine.execution_options(populate_existing=True)).unique())


def _title(row: Entry) -> Title:
    decides = row.status == "PLANNING" or (row.status in RATED and row.score > 0)
    placement = stored_placement(row) if decides else None
    return Title(
        entry=list_entry(row),
        kind="movie" if row.kind == "movie" else "show" if row.kind == "show" else None,
        trakt_id=row.trakt_id,
        placement=placement if isinstance(placement, Placement) else None,
        choice=row.choice,
    )


def _matters(row: Entry, rules: ExtraRules, *, any_dropped: bool) -> bool:
    """Whether something depends on where this title stands."""
    if "rating" in rules.kinds and row.score > 0 and row.status in RATED and row.status in rules.statuses:
        return True
    if "watchlist" in rules.kinds and row.status == "PLANNING":
        return True
    return any_dropped and row.status in (*GOES_ON, "DROPPED", "COMPLETED")  # these may keep a show from being dropped


def _is_stale(row: Entry, now: datetime) -> bool:
    """Not looked at yet, changed since, or without a show and due to be looked for again."""
    if row.placed_at is None:
        return True
    if row.changed_at is not None and row.changed_at >= row.placed_at:
        return True
    return row.trakt_id is None and row.due_at is not None and row.due_at <= now


# Seasons


def _shapes(tools: Tools, trakt_ids: Collection[int], *, only_missing: bool = False) -> dict[int, Shape]:
    """The seasons of these shows; read from Trakt where they are not at hand, or (unless `only_missing`) too old."""
    at = utcnow()
    known = store.shows(trakt_ids, at)
    oldest = at - SHAPE_AGE
    asked = {
        trakt_id: known[trakt_id].etag if trakt_id in known else None
        for trakt_id in sorted(trakt_ids)
        if trakt_id not in known or (not only_missing and known[trakt_id].fetched_at < oldest)
    }
    shapes = {trakt_id: row.shape for trakt_id, row in known.items()}
    read: list[tuple[int, Shape | None, str | None]] = []
    unchanged: list[int] = []
    try:
        for (trakt_id, _), reply in in_parallel(asked.items(), lambda one: tools.placing.public.seasons(*one)):
            if reply.not_modified:
                unchanged.append(trakt_id)
                continue
            shapes[trakt_id] = None if reply.missing else reply.shape
            read.append((trakt_id, shapes[trakt_id], reply.etag))
    finally:
        store.save_shows(read, unchanged, at)
    return {trakt_id: shape for trakt_id, shape in shapes.items() if shape is not None}


# What was agreed to


def only_what_was_agreed(ctx: RunContext, made: Beyond) -> Beyond:
    """After a preview or an approval: what stands in both plans and is ticked. A run that nobody was asked about: all."""
    first_id = plans.first_run_id(ctx)
    ticks, entries = ctx.options.get("extras"), ctx.options.get("entries")
    agreed = list(made.new)
    if first_id is not None:
        seen = {(extra.key, extra.value) for extra in extras_ledger.load_plan(first_id)}
        agreed = [extra for extra in agreed if (extra.key, extra.value) in seen]
    if ticks is not None:
        agreed = [extra for extra in agreed if extra.code in set(ticks)]
    elif entries is not None:
        agreed = [extra for extra in agreed if extra.anilist_id in set(entries)]
    return replace(made, new=tuple(agreed), left_out=len(made.new) - len(agreed))


def result_of(ctx: RunContext, made: Beyond) -> dict[str, dict[str, int]]:
    """The numbers of a run by kind, for `result["extras"]`: `planned` is all that this run sends, sent or would send."""
    done = extras_ledger.counts(ctx.run_id)
    result = {}
    for kind in made.kinds:
        sent, refused = done.get((kind, "sent"), 0), done.get((kind, "rejected"), 0)
        result[NAMES[kind]] = {
            "planned": _number(made.new, kind) + sent + refused,
            "sent": sent,
            "refused": refused,
            "already": _number(made.decided.already, kind) - sent,  # without what an earlier attempt has sent
            "different": _number(made.decided.different, kind),
            "held": _number(made.decided.held, kind) - refused,
            "waiting": _number(made.waiting, kind),
        }
    return result


def note_sent(ctx: RunContext, made: Beyond, *, full: bool) -> None:
    """Bring the numbers of the run up to what has been sent by now."""
    done = extras_ledger.counts(ctx.run_id)
    for kind in made.kinds:
        part = ctx.result["extras"][NAMES[kind]]
        part["sent"], part["refused"] = done.get((kind, "sent"), 0), done.get((kind, "rejected"), 0)
        if full and kind == "watchlist":
            part["waiting"] += max(part["planned"] - part["sent"] - part["refused"], 0)


def _number(extras: Iterable[Extra], kind: ExtraKind) -> int:
    return sum(extra.kind == kind for extra in extras)


def store_plan(ctx: RunContext, made: Beyond) -> None:
    """Keep the plan with its run, unless it is the one that was agreed to, or the run goes on."""
    if made.trouble is not None and ctx.parent_id is not None and ctx.attempt == 1:
        extras_ledger.store_plan(ctx, extras_ledger.load_plan(ctx.parent_id))  # for the attempt after the wait
    elif made.kinds and not plans.is_first(ctx) and (ctx.preview or ctx.attempt == 1):
        extras_ledger.store_plan(ctx, made.new)
