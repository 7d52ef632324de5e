"""From a selection to a plan: place what must be placed, hold it against the picture, keep what was agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from jobs import ledger, library_rows, plans, selection
from jobs.accounts import TraktSettings
from jobs.dates import DATE_RULES
from jobs.filters import Filters, from_json
from jobs.placing import place_entries, stored_placement
from jobs.planner import AccountRules, DateHints, PlanInputs, plan
from jobs.records import ItemOutcome, ListEntry, Picture, Placement, Plan, Play, Reason, Refusal
from jobs.rewatches import Base
from jobs.runstate import RunContext, config
from jobs.selection import Selection
from jobs.tools import Shapes, Tools
from webapp.database import transaction
from webapp.models import Entry, Run, User, utcnow

ANY_STATUS = ("COMPLETED", "CURRENT", "REPEATING", "PAUSED", "DROPPED")


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with what it was made from."""

    plan: Plan
    entries: tuple[ListEntry, ...]
    placements: dict[int, Placement | Refusal]
    rules: AccountRules

    def with_plays(self, plays: Sequence[Play]) -> Draft:
        return replace(self, plan=replace(self.plan, plays=tuple(plays)))


def place(ctx: RunContext, tools: Tools, chosen: Selection, *, anew: bool = False) -> dict[int, Placement | Refusal]:
    """Where every chosen entry stands; only those are placed whose stored placement may be out of date."""
    ids = selection.to_place(chosen.entries.values(), chosen.at, anew=anew)
    ctx.progress.phase("placing", len(ids))
    fresh = place_entries(ctx.user_id, ids, tools.placing, on_progress=ctx.progress.step) if ids else {}
    found: dict[int, Placement | Refusal] = {}
    for anilist_id, entry in _reread(ctx, chosen, ids).items():
        placement = fresh.get(anilist_id) or stored_placement(entry)
        if placement is not None:
            found[anilist_id] = placement
    return found


def _reread(ctx: RunContext, chosen: Selection, placed: Sequence[int]) -> dict[int, Entry]:
    """The chosen entries with what placing has just written into their rows."""
    for start in range(0, len(placed), selection.PART):
        with transaction(readonly=True) as session:
            rows = session.scalars(
                select(Entry)
                .where(Entry.user_id == ctx.user_id, Entry.anilist_id.in_(placed[start : start + selection.PART]))
                .execution_options(populate_existing=True)
            ).unique()
            chosen.entries.update({row.anilist_id: row for row in rows})
    return chosen.entries


def draft(
    ctx: RunContext,
    chosen: Selection,
    placements: dict[int, Placement | Refusal],
    picture: Picture,
    settings: TraktSettings | None,
) -> Draft:
    """The plan of this run as of now. `settings` None: a preview without a Trakt account."""
    ctx.progress.phase("planning", len(chosen.entries))
    rules = rules_of(ctx, chosen, settings)
    entries = tuple(library_rows.list_entry(row) for row in chosen.entries.values())
    inputs = PlanInputs(
        mode=ctx.mode,
        entries=entries,
        placements=placements,
        picture=picture,
        ledger=ledger.rows_for(ctx.user_id, settings.account_id) if settings else (),
        account=rules,
        now=utcnow(),
        dates=DateHints(library_rows.activities_of(ctx.user_id, chosen.entries), Shapes()),
        force=bool(ctx.options.get("force")),
    )
    return Draft(plan(inputs), entries, placements, rules)


def date_rule_of(ctx: RunContext) -> str:
    """The rule of this run, chosen in its preview, before the account's."""
    with transaction(readonly=True) as session:
        rule: str = session.get_one(User, ctx.user_id, populate_existing=True).date_rule
    return str(ctx.options.get("date_rule") or rule)


def rules_of(ctx: RunContext, chosen: Selection, settings: TraktSettings | None) -> AccountRules:
    """What the person decided about the account, with the date rule of this run's preview before the account's."""
    with transaction(readonly=True) as session:
        user = session.get_one(User, ctx.user_id, populate_existing=True)
    return AccountRules(
        statuses=ANY_STATUS if ctx.mode == "title" else tuple(user.statuses),
        date_rule=date_rule_of(ctx),
        send_private=user.send_private,
        watch_only_once=settings.watch_only_once if settings else False,
        timezone=user.timezone or config().TZ,
        choices={i: row.choice for i, row in chosen.entries.items() if row.choice},
        rewatches=_bases(chosen) if user.rewatches else None,
        filters=Filters() if ctx.mode == "title" else from_json(user.filters),
    )


def _bases(chosen: Selection) -> dict[int, Base]:
    return {i: Base(row.rewatch_base or 0, row.rewatch_past) for i, row in chosen.entries.items()}


@dataclass(frozen=True, slots=True)
class Agreed:
    """The plan that may go out, and the entries that must be looked at again by the next run."""

    draft: Draft
    again: frozenset[int]


def only_what_was_agreed(ctx: RunContext, made: Draft) -> Agreed:
    """After a preview or an approval: what stands in both plans, with the dates of the first (DESIGN 6.2).

    What fell out, came new or was unticked is named in the run's items and counted in its result.
    """
    first = plans.first_plan(ctx)
    ticked = ctx.options.get("entries")
    if first is None:
        if ticked is None:
            return Agreed(made.with_plays(plans.own_dates(ctx, made.plan.plays)), frozenset())
        first = list(made.plan.plays)
    left = plans.choose(first, made.plan.plays, None if ticked is None else set(ticked))
    plays: Sequence[Play] = left.plays
    if ctx.options.get("date_rule"):
        new_dates = {play.source_key: play for play in made.plan.plays}
        plays = [plans.dated(play, new_dates.get(play.source_key)) for play in plays]
    if ctx.parent_id is not None:
        plays = plans.own_dates(ctx, plays)
    ctx.result |= {"fellOut": len(left.fell_out), "cameNew": len(left.came_new), "leftOut": len(left.unticked)}
    again = {play.anilist_id for play in (*left.came_new, *left.unticked)}
    numbers = Numbers(*(Counter(play.anilist_id for play in part) for part in (plays, left.unticked, left.came_new)))
    items = tuple(_adjusted(item, numbers) for item in made.plan.items)
    agreed = replace(made, plan=replace(made.plan, plays=tuple(plays), items=items))
    return Agreed(agreed, frozenset(again))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Plays by entry: what goes out, what was unticked, what nobody has seen yet."""

    plays: Counter[int]
    unticked: Counter[int]
    came_new: Counter[int]


def _adjusted(item: ItemOutcome, numbers: Numbers) -> ItemOutcome:
    """An item with the number of plays that may really go out, and what became of the others."""
    if not item.new:
        return item
    others = {"left_out": numbers.unticked[item.anilist_id], "came_new": numbers.came_new[item.anilist_id]}
    detail = {**item.detail, **{name: number for name, number in others.items() if number}}
    new = numbers.plays[item.anilist_id]
    if new or not any(others.values()):
        return replace(item, new=new, detail=detail)
    return replace(item, outcome="left_out", reason=Reason.LEFT_OUT, new=0, detail=detail)


def redate(run_id: int) -> None:
    """RQ job: give the stored plan of a preview the dates that its person asked for (`options["dating"]`); its plays stay the same.

    A wish that comes while this one is worked out replaces it. What fails leaves the dates as they were, and drops the wish.
    """
    while (wish := _wish(run_id)) is not None:
        try:
            done = plans.set_dates(run_id, _dated_anew(run_id, wish), wish)
        except Exception:
            plans.drop_wish(run_id, wish)
            raise
        if done:
            return


def _wish(run_id: int) -> dict[str, Any] | None:
    with transaction(readonly=True) as session:
        run = session.get(Run, run_id, populate_existing=True)
        return dict(run.options["dating"]) if run is not None and run.options.get("dating") else None


def _dated_anew(run_id: int, wish: Mapping[str, Any]) -> list[Play]:
    """The plays of a stored plan with the dates of `wish["rule"]`; with `wish["day"]` only of titles that were completed on it.

    Raises ValueError for an unknown rule.
    """
    rule, day = wish["rule"], wish.get("day")
    if rule not in DATE_RULES:
        raise ValueError(f"no date rule is called {rule!r}")
    plays = plans.load(run_id)
    with transaction(readonly=True) as session:
        run = session.get_one(Run, run_id, populate_existing=True)
        user = session.get_one(User, run.user_id)
    rows = selection.entries_of(run.user_id, {play.anilist_id for play in plays}).entries
    inputs = PlanInputs(
        mode=run.mode,
        entries=[library_rows.list_entry(row) for row in rows.values() if day is None or row.completed_at == day],
        placements={i: found for i, row in rows.items() if (found := stored_placement(row)) is not None},
        picture=Picture("", run.created_at, {}, {}, {}),
        ledger=(),
        account=AccountRules(
            statuses=ANY_STATUS, date_rule=rule, send_private=True, timezone=user.timezone or config().TZ
        ),
        now=utcnow(),
        dates=DateHints(library_rows.activities_of(run.user_id, rows), Shapes()),
    )
    dated = {play.source_key: play for play in plan(inputs).plays}
    return [plans.dated(play, dated.get(play.source_key)) for play in plays]
