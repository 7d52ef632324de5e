"""Needs you: titles with places to choose from; the other piles folded below."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import decisions, queries, runs
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.i18n import ngettext
from webapp.models import Entry

blueprint = Blueprint("review", __name__)
PAGE = 50


@blueprint.get("/review")
def show() -> ResponseReturnValue:
    user_id = current_user.id
    offset = max(request.args.get("offset", 0, type=int), 0)
    needs = queries.review(user_id, "needs_you", limit=PAGE, offset=offset)
    counts = queries.pile_counts(user_id)
    total = counts.get("needs_you", 0)
    return render_template(
        "review/review.html",
        needs=needs,
        counts=counts,
        total=total,
        no_match=by_format(queries.review(user_id, "no_match", limit=500)),
        waiting=queries.review(user_id, "waiting", limit=200),
        key=decisions.candidate_key,
        older=url_for("review.show", offset=offset + PAGE) if offset + PAGE < total else None,
        newer=url_for("review.show", offset=max(offset - PAGE, 0)) if offset else None,
    )


def by_format(rows: list[tuple[Entry, str | None]]) -> list[tuple[str | None, list[Entry]]]:
    def format_of(row: tuple[Entry, Any]) -> str:
        return row[0].media.format or ""

    grouped = groupby(sorted(rows, key=format_of), key=format_of)
    return [(name or None, [entry for entry, _show in group]) for name, group in grouped]


@blueprint.post("/review/<int:anilist_id>/use")
def use(anilist_id: int) -> ResponseReturnValue:
    """Take one of the candidates that the entry offers."""
    form = Form(request.form)
    kind, trakt_id = form.choice("kind", ("show", "movie")), form.number("trakt_id")
    try:
        if not form.ok or trakt_id is None:
            raise decisions.NothingToChoose
        decisions.use_candidate(current_user, anilist_id, kind, trakt_id, form.value("spans"))
    except decisions.NothingToChoose:
        flash(_("This place is no longer among the choices. Look at what there is now."), "review")
        return redirect(url_for("review.show", _anchor=f"entry-{anilist_id}"), 303)
    runs.start(current_user.id, "single", "page", anilist_id=anilist_id)
    flash(_("Taken. The next run sends it there."), "ok")
    return redirect(url_for("review.show"), 303)


@blueprint.post("/review/ignore")
def ignore() -> ResponseReturnValue:
    """Put aside what has no match, by format, in one action."""
    count = decisions.ignore_pile(current_user, "no_match", request.form.get("format") or None)
    flash(ngettext("%(num)s title was put aside.", "%(num)s titles were put aside.", count), "ok")
    return redirect(url_for("review.show"), 303)
