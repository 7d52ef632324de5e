"""Where one title goes: what a place would mean before it is saved, and another show or movie for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import corrections, lookups, outlook, queries, references, runs
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.models import LookUp, TraktShow
from webapp.naming import title as title_of
from webapp.outlook import Outlook, Standing
from webapp.queries.library import Title
from webapp.runs import own_transaction
from webapp.templating import is_htmx

blueprint = Blueprint("places", __name__, url_prefix="/mappings")
LONGEST = 5_000  # episodes of one title


def seasons_of(title: Title, trakt_id: int | None) -> Mapping[str, Sequence[Sequence[Any]]]:
    """What Trakt lists of a show, as far as it was read; empty otherwise."""
    show = (
        title.show if title.show and title.show.trakt_id == trakt_id else queries.show(trakt_id) if trakt_id else None
    )
    return (show.seasons or {}) if isinstance(show, TraktShow) and not show.missing else {}


def look(title: Title, kind: str, trakt_id: int | None, spans: Sequence[corrections.SpanInput]) -> Outlook | None:
    """What this place would mean; None where no show or movie is known yet, or nothing says which episodes go where."""
    if trakt_id is None:
        return None
    entry = title.entry
    plays = queries.plays_of_entry(current_user.id, title.anilist_id)
    ours = [Standing(p.episode, p.kind, p.trakt_id, p.season, p.number) for p in plays if p.state == "sent"]
    on_trakt = queries.on_trakt(current_user.id, kind, trakt_id)
    if kind == "movie":
        return outlook.movie_outlook(trakt_id, ours=ours, seen=bool(on_trakt))
    rows: Sequence[Mapping[str, Any]] = [
        {"from": s.first, "to": s.last, "season": s.season, "start": s.start} for s in spans
    ]
    if not rows:
        placed = (entry.placement if entry else None) or {}
        rows = placed.get("spans") or [] if placed.get("trakt_id") == trakt_id else []
    if not rows:
        return None
    others = {
        title_of(other.media): spans_of
        for other in queries.siblings(current_user.id, title)
        if other.trakt_id == trakt_id and (spans_of := (other.placement or {}).get("spans"))
    }
    watched = entry.progress if entry else 0
    return outlook.show_outlook(
        rows,
        trakt_id=trakt_id,
        length=min(_length(title, watched, rows), LONGEST),
        watched=watched,
        seasons=seasons_of(title, trakt_id),
        on_trakt=on_trakt,
        ours=ours,
        others=others,
    )


def _length(title: Title, watched: int, rows: Sequence[Mapping[str, Any]]) -> int:
    """AniList's length, else as far as anything is known of."""
    if title.media and title.media.episodes:
        return title.media.episodes
    return int(max([watched, *(row["to"] or row["from"] for row in rows)]))


def look_again(anilist_id: int, said: str) -> ResponseReturnValue:
    """Start a look at one title, which sends nothing, and go to its page."""
    runs.start(current_user.id, "single", "page", anilist_id=anilist_id)
    flash(said, "ok")
    return redirect(url_for("mappings.entry", anilist_id=anilist_id), 303)


# Another show or movie


@blueprint.get("/<int:anilist_id>/find")
def another(anilist_id: int) -> ResponseReturnValue:
    """The place on the title's page where one searches; an address that a browser may come back to."""
    return redirect(url_for("mappings.entry", anilist_id=anilist_id, _anchor="another"), 303)


@blueprint.post("/<int:anilist_id>/find")
def find(anilist_id: int) -> ResponseReturnValue:
    """Search Trakt by title, or look an id, a slug or an address up; waits a moment, then polls."""
    text = request.form.get("q", "").strip()[: references.LONGEST]
    if not text:
        return another(anilist_id)
    try:
        named = references.parse(text)
    except ValueError:
        return _found(anilist_id, text, None, _("This address names no show or movie. Paste one of AniList, Trakt, TMDB, TVDB or IMDb, or type a title."))  # fmt: skip
    part = {"service": named.service, "value": named.value, "kind": named.kind} if named else {"title": text[:200]}
    look_up_id = lookups.ask(current_user.id, [part])
    row = lookups.wait(current_user.id, look_up_id)
    if is_htmx():
        return _found(anilist_id, text, row)
    return redirect(url_for("places.found", anilist_id=anilist_id, look_up_id=look_up_id, q=text), 303)


@blueprint.get("/<int:anilist_id>/find/<int:look_up_id>")
def found(anilist_id: int, look_up_id: int) -> ResponseReturnValue:
    """The answer to a question."""
    return _found(anilist_id, request.args.get("q", "")[: references.LONGEST], lookups.result(current_user.id, look_up_id))  # fmt: skip


def _found(anilist_id: int, text: str, row: LookUp | None, problem: str = "") -> ResponseReturnValue:
    if row is None and not problem:
        problem = _("This question is no longer there. Search once more.")
    context = {"anilist_id": anilist_id, "q": text, "look_up": row, "problem": problem}
    if is_htmx():
        return render_template("mappings/_found.html", **context)
    with own_transaction():
        title = queries.entry(current_user.id, anilist_id)
    return render_template("mappings/found.html", title=title, **context)


@blueprint.post("/<int:anilist_id>/show")
def choose(anilist_id: int) -> ResponseReturnValue:
    """Take this show or movie; which episodes go where is worked out, unless a person says it too."""
    form = Form(request.form)
    kind, trakt_id = form.choice("kind", ("show", "movie")), form.number("trakt_id")
    if not form.ok or trakt_id is None:
        flash(_("This could not be read. Search once more."), "review")
        return redirect(url_for("mappings.entry", anilist_id=anilist_id), 303)
    corrections.save_mapping(current_user, corrections.MappingInput(anilist_id, trakt_id, kind=kind), [])
    return look_again(anilist_id, _("Saved. Tsuzuki looks at the place now."))
