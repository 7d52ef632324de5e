"""Import and export of corrections as files: a look at what would change first, then the yes."""

from __future__ import annotations

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from jobs.mapping.correction_text import UnreadableText
from jobs.said import said
from webapp import corrections, transfer
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.i18n import ngettext
from webapp.retold import retold

blueprint = Blueprint("transfer", __name__, url_prefix="/manual")
MIME = {"yaml": "application/yaml", "json": "application/json"}
MOST_SHOWN = 500  # rows of one state that the page lists


@blueprint.get("/file")
def show() -> ResponseReturnValue:
    return render_template("transfer/transfer.html", error="")


@blueprint.get("/export.<form>")
def export(form: str) -> ResponseReturnValue:
    if form not in MIME:
        abort(404)
    answer = make_response(transfer.export(current_user, form))
    answer.headers["Content-Type"] = f"{MIME[form]}; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="tsuzuki-corrections.{form}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/file")
def upload() -> ResponseReturnValue:
    """Keep a readable file and show what it would change; nothing is written yet."""
    file = request.files.get("file")
    content = file.read() if file else b""
    try:
        if not content:
            raise UnreadableText(said("Choose a file first."))
        transfer.look(current_user, content)
    except UnreadableText as error:
        return render_template("transfer/transfer.html", error=_where(error)), 422
    return redirect(url_for("transfer.look", token=transfer.keep_draft(current_user, content)), 303)


@blueprint.get("/file/<token>")
def look(token: str) -> ResponseReturnValue:
    report = transfer.look(current_user, _draft(token))
    shown = {state: [c for c in report.changes if c.state == state][:MOST_SHOWN] for state in ("added", "changed", "same")}  # fmt: skip
    return render_template("transfer/look.html", report=report, shown=shown, token=token, most=MOST_SHOWN)


@blueprint.post("/file/<token>")
def take(token: str) -> ResponseReturnValue:
    content = _draft(token)
    try:
        report = transfer.take(current_user, content, leave_out="leave_out" in request.form)
    except transfer.RefusedRows:
        flash(_("Some rows cannot be taken. Say that they may be left out, or correct the file."), "review")
        return redirect(url_for("transfer.look", token=token), 303)
    count = len(report.to_write)
    flash(ngettext("%(num)s correction saved. The next run looks at it.", "%(num)s corrections saved. The next run looks at them.", count), "ok")  # fmt: skip
    return redirect(url_for("mappings.show", state="manual"), 303)


@blueprint.get("/override")
def override() -> ResponseReturnValue:
    """One episode of a show, for everyone on the instance."""
    _administrators_only()
    return render_template("transfer/override.html", form=Form())


@blueprint.post("/override")
def save_override() -> ResponseReturnValue:
    _administrators_only()
    form = Form(request.form)
    trakt_id = form.number("trakt_id")
    absolute, episode = form.number("abs", high=99_999), form.number("episode", high=99_999)
    season = form.number("season", low=0, high=9_999)
    if trakt_id is None or absolute is None or season is None or episode is None:
        return render_template("transfer/override.html", form=form), 422
    corrections.save_override(trakt_id, absolute, season, episode)
    flash(_("Saved. It counts for everyone here, from the next run on."), "ok")
    return redirect(url_for("transfer.override"), 303)


def _administrators_only() -> None:
    if not current_user.is_admin:
        abort(403)


def _draft(token: str) -> bytes:
    content = transfer.draft(current_user, token)
    if content is None:
        abort(404)
    return content


def _where(error: UnreadableText) -> str:
    why = retold(error.why)
    return _("Line %(line)s: %(reason)s", line=error.line, reason=why) if error.line else why
