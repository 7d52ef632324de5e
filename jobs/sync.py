"""The job of every run: AniList -> placement -> plan -> Trakt, one line per stage (DESIGN 2, 6, 7)."""

from __future__ import annotations

from jobs import (
    beyond,
    consent,
    endings,
    extras_sending,
    ledger,
    library,
    pictures,
    plans,
    refresh,
    results,
    runstate,
    selection,
)
from jobs.accounts import TraktSettings, known_trakt, note_answer, trakt_account
from jobs.beyond import Beyond
from jobs.errors import CachesEmpty, Stops, Waits
from jobs.planning import Agreed, date_rule_of, draft, only_what_was_agreed, place
from jobs.records import Picture
from jobs.removing import run_removal
from jobs.repair import run_doctor, run_repair
from jobs.report import report
from jobs.runstate import RunContext
from jobs.said import counted, said
from jobs.sending import send
from jobs.settle import settle
from jobs.single import run_single
from jobs.tools import Shapes, Tools, tools_for
from webapp.models import utcnow

MOST_VANISHED = 100  # titles that a run names; its plays are counted all


def run(run_id: int) -> None:
    """RQ job, queues `sync`, `refresh` and `light`: take the run, do what its mode says, leave it in a named state."""
    ctx = runstate.claim(run_id)
    if ctx is None:
        return  # another worker has it, or another run of the account goes first
    with ctx.alive(), endings.recorded(ctx):
        if ctx.mode == "single":
            run_single(ctx)
        elif ctx.mode in ("undo", "move"):
            run_removal(ctx)
        elif ctx.mode == "doctor":
            run_doctor(ctx)
        elif ctx.mode == "repair":
            run_repair(ctx)
        else:
            run_plays(ctx)


def run_plays(ctx: RunContext) -> None:
    """Modes full, completed, watching and title; a preview ends with its stored plan."""
    ctx.check()
    tools = tools_for(ctx)
    fill_empty_caches(ctx)
    settings = trakt_account(ctx, tools.trakt) if tools.trakt else known_trakt(ctx.user_id)
    read_list(ctx, tools)
    if not ctx.preview:
        settle(ctx, tools.writer)
    chosen = selection.select_entries(ctx)
    ctx.check()
    placements = place(ctx, tools, chosen, anew=ctx.mode == "title")
    ctx.check()
    picture = picture_of(ctx, tools, settings)
    vanished = compare(ctx, picture)
    agreed = only_what_was_agreed(ctx, draft(ctx, chosen, placements, picture, settings))
    more = plan_beyond(ctx, tools, picture, settings)
    store(ctx, agreed, more)
    if ctx.preview:
        end_preview(ctx, agreed, connected=tools.trakt is not None)
        return
    reason = vanished or consent.must_ask(ctx, len(agreed.draft.plan.plays) + len(more.new))
    if reason is not None:
        ask(ctx, reason, agreed)
        return
    ctx.check()
    send(ctx, tools, chosen, agreed, picture, more)


def fill_empty_caches(ctx: RunContext) -> None:
    """A cache that holds nothing is filled first. Raises `CachesEmpty` when that fails: nothing is placed by luck."""
    for name in refresh.empty_sources():
        ctx.progress.phase("filling_caches")
        state = refresh.refresh(name)
        if not state.rows_kept:
            raise CachesEmpty(
                said(
                    "The %(name)s cache is empty and could not be filled: %(error)s",
                    name=name,
                    error=state.error or "?",
                ),
                service=name,
            )


def read_list(ctx: RunContext, tools: Tools) -> None:
    """Bring the stored list up to date: one title, or what has changed, or all of it."""
    if ctx.mode == "title" and ctx.anilist_id is not None:
        library.read_one(ctx, tools.anilist, ctx.anilist_id)
    else:
        library.read(ctx, tools.anilist, activities_wanted=date_rule_of(ctx) == "activity")
    note_answer(ctx.user_id, "anilist")


def picture_of(ctx: RunContext, tools: Tools, settings: TraktSettings | None) -> Picture:
    """What Trakt has; in a preview of somebody who is not signed in, what it had when it was last read, if ever."""
    if settings is not None:
        if tools.trakt is not None:
            return pictures.current_picture(ctx, tools.trakt, settings.account_id)
        if stored := pictures.load(settings.account_id):
            return stored[0]
    return Picture(settings.account_id if settings else "", utcnow(), {}, {}, {})


def compare(ctx: RunContext, picture: Picture) -> str | None:
    """Hold the ledger against the picture; the reason to ask when too much vanished from Trakt at once."""
    if ctx.preview:
        return None
    note_answer(ctx.user_id, "trakt")
    approved = ctx.approved and ctx.options.get("approved_reason") == "plays_vanished"
    gone = ledger.reconcile(ctx.user_id, picture, utcnow(), approved=approved, ctx=ctx)
    if gone.plays:
        ctx.result["vanished"] = gone.plays
        largest = sorted(gone.by_entry.items(), key=lambda row: (-row[1], row[0]))[:MOST_VANISHED]
        ctx.result["vanishedTitles"] = [{"anilistId": anilist_id, "plays": plays} for anilist_id, plays in largest]
        ctx.progress.log(
            "warning",
            counted(
                "%(num)s play that was sent is no longer on Trakt.",
                "%(num)s plays that were sent are no longer on Trakt.",
                gone.plays,
            ),
        )
    return "plays_vanished" if gone.brake else None


def plan_beyond(ctx: RunContext, tools: Tools, picture: Picture, settings: TraktSettings | None) -> Beyond:
    """Ratings, watchlist and dropped shows that may go out with this run; lost answers of them are settled first.

    What goes wrong here holds no play back: it ends the run, or lets it wait, after the plays.
    """
    try:
        if ctx.mode == "full" and not ctx.preview and settings is not None:
            extras_sending.settle(ctx, tools.writer, settings.account_id)
        more = beyond.only_what_was_agreed(ctx, beyond.plan(ctx, tools, picture, settings))
    except (Stops, Waits) as error:
        ctx.progress.log("warning", said("Ratings, watchlist and dropped shows: %(why)s", why=error.detail))
        ctx.result["extrasTrouble"] = error.reason
        return Beyond(trouble=error)
    ctx.result.pop("extrasTrouble", None)
    if more.kinds:
        ctx.result["extras"] = beyond.result_of(ctx, more)
    return more


def store(ctx: RunContext, agreed: Agreed, more: Beyond) -> None:
    """Keep the plan with the run, unless it is the very plan that was approved."""
    plan = agreed.draft.plan
    ctx.progress.log(
        "info", said("Entries looked at: %(found)s; plays to send: %(count)s.", found=plan.found, count=len(plan.plays))
    )
    beyond.store_plan(ctx, more)
    if not plans.is_first(ctx):
        plans.store(ctx, plan.plays)


def end_preview(ctx: RunContext, agreed: Agreed, *, connected: bool) -> None:
    """A preview stops here: nothing was sent, and nothing is settled."""
    from_plan(ctx, agreed)
    ctx.result["traktConnected"] = connected
    if ctx.mode == "full" and not consent.is_given(ctx.user_id):  # nothing was ever sent: it looked at the whole list
        made = agreed.draft
        ctx.result["report"] = report(made.entries, made.placements, made.rules, Shapes())
    runstate.finish(ctx, "succeeded", None, None, ctx.result)


def ask(ctx: RunContext, reason: str, agreed: Agreed) -> None:
    """Wait for the person, with the plan to look at."""
    from_plan(ctx, agreed)
    if reason == "over_brake" and (usual := consent.usual_run(ctx.user_id)):
        ctx.result["usual"] = round(usual)
    ctx.progress.log("info", said("Waits for approval (%(name)s).", name=reason))
    runstate.needs_approval(ctx, reason, None, ctx.result)


def from_plan(ctx: RunContext, agreed: Agreed) -> None:
    """Items and result of a run that has sent nothing yet."""
    for item in agreed.draft.plan.items:
        ctx.progress.item(item)
    made = agreed.draft
    ctx.result |= results.of_plan(ctx.mode, made.plan, made.entries, made.placements, made.rules.statuses)
