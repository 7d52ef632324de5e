"""How a run ends, by the error that ended it (DESIGN 7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from jobs import extras_ledger, ledger, runstate
from jobs.accounts import AccountChanged, note_refusal
from jobs.errors import Cancelled, LostClaim, Stopping, TsuzukiError, Waits
from jobs.plans import PlanExpired
from jobs.runstate import RunContext
from jobs.said import Said, said
from webapp.models import utcnow

LOGGER = logging.getLogger("tsuzuki.run")


@contextmanager
def recorded(ctx: RunContext) -> Iterator[None]:
    """Run the stages of a claimed run; whatever ends them early leaves the run in a state that says so.

    A lost claim ends silently: the run belongs to another worker. An error that nobody foresaw ends the run as
    `bad_data` with its name in the detail, and is raised again for the worker's log; one of the database leaves the run
    to be taken over.
    """
    try:
        try:
            yield
        except TsuzukiError as error:
            _end(ctx, error)
        except OperationalError:
            LOGGER.exception("run %s: the database went away", ctx.run_id)
            raise
        except Exception as error:
            LOGGER.exception("run %s ended by an unexpected error", ctx.run_id)
            text = said(
                "An unexpected error ended this run: %(name)s. Its traceback is in the server's log.",
                name=type(error).__name__,
            )
            ctx.progress.log("error", text)
            _finish(ctx, "bad_data", text)
            raise
    except LostClaim:
        LOGGER.warning("run %s: attempt %s has lost its claim and stops", ctx.run_id, ctx.attempt)


def _end(ctx: RunContext, error: TsuzukiError) -> None:
    match error:
        case LostClaim():
            raise error
        case Stopping():
            ctx.progress.log("info", said("The worker is ending; this run goes on with the next one."))
            runstate.requeue(ctx)
        case Cancelled():
            ctx.progress.log("info", said("Cancelled."))
            _count(ctx)
            runstate.finish(ctx, "cancelled", "cancelled", None, ctx.result)
        case PlanExpired():
            ctx.progress.log("warning", error.detail)
            runstate.finish(ctx, "cancelled", error.reason, error.detail, ctx.result)
        case AccountChanged():
            ctx.progress.log("warning", error.detail)
            runstate.needs_approval(ctx, error.reason, error.detail, ctx.result)
        case Waits():
            ctx.progress.log("warning", said("The run waits: %(why)s", why=_why(error)))
            _count(ctx)
            runstate.park(ctx, error.reason, utcnow() + timedelta(seconds=error.seconds), error.detail)
        case _:
            ctx.progress.log("error", said("The run stops: %(why)s", why=_why(error)))
            note_refusal(ctx.user_id, error)
            _finish(ctx, error.reason, error.detail)


def _why(error: TsuzukiError) -> Said:
    """As a sentence, with the name of the reason that the JSON API gives."""
    detail = error.detail if error.detail.endswith(".") else said("%(sentence)s.", sentence=error.detail)
    return said("%(sentence)s (%(name)s)", sentence=detail, name=error.reason)


def _count(ctx: RunContext) -> int:
    sent = ledger.counts(ctx.run_id).sent
    if ctx.mode not in ("undo", "move", "repair"):
        ctx.update(plays_sent=sent)
    return sent


def _finish(ctx: RunContext, reason: str, detail: str) -> None:
    done = (
        _count(ctx) or extras_ledger.number(ctx.run_id, "sent") or ctx.result.get("removed") or ctx.result.get("moved")
    )
    status = "partial" if done else "failed"
    runstate.finish(ctx, status, reason, detail, ctx.result)
