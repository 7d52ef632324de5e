"""Home: how things stand, what needs the person, what happened last; the caches; "has anything happened"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import caches as caches_store
from webapp import enqueue, expiry, queries, schedule, words, year
from webapp.budgets import budgets as budgets_of
from webapp.grants import SERVICES
from webapp.i18n import gettext as _
from webapp.i18n import lazy_gettext as _l
from webapp.i18n import locale
from webapp.models import Run, utcnow
from webapp.standing import setup_step, standing
from webapp.templating import is_htmx
from webapp.times import person_zone

blueprint = Blueprint("home", __name__)
BUCKETS = {
    "anilist": _l("reads"), "trakt-reads": _l("your reads"), "trakt-writes": _l("your writes"), "trakt-public": _l("reads without an account"),
}  # fmt: skip
NEEDS = 3  # titles that need the person
PROGRESS = 12  # rows
CACHES = {name: number for number, name in enqueue.CACHES.items()}


def context() -> dict[str, Any]:
    """What the page and its fragment show."""
    user_id = current_user.id
    mark = queries.changes_since(user_id)
    connections = queries.connections(user_id)
    caches = queries.cache_rows()
    latest = queries.latest(user_id)
    return {
        "open_runs": latest.open_runs,
        "last_check": latest.last_check,
        "standing": standing(connections, caches, latest),
        "connections": connections,
        "ending": expiry.notice(connections.values(), utcnow()),
        "caches": caches,
        "gates": gates(),
        "needs": queries.review(user_id, "needs_you", limit=NEEDS),
        "needs_total": queries.review_count(user_id, "needs_you"),
        "recent": queries.recent_plays(user_id),
        "mark": mark,
        "year": _year(user_id, mark),
    }


def _under_the_hood(last_check: Run | None) -> dict[str, Any]:
    """What the page shows folded, and its fragment not."""
    user_id = current_user.id
    rows = queries.progress_rows(user_id, limit=PROGRESS + 1)
    return {
        "progress": rows[:PROGRESS],
        "progress_more": len(rows) > PROGRESS,
        "last_syncs": queries.last_syncs(user_id),
        "requests": queries.requests_of(last_check.id) if last_check else [],
    }


def _year(user_id: int, mark: str) -> year.Year | None:
    """Counted again only when something happened (`mark`), on another day, or in another zone or language."""
    zone, now = person_zone(), utcnow()
    today = now.astimezone(zone).date()
    kept: dict[int, tuple[tuple[str, ...], year.Year | None]] = current_app.extensions.setdefault("tsuzuki_years", {})
    key = (mark, str(today), str(zone), locale())
    known, drawn = kept.get(user_id, ((), None))
    if known != key:
        drawn = year.draw(queries.plays_by_day(user_id, zone, now - timedelta(weeks=year.WEEKS + 1)), today)
        kept[user_id] = (key, drawn)
    return drawn


def gates() -> dict[str, Any]:
    """The doors through which a check may start by itself, and the nearest moment at which one does."""
    now = utcnow()
    doors = schedule.gates(current_user, now)
    times = [gate.next_run for gate in doors.values() if gate.next_run and gate.reason not in ("off", "not_connected")]
    return {**doors, "next": doors["schedule"].next_run if doors["schedule"].reason != "off" else None, "earliest": min(times, default=None)}  # fmt: skip


@blueprint.get("/")
def show() -> ResponseReturnValue:
    shown = context()
    if is_htmx():
        return render_template("home/_status.html", **shown)
    return render_template("home/home.html", **shown, **_under_the_hood(shown["last_check"]))


@blueprint.get("/changes")
def changes() -> ResponseReturnValue:
    """204 when nothing happened since the mark; else the next poller, and an event that panels listen to."""
    mark = queries.changes_since(current_user.id)
    if request.args.get("since") == mark:
        return "", 204
    answer = make_response(render_template("home/_changes.html", mark=mark))
    answer.headers["HX-Trigger"] = "changed"
    return answer


@blueprint.get("/step")
def step() -> ResponseReturnValue:
    """What is next in the set-up, for the page whose path is `on`; nothing once it is done."""
    now = setup_step(current_user, queries.connections(current_user.id))
    return render_template("home/_step.html", step=now, on=request.args.get("on", ""))


@blueprint.post("/ending/<service>/hide")
def hide_ending(service: str) -> ResponseReturnValue:
    """Put the notice about a sign-in that ends soon away, until the next one."""
    if service not in SERVICES:
        abort(404)
    expiry.hide(current_user.id, service, utcnow())
    return redirect(url_for("home.show"), 303)


@blueprint.get("/budgets")
def budgets() -> ResponseReturnValue:
    """What is left of each service's budget now; Home asks when its details are opened."""
    page = "home/_budgets.html" if is_htmx() else "home/budgets.html"
    return render_template(page, budgets=budgets_of(current_user.id), bucket_words=BUCKETS)


@blueprint.get("/caches")
def caches() -> ResponseReturnValue:
    """The table of caches. `asked` (ISO) keeps it polling until the look that was asked for has been made."""
    rows = queries.cache_rows()
    asked = _asked(request.args.get("asked"))
    if not is_htmx():
        return redirect(url_for("home.show", under=1, _anchor="caches"), 303)
    name = request.args.get("name", "")
    row = next((row for row in rows if row.name == name), None)
    open_ = asked is not None and row is not None and not (row.last_attempt and row.last_attempt >= asked)
    if open_ and asked is not None and (utcnow() - asked).total_seconds() > 180:
        open_ = False
    return render_template("home/_caches.html", caches=rows, polling=name if open_ else "", asked=asked)


@blueprint.post("/caches/<name>")
def update_cache(name: str) -> ResponseReturnValue:
    if name not in CACHES:
        abort(404)
    asked = utcnow()
    put = enqueue.cache(CACHES[name])
    message = (
        _("%(name)s is being read again.", name=words.label("service", name))
        if put
        else _("The queue does not answer. The worker looks at the caches by itself once it is back.")
    )
    if is_htmx():
        return render_template("home/_caches.html", caches=queries.cache_rows(), polling=name if put else "", asked=asked, message=message)  # fmt: skip
    flash(message, "run" if put else "bad")
    return redirect(url_for("home.show", under=1, _anchor="caches"), 303)


@blueprint.post("/caches/<name>/accept")
def accept_loss(name: str) -> ResponseReturnValue:
    """Take the file that was held back because it has too few rows, and none that has fewer still."""
    if not current_user.is_admin:
        abort(403)
    if name not in CACHES or not caches_store.accept_loss(name):
        abort(404)
    return update_cache(name)


def _asked(value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
