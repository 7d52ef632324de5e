"""Titles: every entry with where it goes, and the page of one title with its corrections."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import corrections, decisions, queries, runbook, runs, words
from webapp.database import transaction
from webapp.forms import MAX_ID, Form, number_arg
from webapp.i18n import gettext as _
from webapp.models import OPEN
from webapp.queries import beyond
from webapp.queries.library import FILTERS, SORTS, Title
from webapp.runs import own_transaction
from webapp.templating import is_htmx
from webapp.views import places
from webapp.views.places import look_again

blueprint = Blueprint("mappings", __name__, url_prefix="/mappings")
PAGE = 40
MOST_SPANS = 30


# The list


def list_context() -> dict[str, Any]:
    q = request.args.get("q", "").strip()[:200]
    state = request.args.get("state", "")
    sort = request.args.get("sort", "updated")
    state, sort = (state if state in FILTERS else ""), (sort if sort in SORTS else "updated")
    offset = number_arg("offset") or 0
    found = queries.mappings(
        current_user.id, q=q, state=state, sort=sort, language=current_user.title_language, offset=offset, limit=PAGE
    )
    kept: dict[str, Any] = {
        name: value for name, value in (("q", q), ("state", state), ("sort", sort)) if value and value != "updated"
    }
    counts = {} if q else queries.pile_counts(current_user.id)  # of the whole list, so not beside a search
    named = (
        ("", _("All")),
        ("placed", _("Placed")),
        ("needs_you", _("Needs you")),
        ("waiting", _("Waiting")),
        ("no_match", _("Not on Trakt")),
        ("unknown", _("Not looked at")),
        ("manual", _("By hand")),
        ("auto", _("Automatic")),
        ("movie", _("Movies")),
        ("never", _("Never sent")),
        ("scrobbler", _("Left to a scrobbler")),
        ("ignored", _("Put aside")),
    )
    chips = [
        (
            code,
            text,
            url_for("mappings.show", **{**kept, "state": code})
            if code
            else url_for("mappings.show", **{k: v for k, v in kept.items() if k != "state"}),
            counts.get(code or "all") if code in ("", *words.PILES) else None,
        )
        for code, text in named
    ]
    return {
        "q": q, "state": state, "sort": sort, "found": found, "chips": chips, "offset": offset,
        "older": url_for("mappings.show", **kept, offset=found.next) if found.next else None,
        "newer": url_for("mappings.show", **kept, offset=max(offset - PAGE, 0)) if offset else None,
    }  # fmt: skip


@blueprint.get("")
def show() -> ResponseReturnValue:
    return render_template("mappings/_list.html" if is_htmx() else "mappings/mappings.html", **list_context())


@blueprint.get("/progress")
def progress() -> ResponseReturnValue:
    """The whole sync progress table."""
    offset = number_arg("offset") or 0
    total = queries.progress_count(current_user.id)
    rows = queries.progress_rows(current_user.id, limit=100, offset=offset)
    older = url_for("mappings.progress", offset=offset + 100) if offset + 100 < total else None
    newer = url_for("mappings.progress", offset=max(offset - 100, 0)) if offset else None
    return render_template("mappings/progress.html", progress=rows, progress_more=False, total=total, older=older, newer=newer)  # fmt: skip


# One title


def entry_context(anilist_id: int) -> dict[str, Any]:
    title = _title(anilist_id)
    looking = next((run for run in queries.open_runs(current_user.id) if run.anilist_id == anilist_id and run.status in OPEN), None)  # fmt: skip
    return {
        "title": title,
        "entry": title.entry,
        "media": title.media,
        "placement": (title.entry.placement if title.entry else None) or {},
        "siblings": queries.siblings(current_user.id, title),
        "plays": queries.plays_of_entry(current_user.id, anilist_id),
        "extras": beyond.history(current_user.id, anilist_id=anilist_id).extras,
        "held": queries.held_plays(current_user.id, anilist_id=anilist_id)
        + beyond.held_of(current_user.id, anilist_id),
        "looking": looking,
        "key": decisions.candidate_key,
        "trakt": queries.connections(current_user.id).get("trakt"),
    }


def _title(anilist_id: int) -> Title:
    title = queries.entry(current_user.id, anilist_id) if 0 < anilist_id <= MAX_ID else None
    if title is None:
        abort(404)
    return title


@blueprint.get("/<int:anilist_id>")
def entry(anilist_id: int) -> ResponseReturnValue:
    title = _title(anilist_id)
    return _page(title, span_form(title), span_rows(title))


def _page(title: Title, form: Form, rows: int, status: int = 200) -> ResponseReturnValue:
    """The whole page, or for HTMX what the form's place would mean."""
    trial = Form(form.values)
    kind, trakt_id, spans = trial.choice("kind", ("show", "movie")), trial.number("trakt_id", required=False), read_spans(trial)  # fmt: skip
    try:
        corrections.check_spans(spans)
    except corrections.OverlappingSpans:
        spans = []
    context = {
        "form": form,
        "rows": rows,
        "outlook": places.look(title, kind, trakt_id, spans if kind == "show" else []),
        "seasons": sorted(int(number) for number in places.seasons_of(title, trakt_id)) if kind == "show" else [],
    }
    if is_htmx() and request.method == "POST":
        return render_template("mappings/_outlook.html", title=title, **context), status
    return render_template("mappings/entry.html", **context, **entry_context(title.anilist_id)), status


@blueprint.post("/<int:anilist_id>/outlook")
def outlook(anilist_id: int) -> ResponseReturnValue:
    """What the place in the form would mean; nothing is saved."""
    with own_transaction():
        form = Form(request.form)
        return _page(_title(anilist_id), form, _rows_of(form))


def _rows_of(form: Form) -> int:
    used = [int(name[6:]) for name in form.values if name.startswith("first-") and name[6:].isdecimal() and len(name) < 10]  # fmt: skip
    filled = [index for index in used if any(form.value(f"{part}-{index}") for part in ("first", "last", "season", "start"))]  # fmt: skip
    return min(max(filled, default=0) + 2, MOST_SPANS)


@blueprint.get("/<int:anilist_id>/place")
def place(anilist_id: int) -> ResponseReturnValue:
    """The part that says where the title goes; polls while a run looks at it."""
    return render_template("mappings/_place.html", **entry_context(anilist_id))


def span_rows(title: Title) -> int:
    """One blank row more than there are spans, so that another range can be added without a script."""
    return min(len(title.spans) + 1, MOST_SPANS)


def span_form(title: Title) -> Form:
    values: dict[str, object] = {}
    spans: list[tuple[object, ...]] = [(span.first, span.last, span.season, span.start) for span in title.spans]
    if not spans and title.entry and title.entry.placement:
        placed = (title.entry.placement.get("spans") or [])[: MOST_SPANS - 1]
        spans = [(span["from"], span["to"], span["season"], span["start"]) for span in placed] if not title.manual else []  # fmt: skip
    for index, (first, last, season, start) in enumerate(spans):
        values |= {f"first-{index}": first, f"last-{index}": last, f"season-{index}": season, f"start-{index}": start}
    known = title.manual or title.auto
    values |= {"kind": (title.entry.kind if title.entry else None) or (known.kind if known else "show"), "trakt_id": (title.entry.trakt_id if title.entry else None) or (known.trakt_id if known else None), "rows": max(len(spans), 1)}  # fmt: skip
    return Form(values)


def read_spans(form: Form) -> list[corrections.SpanInput]:
    """Rows of the form that are not blank; errors stand beside their fields."""
    spans = []
    for index in range(MOST_SPANS):
        names = [f"{part}-{index}" for part in ("first", "last", "season", "start")]
        if not any(form.value(name).strip() for name in names):
            continue
        first = form.number(names[0], high=20_000)
        last = form.number(names[1], high=20_000, required=False)
        season = form.number(names[2], low=0, high=1_000)
        start = form.number(names[3], high=20_000)
        if first is None or season is None or start is None:
            continue
        if last is not None and last < first:
            form.errors[names[1]] = _("The last episode comes before the first.")
            continue
        spans.append(corrections.SpanInput(first, last, season, start))
    return spans


@blueprint.post("/<int:anilist_id>/spans")
def save_spans(anilist_id: int) -> ResponseReturnValue:
    """Which show or movie, and which episodes go where: saved together, then looked at on Trakt."""
    form = Form(request.form)
    kind = form.choice("kind", ("show", "movie"))
    trakt_id = form.number("trakt_id")
    spans = read_spans(form) if kind == "show" else []
    if form.ok:
        try:
            corrections.check_spans(spans)
        except corrections.OverlappingSpans:
            form.errors["first-0"] = _("Two ranges name the same episode.")
    if not form.ok or trakt_id is None:
        with own_transaction():
            return _page(_title(anilist_id), form, _rows_of(form), 422)
    before = _manual_ids(anilist_id, trakt_id)
    given = corrections.MappingInput(anilist_id, trakt_id, kind=kind, **before)
    corrections.save_mapping(current_user, given, spans)
    if form.value("do") == "move":  # looks at the place itself, then posts, confirms, and removes
        started = runs.move(current_user.id, anilist_id)
        return redirect(url_for("runs.show", run_id=started.run.id), 303)
    return look_again(anilist_id, _("Saved. Tsuzuki looks at the place now."))


def _manual_ids(anilist_id: int, trakt_id: int) -> dict[str, Any]:
    """Ids that the person gave earlier for the same show stay."""
    with transaction(readonly=True):
        title = queries.entry(current_user.id, anilist_id)
    manual = title.manual if title else None
    if manual is None or manual.trakt_id != trakt_id:
        return {}
    return {"tmdb_id": manual.tmdb_id, "imdb_id": manual.imdb_id, "tvdb_id": manual.tvdb_id}


@blueprint.post("/<int:anilist_id>/refresh")
def refresh(anilist_id: int) -> ResponseReturnValue:
    return look_again(anilist_id, _("Tsuzuki looks at the place now."))


@blueprint.post("/<int:anilist_id>/again")
def again(anilist_id: int) -> ResponseReturnValue:
    """The next run looks at the title from episode 1, whatever it has settled."""
    runbook.look_from_the_start(current_user, anilist_id)
    flash(_("The next run looks at this title from episode 1. What stands on Trakt is not sent again."), "ok")
    return redirect(url_for("mappings.entry", anilist_id=anilist_id), 303)


@blueprint.post("/<int:anilist_id>/reset")
def reset(anilist_id: int) -> ResponseReturnValue:
    decisions.reset(current_user, anilist_id)
    return look_again(anilist_id, _("Your corrections are gone; the sources decide again."))


@blueprint.post("/<int:anilist_id>/choice")
def choose(anilist_id: int) -> ResponseReturnValue:
    """`choice`: never, ignored, or empty to take it back."""
    choice = request.form.get("choice", "")
    if choice and choice not in decisions.CHOICES:
        abort(400)
    if not decisions.set_choice(current_user, [anilist_id], choice or None):
        abort(404)
    flash({"never": _("This title will never be sent."), "scrobbler": _("Left to your scrobbler; Tsuzuki sends nothing of it."), "ignored": _("Put aside; you won't be asked again.")}.get(choice, _("Taken back; the next run looks at it again.")), "ok")  # fmt: skip
    back = request.form.get("back")
    return redirect(url_for("review.show") if back == "review" else url_for("mappings.entry", anilist_id=anilist_id), 303)  # fmt: skip


@blueprint.post("/<int:anilist_id>/sync")
def sync(anilist_id: int) -> ResponseReturnValue:
    """Send this title now, or look at its plan first."""
    doing = request.form.get("do", "send")
    started = runs.start(current_user.id, "title", "page", preview=doing == "preview", anilist_id=anilist_id)
    return redirect(url_for("runs.show", run_id=started.run.id), 303)


@blueprint.post("/<int:anilist_id>/move")
def move(anilist_id: int) -> ResponseReturnValue:
    """`misplaced`: move what was sent to the new place, or keep it where it stands."""
    if request.form.get("do") == "keep":
        try:
            decisions.keep_where_it_stands(current_user, anilist_id)
        except decisions.NothingToChoose:
            flash(_("There is no single place that could be kept. Correct the place below."), "review")
            return redirect(url_for("mappings.entry", anilist_id=anilist_id), 303)
        return look_again(anilist_id, _("Kept. New episodes go there too."))
    decisions.note_move(current_user, anilist_id)
    started = runs.move(current_user.id, anilist_id)
    return redirect(url_for("runs.show", run_id=started.run.id), 303)


@blueprint.post("/<int:anilist_id>/send-again")
def send_again(anilist_id: int) -> ResponseReturnValue:
    try:
        started = runs.send_again(current_user.id, anilist_id=anilist_id)
    except runs.RunError as error:
        flash(words.command_error(error.code), "review")
        return redirect(url_for("mappings.entry", anilist_id=anilist_id), 303)
    return redirect(url_for("runs.show", run_id=started.run.id), 303)
