"""Runs: what one would do or did, its progress and log; send, approve, cancel, undo, send again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import files, pictures, queries, words, words_beyond
from webapp import runs as commands
from webapp.forms import number_arg
from webapp.i18n import gettext as _
from webapp.models import OPEN, Connection, Run, utcnow
from webapp.queries import beyond, repair
from webapp.queries.runs import ItemPage, Part
from webapp.report import report_of
from webapp.views.plans import plan_context, run_of

blueprint = Blueprint("runs", __name__)
STOP_POLLING = 286  # htmx ends a poller that gets it
PAGE = 50
ITEMS = 25  # titles of a run
LINES = 50  # of the log on the page of a run
MOST_EXTRAS = 20_000


@blueprint.get("/runs")
def index() -> ResponseReturnValue:
    before = number_arg("before")
    rows = queries.runs(current_user.id, before=before, limit=PAGE + 1)
    older = url_for("runs.index", before=rows[PAGE - 1].id) if len(rows) > PAGE else None
    return render_template("runs/list.html", groups=_folded(rows[:PAGE]), older=older, newer=url_for("runs.index") if before else None)  # fmt: skip


def _folded(rows: list[Run]) -> list[list[Run]]:
    """Neighbouring checks that found nothing new become one group; every other run is a group of its own."""
    groups: list[list[Run]] = []
    for run in rows:
        quiet = _is_quiet(run)
        if groups and quiet and _is_quiet(groups[-1][0]):
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _is_quiet(run: Run) -> bool:
    result = run.result or {}
    nothing_sent = not run.plays_sent and not words_beyond.total(run, "sent")
    return run.status == "succeeded" and nothing_sent and not run.preview and run.mode == "full" and not result.get("review")  # fmt: skip


@blueprint.get("/runs/<int:run_id>")
def show(run_id: int) -> ResponseReturnValue:
    run = run_of(run_id)
    outcome = request.args.get("outcome", "")
    offset = number_arg("offset") or 0
    plan = plan_context(run)
    planned = _is_planned(run)
    in_plan = "sent" if plan["decidable"] else None  # these stand in the plan already
    counts = queries.outcome_counts(run.id)
    counts.pop(in_plan or "", None)
    items = queries.items_of(run.id, outcome=outcome or None, without=in_plan, offset=offset, limit=ITEMS) if counts else ItemPage([], None)  # fmt: skip
    state = _progress_context(run)
    return render_template(
        "runs/run.html",
        **state,
        **plan,
        outcome=outcome,
        outcomes=counts,
        kind="planned" if planned else "outcome",
        items=items,
        parts=queries.sent_parts(run.id, [item.anilist_id for item, _media in items.items])
        if counts and not planned
        else {},
        offset=offset,
        report=report_of(run),
        vanished=queries.vanished_titles(run) if run.reason == "plays_vanished" else [],
        changed=_changed_accounts(run),
        findings=repair.findings_of(run.id) if run.mode == "repair" else [],
        extras=beyond.extras_of(run.id) if state["beyond"] else [],
        lines=queries.run_log(run.id, limit=LINES),
        parent=queries.run(current_user.id, run.parent_id) if run.parent_id else None,
    )


def _changed_accounts(run: Run) -> list[Connection]:
    """Where another account answered than before; the run waits until the person says which one it is."""
    if (run.status, run.reason) != ("needs_approval", "account_changed"):
        return []
    return [row for row in queries.connections(run.user_id).values() if row.pending_account_id]


def _is_planned(run: Run) -> bool:
    """Whether the run only says what it would do."""
    return run.preview or run.status == "needs_approval"


@blueprint.get("/runs/<int:run_id>/items.<any(json, csv):form>")
def download(run_id: int, form: str) -> ResponseReturnValue:
    """What the run did with each title, or would do, and ratings and lists beyond the plays, as a file."""
    run = run_of(run_id)
    planned = _is_planned(run)
    parts: Mapping[int, Sequence[Part]] = _planned_parts(run.id) if planned else queries.sent_parts(run.id)
    rows = [files.item_row(item, media, parts.get(item.anilist_id, ()), planned=planned) for item, media in queries.items_of(run.id, limit=files.MOST).items]  # fmt: skip
    extras = beyond.plan_of(run.id) if planned else beyond.extras_of(run.id, limit=files.MOST)
    rows += [files.extra_row(extra, media) for extra, media in extras]
    text = files.as_json({"runId": run.id, "status": run.status, "items": rows}) if form == "json" else files.as_csv(files.ITEM_COLUMNS, rows)  # fmt: skip
    return files.answer(text, f"tsuzuki-run-{run.id}.{form}")


@blueprint.get("/runs/<int:run_id>/report.svg")
def picture(run_id: int) -> ResponseReturnValue:
    """The report as a picture to keep and to show: numbers and the clearest cases, nothing private."""
    report = report_of(run_of(run_id))
    if report is None:
        abort(404)
    return files.answer(pictures.draw(report), "tsuzuki-report.svg")


def _planned_parts(run_id: int) -> dict[int, Sequence[Part]]:
    ids = [row.anilist_id for row in queries.plan_titles(run_id)]
    return {row.anilist_id: row.parts for row in queries.plan_of(run_id, ids)}


def _undoable(run: Run, stands: bool) -> bool:
    """Whether something that this run did on Trakt can be taken back."""
    if run.undone_by or run.preview or run.mode in ("undo", "move"):
        return False
    return stands or (run.mode == "repair" and bool(repair.taken_away(run.id, commands.TAKEN_AWAY)))


@blueprint.get("/runs/<int:run_id>/progress")
def progress(run_id: int) -> ResponseReturnValue:
    """Polls itself while the run is open; at the end it stops and tells the rest of the page."""
    run = run_of(run_id)
    answer = make_response(render_template("runs/_progress.html", oob=True, **_progress_context(run)))
    if run.status not in OPEN:
        answer.status_code = STOP_POLLING
        answer.headers["HX-Trigger"] = "run-ended, changed"
    return answer


@blueprint.get("/runs/<int:run_id>/log")
def log(run_id: int) -> ResponseReturnValue:
    """Lines after the id `after` and the next sentinel; 204 while there are none, 286 when none will come."""
    run = run_of(run_id)
    after = number_arg("after") or 0
    lines = queries.run_log(run.id, after)
    if not lines:
        return "", 204 if run.status in OPEN else STOP_POLLING
    return render_template("runs/_log.html", run=run, lines=lines, active=run.status in OPEN)


@blueprint.get("/runs/<int:run_id>/plan/<int:anilist_id>")
def plan_entry(run_id: int, anilist_id: int) -> ResponseReturnValue:
    """Every play of one entry of a plan."""
    run = run_of(run_id)
    plays = queries.plan_plays(run.id, anilist_id)
    if not plays:
        abort(404)
    title = queries.entry(current_user.id, anilist_id)
    page = "runs/_plan_entry.html" if "HX-Request" in request.headers else "runs/plan_entry.html"
    return render_template(page, run=run, plays=plays, title=title)


@blueprint.get("/runs/<int:run_id>/undo")
def confirm_undo(run_id: int) -> ResponseReturnValue:
    run = run_of(run_id)
    back = repair.taken_away(run.id, commands.TAKEN_AWAY) if run.mode == "repair" else 0
    more = words_beyond.named_rows(beyond.kinds_of(run.id, "sent"))
    return render_template("runs/undo.html", run=run, plays=queries.run_plays(run.id), back=back, more=more)


# What a person may do


def _act(run_id: int, command: Callable[[], Run], said: str) -> ResponseReturnValue:
    """Do it and go to the run that answers; a command that is not possible says why on the page it came from."""
    try:
        run = command()
    except commands.RunError as error:
        if error.status == 404:
            abort(404)
        flash(words.command_error(error.code), "review")
        return redirect(url_for("runs.show", run_id=run_id), 303)
    if said:
        flash(said, "run")
    return redirect(url_for("runs.show", run_id=run.id), 303)


@blueprint.post("/runs/<int:run_id>/send")
def send(run_id: int) -> ResponseReturnValue:
    """Send a preview, whole or what is ticked."""
    chosen, extras = _ticked(), _ticked_extras()
    if _nothing(chosen, extras):
        flash(_("Nothing is ticked, so nothing was sent."), "review")
        return redirect(url_for("runs.show", run_id=run_id), 303)
    return _act(run_id, lambda: commands.send_preview(run_id, current_user.id, chosen, extras=extras).run, "")


@blueprint.post("/runs/<int:run_id>/approve")
def approve(run_id: int) -> ResponseReturnValue:
    chosen, extras = _ticked(), _ticked_extras()
    if _nothing(chosen, extras):
        flash(_("Nothing is ticked, so nothing was sent."), "review")
        return redirect(url_for("runs.show", run_id=run_id), 303)
    return _act(
        run_id, lambda: commands.approve(run_id, current_user.id, chosen, extras).run, _("Approved. It starts now.")
    )


@blueprint.post("/runs/<int:run_id>/cancel")
def cancel(run_id: int) -> ResponseReturnValue:
    said = _("It stops after the request that is open. What was sent before stays on Trakt.")
    return _act(run_id, lambda: commands.cancel(run_id, current_user.id), said)


@blueprint.post("/runs/<int:run_id>/undo")
def undo(run_id: int) -> ResponseReturnValue:
    return _act(run_id, lambda: commands.undo(run_id, current_user.id).run, "")


@blueprint.post("/runs/<int:run_id>/send-again")
def send_again(run_id: int) -> ResponseReturnValue:
    return _act(run_id, lambda: commands.send_again(current_user.id, run_id=run_id).run, "")


def _ticked() -> list[int] | None:
    """Ticked entries, and those of the plan that the page did not show (`rest`); None when the form has no boxes or that is all of it."""
    if "ticks" not in request.form:
        return None
    unseen = request.form.get("rest", "").split(",")
    chosen = [int(value) for value in (*request.form.getlist("entries"), *unseen) if value.isdigit()]
    return None if str(len(chosen)) == request.form["ticks"] else chosen


def _ticked_extras() -> list[str] | None:
    """Ticked ratings, watchlist items and dropped shows; None when the form has no boxes for them."""
    if "extra_ticks" not in request.form:
        return None
    return [code for code in request.form.getlist("extras") if len(code) <= 64][:MOST_EXTRAS]


def _nothing(chosen: list[int] | None, extras: list[str] | None) -> bool:
    """Whether a form with boxes came back without any tick."""
    if chosen == []:
        return not extras
    return chosen is None and extras == [] and request.form.get("ticks") == "0"


# What is shown


def _progress_context(run: Run) -> dict[str, Any]:
    """Shared by the page and by the fragment that polls: how far it is, what it asked of whom, what may be done."""
    now = utcnow()
    active = run.status in OPEN
    done = max(run.done, min(run.plays_sent, run.total)) if run.phase == "posting" else run.done
    began, sent = queries.posting_since(run) if run.status == "running" and run.phase == "posting" else (None, 0)
    posting = (now - began).total_seconds() if began else 0.0
    pace = sent / posting if sent and posting >= 1 else 0.0  # plays a second
    requests = queries.requests_of(run.id)
    plays, stands = (False, False) if active or run.preview else queries.has_plays(run.id)
    extras = beyond.Standing() if run.preview else beyond.standing_of(run.id)
    return {
        "run": run,
        "active": active,
        "done": done,
        "seconds": ((run.finished_at or now) - (run.started_at or run.created_at)).total_seconds(),
        "pace": round(pace * 60),
        "left": (run.total - done) / pace if pace else None,
        "requests": requests,
        "request_count": sum(row.requests for row in requests),
        "plays": plays,
        "undoable": not active and _undoable(run, stands or bool(extras.sent)),
        "held": 0 if not plays else queries.held_plays(current_user.id, run_id=run.id),
        "held_extras": 0 if active else extras.held,
        "beyond": extras.rows,
        "read_back": queries.read_back(run),
    }
