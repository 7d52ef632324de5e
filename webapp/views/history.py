"""History: every play that Tsuzuki sent or holds back, by day."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import queries, runs, times, words
from webapp.i18n import gettext as _
from webapp.templating import is_htmx

blueprint = Blueprint("history", __name__)


def context() -> dict[str, Any]:
    q = request.args.get("q", "").strip()[:200]
    state = request.args.get("state", "")
    before = request.args.get("before", type=int)
    page = queries.history(current_user.id, q=q, state=state, before=before)
    days = [
        (day, list(rows))
        for day, rows in groupby(page.plays, key=lambda row: times.local_day(row[0].sent_at or row[0].created_at))
    ]
    kept: dict[str, Any] = {name: value for name, value in (("q", q), ("state", state)) if value}
    return {
        "q": q,
        "state": state,
        "days": days,
        "held": queries.held_plays(current_user.id),
        "older": url_for("history.show", before=page.next, **kept) if page.next else None,
        "newer": url_for("history.show", **kept) if before else None,
        "chips": [
            (code, text, url_for("history.show", **{**kept, "state": code or None}), None)
            for code, text in (("", _("All")), ("sent", _("Sent")), ("hold", _("On hold")), ("open", _("On the way")))
        ],
    }


@blueprint.get("/history")
def show() -> ResponseReturnValue:
    return render_template("history/_plays.html" if is_htmx() else "history/history.html", **context())


@blueprint.post("/history/<int:play_id>/send-again")
def send_again(play_id: int) -> ResponseReturnValue:
    try:
        started = runs.send_again(current_user.id, play_id=play_id)
    except runs.RunError as error:
        if error.status == 404:
            abort(404)
        flash(words.command_error(error.code), "review")
        return redirect(url_for("history.show"), 303)
    return redirect(url_for("runs.show", run_id=started.run.id), 303)
