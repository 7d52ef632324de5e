"""The plan of a run, where the person may still decide on it: its dates, what is there already, what is never sent."""

from __future__ import annotations

import re
import time
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import decisions, queries, words
from webapp import runs as commands
from webapp.extensions import db
from webapp.i18n import gettext as _
from webapp.models import Run, utcnow
from webapp.queries import beyond
from webapp.templating import is_htmx

blueprint = Blueprint("plans", __name__)
CROWD = 50  # titles completed on one day: more than that is an import
PATIENCE = 3.0  # seconds that a page waits for new dates
LOOK = 0.1
ROWS = 25  # of a plan; what comes after them is shown when one asks for all
SHOWN = 100  # titles of which everything is there already

_sleep = time.sleep


def run_of(run_id: int) -> Run:
    """The person's own run, or a 404."""
    if not current_user.is_authenticated or not 0 < run_id < 2**53:
        abort(404)
    run = queries.run(current_user.id, run_id)
    if run is None:
        abort(404)
    return run


def plan_context(run: Run, rows: int = ROWS) -> dict[str, Any]:
    """The stored plan, where the person may still decide on it; of a long one the first `rows` titles are shown."""
    decidable = run.status == "needs_approval" or (run.preview and run.status == "succeeded")
    expired = run.plan_expires_at is not None and run.plan_expires_at <= utcnow()
    plan = queries.plan_titles(run.id) if decidable else []
    extras = beyond.plan_of(run.id) if decidable else []
    trakt = queries.connections(run.user_id).get("trakt") if decidable else None
    movies = sum(row.movies for row in plan)
    first, rest = (plan, []) if "all" in request.args else (plan[:rows], plan[rows:])
    return {
        "sent_as": queries.sent_as(run.id) if run.preview else None,
        "can_send": trakt is not None and trakt.state == "connected",
        "plan": plan,
        "shown": queries.plan_of(run.id, [row.anilist_id for row in first]) if first else [],
        "rest": rest,
        "counts": (sum(row.plays for row in plan) - movies, movies),
        "extras_plan": extras,
        "decidable": decidable and bool(plan or extras),
        "expired": expired,
        "there": int((run.result or {}).get("alreadySynced") or (run.result or {}).get("alreadySyncedShows") or 0),
        **_dates_context(run, bool(plan)),
    }


def _dates_context(run: Run, planned: bool) -> dict[str, Any]:
    options = run.options or {}
    pending = commands.is_dating(run)
    rule = options.get("date_rule") or current_user.date_rule
    return {
        "dating": pending,
        "rule": options["dating"]["rule"] if pending and not options["dating"]["day"] else rule,
        "crowded": crowded(run) if run.preview and planned and not pending else None,
    }


def crowded(run: Run) -> tuple[str, int] | None:
    """The day (ISO) that more than 50 titles of a plan share as their completion, and how many: an import, not a life."""
    shared = queries.completed_together(run)
    return shared if shared and shared[1] > CROWD else None


@blueprint.post("/runs/<int:run_id>/dates")
def dates(run_id: int) -> ResponseReturnValue:
    """Other dates for the same plays, by `date_rule`; with `day` (ISO) only for titles that were completed on it."""
    run = run_of(run_id)
    rule, day = request.form.get("date_rule", ""), request.form.get("day") or None
    if rule not in words.DATE_RULES or (day and not re.fullmatch(r"\d{4}-\d\d-\d\d", day)):
        abort(400)
    try:
        commands.change_dates(run.id, current_user.id, rule, day)
    except commands.RunError as error:
        flash(words.command_error(error.code), "review")
        answer = redirect(url_for("runs.show", run_id=run_id), 303)
        if is_htmx():
            answer.status_code = 204
            answer.headers["HX-Redirect"] = answer.location
        return answer
    _wait(run_id)
    if is_htmx():
        return _dates(run_id)
    return redirect(url_for("runs.show", run_id=run_id, _anchor="plan-h"), 303)


def _wait(run_id: int) -> None:
    """Until the dates are there, for a moment. No connection is held meanwhile."""
    ends = time.monotonic() + PATIENCE
    while commands.is_dating(run_of(run_id)) and time.monotonic() < ends:
        db.session.remove()
        _sleep(LOOK)
    db.session.remove()


@blueprint.get("/runs/<int:run_id>/dates")
def new_dates(run_id: int) -> ResponseReturnValue:
    """The dates of a plan for the cells of its table, or the next look while they are being worked out."""
    return _dates(run_id) if is_htmx() else redirect(url_for("runs.show", run_id=run_id), 303)


def _dates(run_id: int) -> ResponseReturnValue:
    run = run_of(run_id)
    pending = commands.is_dating(run)
    plan = (
        [] if pending else queries.plan_of(run.id, _shown() or [row.anilist_id for row in queries.plan_titles(run.id)])
    )
    return render_template("runs/_new_dates.html", run=run, plan=plan, **_dates_context(run, bool(plan)))


def _shown() -> list[int]:
    """The titles that the page shows of a long plan, as it names them; none when it shows all."""
    named = request.values.get("shown", "").split(",")[:ROWS]
    return [int(one) for one in named if re.fullmatch(r"[0-9]{1,15}", one)]


@blueprint.get("/runs/<int:run_id>/there")
def there(run_id: int) -> ResponseReturnValue:
    """Titles of which nothing would be sent because Trakt has it all."""
    run = run_of(run_id)
    entries = queries.all_there(run, limit=SHOWN + 1)
    page = "runs/_there.html" if is_htmx() else "runs/there.html"
    return render_template(page, run=run, entries=entries[:SHOWN], more=len(entries) > SHOWN)


@blueprint.post("/runs/<int:run_id>/plan/<int:anilist_id>/never")
def never(run_id: int, anilist_id: int) -> ResponseReturnValue:
    """Never send this title; with `back` that is taken back. The plan keeps its plays, but none of it goes out."""
    run = run_of(run_id)
    if not queries.plan_plays(run.id, anilist_id) or not decisions.set_choice(
        current_user, [anilist_id], None if "back" in request.form else "never"
    ):
        abort(404)
    if is_htmx():
        db.session.expire_all()  # what was read before the decision
        (row,) = queries.plan_of(run.id, [anilist_id])
        return render_template("runs/_plan_row.html", run=run, row=row)
    flash(_("Taken back; it goes out with this plan.") if "back" in request.form else _("This title will never be sent."), "ok")  # fmt: skip
    return redirect(url_for("runs.show", run_id=run_id, _anchor=f"plan-{anilist_id}"), 303)
