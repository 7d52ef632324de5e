"""Needs you: what waits for a decision, with take back; the other piles folded below."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import decisions, queries, runs
from webapp.cards import SIBLINGS, cards, value_of
from webapp.decisions import DecidedAlready, NothingToChoose
from webapp.forms import MAX_ID, Form, number_arg
from webapp.i18n import gettext as _
from webapp.i18n import lazy_gettext as _l
from webapp.i18n import ngettext
from webapp.models import Entry, utcnow
from webapp.queries import Made
from webapp.templating import is_htmx

blueprint = Blueprint("review", __name__)
PAGE = 5  # cards; each is a decision, and the next ones follow as soon as these are made
MOST = 25  # titles of a folded pile; Titles has them all
FRESH = timedelta(days=1)  # so long is the newest decision named with "Take back" on top
LOOKS = 20  # titles that are looked at again at once when they were taken back together


@blueprint.get("/review")
def show() -> ResponseReturnValue:
    """The cards of one page: from `offset` on, or those around the title `at`."""
    user_id = current_user.id
    counts = queries.review_counts(user_id)
    total = counts["needs_you"]
    offset = _page_of(user_id) or _offset(request.args.get("offset", ""))
    if offset and offset >= total:
        return redirect(url_for("review.show"))
    latest = queries.decisions(user_id, limit=1)
    older = url_for("review.show", offset=offset + PAGE) if offset + PAGE < total else None
    return render_template(
        "review/review.html",
        approvals=queries.waiting_approval(user_id),
        cards=cards(user_id, [entry for entry, _show in queries.review(user_id, "needs_you", limit=PAGE, offset=offset)]),
        total=total,
        offset=offset,
        counts=counts,
        latest=latest[0] if latest and latest[0].at > utcnow() - FRESH else None,
        decided=bool(latest),
        key=decisions.candidate_key,
        place_of=place_of,
        value_of=value_of,
        older=older,
        newer=url_for("review.show", offset=max(offset - PAGE, 0) or None) if offset else None,
    )  # fmt: skip


def _page_of(user_id: int) -> int:
    """Where the page begins on which the title `at` stands; 0 when it asks for nothing."""
    at = number_arg("at")
    before = queries.place_in_review(user_id, "needs_you", at) if at else None
    return (before or 0) // PAGE * PAGE


# The folded parts, fetched when they are opened


@blueprint.get("/review/no-match")
def no_match() -> ResponseReturnValue:
    rows = dict(_by_format(queries.review(current_user.id, "no_match", limit=MOST)))
    formats = [(pile, rows.get(pile.format, [])) for pile in queries.no_match_formats(current_user.id)]
    return _part("no_match", formats=formats)


@blueprint.get("/review/waiting")
def waiting() -> ResponseReturnValue:
    rows = queries.review(current_user.id, "waiting", limit=MOST + 1)
    return _part("waiting", waiting=rows[:MOST], more=len(rows) > MOST, month=timedelta(days=30))


@blueprint.get("/review/decided")
def decided() -> ResponseReturnValue:
    return _part("decided", made=queries.decisions(current_user.id), place_of=place_of)


def _part(name: str, **context: Any) -> ResponseReturnValue:
    return render_template(f"review/_{name}.html" if is_htmx() else "review/part.html", part=name, **context)


def _by_format(rows: list[tuple[Entry, str | None]]) -> list[tuple[str | None, list[Entry]]]:
    def format_of(row: tuple[Entry, Any]) -> str:
        return row[0].media.format or ""

    grouped = groupby(sorted(rows, key=format_of), key=format_of)
    return [(name or None, [entry for entry, _show in group]) for name, group in grouped]


def place_of(made: Made) -> dict[str, Any]:
    """Where a decision sends its title, as the pages draw places."""
    mapping = made.after.get("mapping") or {}
    spans = [{"from": f, "to": t, "season": s, "start": n} for f, t, s, n in made.after.get("spans") or []]
    return {"kind": mapping.get("kind"), "trakt_id": mapping.get("trakt_id"), "spans": spans}


def _offset(value: str) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 0


def _back(anilist_id: int | None = None) -> ResponseReturnValue:
    """To the page that the form came from, at the title that comes next or at the one that is named."""
    following = request.form.get("next", "")
    anchor = anilist_id or (int(following) if re.fullmatch(r"[0-9]{1,16}", following) else None)
    offset = _offset(request.form.get("offset", ""))
    where = {"at": anilist_id} if anilist_id else {"offset": offset or None}
    return redirect(url_for("review.show", **where, _anchor=f"entry-{anchor}" if anchor else None), 303)


STALE = _l("This place is no longer among the choices. Look at what there is now.")
ALREADY = _l("This title was decided in the meantime, or it found its place. Nothing was changed.")


@blueprint.post("/review/<int:anilist_id>/use")
def use(anilist_id: int) -> ResponseReturnValue:
    """Take one of the places that the title offers, and the same for the siblings that are ticked."""
    form = Form(request.form)
    kind, trakt_id = form.choice("kind", ("show", "movie")), form.number("trakt_id")
    try:
        if not form.ok or trakt_id is None or not 0 < anilist_id <= MAX_ID:
            raise NothingToChoose
        made = decisions.use_candidate(current_user, anilist_id, kind, trakt_id, form.value("spans"), _also(anilist_id))
    except NothingToChoose:
        flash(str(STALE), "review")
        return _back(anilist_id)
    except DecidedAlready:
        flash(str(ALREADY), "review")
        return _back()
    if made.missed:
        flash(ngettext("%(num)s other title has no such place any more and still asks.", "%(num)s other titles have no such place any more and still ask.", len(made.missed)), "review")  # fmt: skip
    if not made.repeated:
        for decided in made.titles:
            runs.start(current_user.id, "single", "page", anilist_id=decided)
    return _back()


def _also(anilist_id: int) -> dict[int, decisions.Place]:
    """Ticked siblings: "10020/show:70000:1-12:3:1"."""
    found: dict[int, decisions.Place] = {}
    for value in request.form.getlist("also")[:SIBLINGS]:
        match = re.fullmatch(r"([1-9][0-9]{0,15})/(show|movie):([1-9][0-9]{0,15}):([0-9:,-]{0,2000})", value)
        if match and int(match[1]) != anilist_id:
            found[int(match[1])] = (match[2], int(match[3]), match[4])
    return found


@blueprint.post("/review/<int:anilist_id>/aside")
def aside(anilist_id: int) -> ResponseReturnValue:
    """`choice`: ignored (not on Trakt, don't ask again) or never (never send)."""
    choice = request.form.get("choice", "")
    if choice not in decisions.CHOICES or not 0 < anilist_id <= MAX_ID:
        abort(400)
    try:
        decisions.put_aside(current_user, anilist_id, choice)
    except DecidedAlready:
        flash(str(ALREADY), "review")
    return _back()


@blueprint.post("/review/<int:anilist_id>/move")
def move(anilist_id: int) -> ResponseReturnValue:
    """`misplaced`: move what was sent to the place that the page showed, or keep it where it stands."""
    doing = request.form.get("do", "")
    if doing not in ("move", "keep") or not 0 < anilist_id <= MAX_ID:
        abort(400)
    title = queries.entry(current_user.id, anilist_id)
    entry = title.entry if title else None
    placement = (entry.placement if entry else None) or {}
    if entry is None or entry.reason != "misplaced" or entry.choice is not None:
        flash(str(ALREADY), "review")
        return _back()
    if doing == "move":
        if request.form.get("place") != value_of({"kind": entry.kind, "trakt_id": entry.trakt_id, **placement}):
            flash(_("The place changed again since this page was made. Look at where it would go now."), "review")
            return _back(anilist_id)
        decisions.note_move(current_user, anilist_id)
        started = runs.move(current_user.id, anilist_id)
        return redirect(url_for("runs.show", run_id=started.run.id), 303)
    try:
        decisions.keep_where_it_stands(current_user, anilist_id)
    except NothingToChoose:
        flash(_("There is no single place that could be kept. Give it with “Another place”."), "review")
        return _back(anilist_id)
    runs.start(current_user.id, "single", "page", anilist_id=anilist_id)
    return _back()


@blueprint.post("/review/ignore")
def ignore() -> ResponseReturnValue:
    """Put aside what has no match, by format, in one action."""
    made = decisions.ignore_pile(current_user, "no_match", request.form.get("format") or None)
    if not made.titles:
        flash(_("There was nothing left to put aside."), "ok")
    return redirect(url_for("review.show"), 303)


@blueprint.post("/review/take-back")
def take_back() -> ResponseReturnValue:
    """Undo one decision, with all the titles that were decided together."""
    back = decisions.take_back(current_user, request.form.get("action", "")[:64])
    if back.changed:
        flash(ngettext("%(num)s title was changed since, so it stays as it is. Look at its own page.", "%(num)s titles were changed since, so they stay as they are. Look at their own pages.", len(back.changed)), "review")  # fmt: skip
    if back.moving:
        flash(_("Its plays are still on the move. Take it back once that has ended."), "review")
    if back.back:
        flash(_("Taken back. The plays go back to where they stood, which is their place by hand now."), "ok")
        started = [runs.move(current_user.id, anilist_id) for anilist_id in back.back]
        return redirect(url_for("runs.show", run_id=started[0].run.id), 303)
    if not back.titles:
        if not back.changed and not back.moving:
            flash(_("This was taken back already."), "ok")
        return redirect(url_for("review.show"), 303)
    for anilist_id in back.titles[:LOOKS] if back.places else ():
        runs.start(current_user.id, "single", "page", anilist_id=anilist_id)
    flash(ngettext("Taken back. %(num)s title asks again.", "Taken back. %(num)s titles ask again.", len(back.titles)), "ok")  # fmt: skip
    return _back(back.titles[0])
