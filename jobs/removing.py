"""Runs that take plays off Trakt: mode `undo` (what a run sent) and mode `move` (plays that stand at an old place).

The undo of a repair first puts back the copies of what the repair took away.
"""

from __future__ import annotations

from jobs import extras_sending, pictures, repair, runstate, selection
from jobs.accounts import trakt_account
from jobs.errors import TsuzukiError
from jobs.ledger_moves import subject_of
from jobs.planning import place
from jobs.runstate import RunContext
from jobs.said import Said, counted, joined, said
from jobs.tools import Tools, tools_for
from jobs.undo import RemovalResult, run_move, run_undo


def run_removal(ctx: RunContext) -> None:
    """Do it, say what came of it, and have the account read again afterwards.

    Raises what lets the run wait; what ended it early is raised after the result was noted.
    """
    tools = tools_for(ctx)
    settings = trakt_account(ctx, tools.writer)
    ctx.check()
    pictures.read_back_later(settings.account_id)
    if ctx.mode == "undo" and ctx.parent_id is not None:
        ctx.result["restored"] = repair.restore(ctx, tools.writer, ctx.parent_id)
    outcome = run_undo(ctx, tools.writer) if ctx.mode == "undo" else _move(ctx, tools, settings.account_id)
    pictures.read_back_later(settings.account_id)
    ctx.result |= {
        "removed": outcome.removed,
        "gone": outcome.gone,
        "moved": outcome.moved,
        "left": len(outcome.left),
    }
    if ctx.mode == "undo" and ctx.parent_id is not None and outcome.stop is None:
        ctx.result["removedExtras"] = extras_sending.undo(ctx, tools.writer, settings.account_id, ctx.parent_id)
    message = _sentence(outcome, ctx.result.get("restored", 0), ctx.result.get("removedExtras", 0))
    ctx.result["message"] = message
    if outcome.stop is not None:
        raise outcome.stop
    _finish(ctx, outcome, message)


def _move(ctx: RunContext, tools: Tools, account_id: str) -> RemovalResult:
    _, ids = subject_of(ctx.run_id)
    chosen = selection.entries_of(ctx.user_id, ids)
    placements = place(ctx, tools, chosen, anew=True)
    picture = pictures.current_picture(ctx, tools.writer, account_id)
    outcome = run_move(ctx, tools.writer, placements=placements, picture=picture)
    selection.look_again(ctx.user_id, ids)  # episodes that waited for the move
    return outcome


def _finish(ctx: RunContext, outcome: RemovalResult, message: Said) -> None:
    status, reason, detail = "succeeded", None, None
    if outcome.left:
        done = outcome.removed + outcome.gone + outcome.moved
        status, reason = ("partial" if done else "failed"), TsuzukiError.reason
        detail = counted(
            "%(num)s play could not be told apart from others and stays on Trakt.",
            "%(num)s plays could not be told apart from others and stay on Trakt.",
            len(outcome.left),
        )
    ctx.progress.log("info" if reason is None else "warning", detail or message)
    runstate.finish(ctx, status, reason, detail, ctx.result)


def _sentence(outcome: RemovalResult, restored: int, beyond: int) -> Said:
    done = (
        (outcome.removed, said("Plays removed: %(count)s.", count=outcome.removed)),
        (outcome.moved, said("Plays moved: %(count)s.", count=outcome.moved)),
        (restored, said("Plays put back: %(count)s.", count=restored)),
    )
    parts = [sentence for number, sentence in done if number]
    if beyond:
        parts.append(said("Ratings, watchlist items and dropped shows removed: %(count)s.", count=beyond))
    return joined(*parts) if parts else said("Nothing was left to remove.")
