"""Settings: connections, what to sync, dates and zone, schedule and pause, the password."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import auth, preferences, queries, schedule, security, times, words
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.models import utcnow
from webapp.standing import is_connected
from webapp.templating import THEME_COOKIE, THEMES
from webapp.views.home import gates
from webapp.views.setup import SHORTEST

blueprint = Blueprint("settings", __name__, url_prefix="/settings")
STATUSES = ("COMPLETED", "CURRENT", "REPEATING", "PAUSED", "DROPPED")
FORMATS = ("TV", "TV_SHORT", "MOVIE", "SPECIAL", "OVA", "ONA", "MUSIC")  # as AniList names them
LANGUAGES = ("romaji", "english", "native")
PAUSES = {"off": None, "6h": timedelta(hours=6), "1d": timedelta(days=1), "7d": timedelta(days=7), "on": timedelta(0)}


def page(form: Form | None = None, status: int = 200, password: Form | None = None) -> ResponseReturnValue:
    config = current_app.config["TSUZUKI"]
    secret = queries.cron_secret(config.CRON_SECRET) if current_user.is_admin else None
    connections = queries.connections(current_user.id)
    return render_template(
        "settings/settings.html",
        form=form or Form({"timezone": current_user.timezone or "", "not_before": current_user.filters.get("not_before")}),
        password=password or Form(),
        connections=connections,
        statuses=STATUSES,
        formats=FORMATS,
        lists=queries.custom_lists(current_user.id),
        beyond={
            "rating": current_user.send_ratings,
            "watchlist": current_user.send_watchlist,
            "dropped": current_user.send_dropped,
        },
        once_only=bool(connections.get("trakt") and (connections["trakt"].details or {}).get("watch_only_once")),
        instance_pause=schedule.instance_pause(),
        languages=LANGUAGES,
        zones=times.zones_to_choose(),
        gates=gates(),
        cron_url=f"{config.public_url}/cron",
        cron_secret=secret,
        schedule=config.SCHEDULE,
        now=utcnow(),
    ), status  # fmt: skip


@blueprint.get("")
def show() -> ResponseReturnValue:
    return page()


@blueprint.post("/what")
def save_what() -> ResponseReturnValue:
    statuses = [status for status in STATUSES if status in request.form.getlist("statuses")]
    form = Form(request.form)
    not_before = form.day("not_before")
    if not form.ok:
        return page(form, 422)
    wishes = preferences.Wishes(
        statuses,
        send_private="send_private" in request.form,
        formats_off=set(request.form.getlist("formats_off")) & set(FORMATS),
        skip_adult="skip_adult" in request.form,
        skip_lists=set(request.form.getlist("skip_lists")) & set(queries.custom_lists(current_user.id)),
        not_before=not_before,
    )
    preferences.save_filters(current_user, wishes)
    return saved("what")


@blueprint.post("/rewatches")
def save_rewatches() -> ResponseReturnValue:
    if not preferences.save_rewatches(current_user, on="on" in request.form, past="past" in request.form):
        flash(
            _("Read your list first, by a preview for example, so that old rewatches can be told from new ones."),
            "review",
        )
        return redirect(url_for("settings.show", _anchor="what"), 303)
    return saved("what")


@blueprint.post("/beyond")
def save_beyond() -> ResponseReturnValue:
    """Ratings, watchlist, dropped shows: each on or off."""
    on = set(request.form.getlist("beyond"))
    preferences.save_beyond(current_user, ratings="rating" in on, watchlist="watchlist" in on, dropped="dropped" in on)
    return saved("beyond")


@blueprint.post("/dates")
def save_dates() -> ResponseReturnValue:
    form = Form(request.form)
    rule = form.choice("date_rule", tuple(words.DATE_RULES))
    language = form.choice("title_language", LANGUAGES)
    zone = form.text("timezone", required=False, longest=64)
    if zone and not times.is_zone(zone):
        form.errors["timezone"] = _("This is no time zone. It looks like Europe/Berlin, or like +09:00.")
    if not form.ok:
        return page(form, 422)
    preferences.save_dates(current_user, date_rule=rule, timezone=zone or None, title_language=language)
    return saved("dates")


@blueprint.post("/looks")
def save_looks() -> ResponseReturnValue:
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        abort(400)
    preferences.save_looks(current_user, theme=theme, posters="posters" in request.form)
    answer = current_app.make_response(saved("looks"))
    # the page of the sign-in has no account to ask
    answer.set_cookie(
        THEME_COOKIE,
        theme,
        max_age=365 * 86_400,
        path=current_app.config["SESSION_COOKIE_PATH"],
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return answer


@blueprint.post("/pause")
def save_pause() -> ResponseReturnValue:
    preferences.save_pause(current_user, _pause())
    return saved("schedule")


@blueprint.post("/pause/instance")
def save_instance_pause() -> ResponseReturnValue:
    if not current_user.is_admin:
        abort(403)
    preferences.save_instance_pause(_pause())
    return saved("schedule")


def _pause() -> datetime | None:
    """Until when, as chosen."""
    length = request.form.get("pause", "")
    if length not in PAUSES:
        abort(400)
    span = PAUSES[length]
    if span is None:
        return None
    return times.FAR if length == "on" else utcnow() + span


@blueprint.post("/password")
def save_password() -> ResponseReturnValue:
    form = Form(request.form)
    name = f"name {current_user.username.casefold()}"
    if len(form.value("new")) < SHORTEST:
        form.errors["new"] = _("Take at least %(count)s characters.", count=SHORTEST)
    if not security.may_try(name):
        form.errors["current"] = _("Too many wrong tries. Wait five minutes, then try again.")
    elif not auth.password_fits(current_user.password_hash, form.value("current")):
        security.count_wrong_try(name)
        form.errors["current"] = _("This is not your password.")
    if not form.ok:
        return page(status=422, password=form)
    auth.sign_in(preferences.save_password(current_user, auth.hash_password(form.value("new"))))
    flash(_("Your password is changed. Other browsers have to sign in again."), "ok")
    return redirect(url_for("settings.show", _anchor="you"), 303)


def saved(anchor: str) -> ResponseReturnValue:
    flash(_("Saved."), "ok")
    return redirect(url_for("settings.show", _anchor=anchor), 303)


@blueprint.get("/connections")
def connections() -> ResponseReturnValue:
    return render_template("settings/connections.html", **connections_context())


def connections_context() -> dict[str, Any]:
    """Shared with the forms of `webapp.oauth` that come back with errors."""
    rows = queries.connections(current_user.id)
    public = current_app.config["TSUZUKI"].public_url
    return {
        "connections": rows,
        "anilist": rows.get("anilist"),
        "trakt": rows.get("trakt"),
        "first": next((name for name in ("anilist", "trakt") if not is_connected(rows.get(name))), None),
        "public_url": public,
        "is_https": public.startswith("https://"),
    }
