"""History doctor: what looks wrong on Trakt, and putting right what the person ticks."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import runs, words
from webapp.models import OPEN
from webapp.queries import repair as queries
from webapp.queries.repair import Group

blueprint = Blueprint("repair", __name__, url_prefix="/history/repair")
TICKED = ("posted_again",)  # causes that are ticked at first: a rewatch never looks like this


@blueprint.get("")
def show() -> ResponseReturnValue:
    groups, total = queries.found_groups(current_user.id)
    look = queries.last_look(current_user.id)
    active = look is not None and look.status in OPEN
    return render_template(
        "history/repair.html", groups=groups, total=total, look=look, active=active, ticked=TICKED, shown=queries.SHOWN
    )


@blueprint.post("/look")
def look() -> ResponseReturnValue:
    """Read the whole history in a run of its own."""
    started = runs.start(current_user.id, "doctor", "page")
    return redirect(url_for("runs.show", run_id=started.run.id), 303)


@blueprint.post("")
def repair() -> ResponseReturnValue:
    """First what would happen to what is ticked; with `do=repair` it is done."""
    groups, _total = queries.found_groups(current_user.id)
    chosen = _chosen(groups, set(request.form.getlist("finding")), request.form.get("group", ""))
    if not chosen:
        flash(words.command_error("nothing_chosen"), "review")
        return redirect(url_for("repair.show"), 303)
    if request.form.get("do") != "repair":
        return render_template("history/repair_confirm.html", groups=chosen)
    try:
        started = runs.repair(current_user.id, [row.id for group in chosen for row in group.rows])
    except runs.RunError as error:
        flash(words.command_error(error.code), "review")
        return redirect(url_for("repair.show"), 303)
    return redirect(url_for("runs.show", run_id=started.run.id), 303)


def _chosen(groups: Iterable[Group], ticked: set[str], whole: str) -> list[Group]:
    """What was ticked of each group, or one whole group by its key."""
    found = []
    for group in groups:
        rows = group.rows if group.key == whole else [row for row in group.rows if not whole and str(row.id) in ticked]
        if rows:
            found.append(Group(group.title, group.kind, group.trakt_id, group.cause, rows))
    return found
