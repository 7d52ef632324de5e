"""History: every play that Tsuzuki sent or holds back, by day; what stood on Trakt before; "send again"."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import lookups, queries, runs, times, words
from webapp.forms import MAX_ID
from webapp.i18n import gettext as _
from webapp.models import PlayRow
from webapp.templating import is_htmx

blueprint = Blueprint("history", __name__)
AGAIN = {"play": "play_id", "title": "anilist_id", "run": "run_id"}  # what one may send again, as `runs` calls it


def context() -> dict[str, Any]:
    """Shared by the page and by the fragment that the search swaps in."""
    q = request.args.get("q", "").strip()[:200]
    state = request.args.get("state", "")
    state = state if state in queries.PLAY_FILTERS else ""
    title, run = _id("title"), _id("run")
    before = _id("before")
    page = queries.history(current_user.id, q=q, state=state, anilist_id=title, run_id=run, before=before)
    days = [
        (day, [list(alike) for _key, alike in groupby(rows, key=_alike)])
        for day, rows in groupby(page.plays, key=lambda row: times.local_day(row[0].sent_at or row[0].created_at))
    ]
    kept: dict[str, Any] = {
        name: value for name, value in (("q", q), ("state", state), ("title", title), ("run", run)) if value
    }
    found = queries.entry(current_user.id, title) if title else None
    held = queries.held_plays(current_user.id, run_id=run, anilist_id=title)
    return {
        "q": q,
        "state": state,
        "kept": kept,
        "title": found,
        "run": run,
        "days": days,
        "held": held,
        **_there(title, _id("how")),
        "older": url_for("history.show", before=page.next, **kept) if page.next else None,
        "newer": url_for("history.show", **kept) if before else None,
        "chips": [
            (code, text, url_for("history.show", **{**kept, "state": code or None}), None)
            for code, text in (("", _("All")), ("sent", _("Sent")), ("hold", _("On hold")), ("open", _("On the way")))
        ],
        "without": {
            name: url_for("history.show", **{key: value for key, value in kept.items() if key != name})
            for name in ("title", "run")
        },
    }


def _there(title: int | None, look_up_id: int | None) -> dict[str, Any]:
    """What stood on Trakt before, and how it got there once the person has asked (`how` names the question)."""
    if not title:
        return {"there": [], "how": None, "actions": {}}
    asked = lookups.result(current_user.id, look_up_id) if look_up_id else None
    rows = asked.answer[0] if asked and asked.state == "answered" and asked.answer else []
    latest: dict[tuple[int, int], tuple[str, str]] = {}
    for row in rows:
        if "action" in row:
            place = row["season"], row["number"]
            latest[place] = max(latest.get(place, ("", "")), (row["at"] or "", row["action"]))
    actions = {place: action for place, (_at, action) in latest.items()}
    return {"there": queries.there_before(current_user.id, title), "how": asked, "actions": actions}


@blueprint.post("/history/how")
def how() -> ResponseReturnValue:
    """Ask Trakt how the plays of one title (`title`) came about that stood there before."""
    value = request.form.get("title", "")
    found = queries.entry(current_user.id, int(value)) if re.fullmatch(r"[1-9][0-9]{0,15}", value) else None
    if found is None or found.entry is None or found.entry.trakt_id is None:
        abort(404)
    look_up_id = lookups.ask(current_user.id, [{"history": found.entry.kind, "traktId": found.entry.trakt_id}])
    lookups.wait(current_user.id, look_up_id)
    return redirect(url_for("history.show", title=int(value), how=look_up_id, _anchor="there"), 303)


def _alike(row: tuple[PlayRow, Any, Any]) -> tuple[object, ...]:
    """Neighbours that are one line of the page: the same title, run and state."""
    play = row[0]
    return play.anilist_id, play.trakt_id, play.run_id, play.state, play.held, play.nth > 1


def _id(name: str) -> int | None:
    """A number of the query string; None when it is missing or no id."""
    value = request.args.get(name, "")
    return int(value) if re.fullmatch(r"[1-9][0-9]{0,15}", value) and int(value) <= MAX_ID else None


@blueprint.get("/history")
def show() -> ResponseReturnValue:
    return render_template("history/_plays.html" if is_htmx() else "history/history.html", **context())


@blueprint.get("/history/held")
def held() -> ResponseReturnValue:
    """What is on hold by title and by run; the page of all plays on hold asks when one opens it there."""
    titles, by_run = queries.held_by_title(current_user.id), queries.held_by_run(current_user.id)
    return render_template("history/_held.html" if is_htmx() else "history/held.html", titles=titles, runs=by_run)


@blueprint.post("/history/send-again")
def send_again() -> ResponseReturnValue:
    """One play on hold (`play`), or all of one title (`title`) or of one run (`run`)."""
    name = next((name for name in AGAIN if request.form.get(name)), "")
    value = request.form.get(name, "")
    if not re.fullmatch(r"[1-9][0-9]{0,15}", value) or int(value) > MAX_ID:
        abort(400)
    wanted: dict[str, Any] = {AGAIN[name]: int(value)}
    try:
        started = runs.send_again(current_user.id, **wanted)
    except runs.RunError as error:
        if error.status == 404:
            abort(404)
        flash(words.command_error(error.code), "review")
        return redirect(url_for("history.show", state="hold"), 303)
    return redirect(url_for("runs.show", run_id=started.run.id), 303)
