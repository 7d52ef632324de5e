"""Sync: what would happen now, a preview, a run."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import queries, runbook, runs, words
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.standing import is_connected
from webapp.views.plans import plan_context

blueprint = Blueprint("sync", __name__)
ROWS = 10  # of the plan; all of it is on the page of its run
MODES = ("full", "completed", "watching", "title")


def page(form: Form, status: int = 200) -> ResponseReturnValue:
    connections = queries.connections(current_user.id)
    runs_ = queries.latest(current_user.id)
    preview = runs_.preview
    return render_template(
        "sync/sync.html",
        form=form,
        run=preview,
        **(plan_context(preview, ROWS) if preview else {}),
        last_check=runs_.last_check,
        open_runs=runs_.open_runs,
        waiting=runs_.waiting_approval,
        anilist=is_connected(connections.get("anilist")),
        trakt=is_connected(connections.get("trakt")),
    ), status


@blueprint.get("/sync")
def show() -> ResponseReturnValue:
    return page(Form({"anilist_id": request.args.get("anilistId", ""), "mode": "full"}))


@blueprint.post("/sync/everything")
def everything() -> ResponseReturnValue:
    """The next run looks at the whole list, not only at what is new."""
    runbook.look_at_everything(current_user)
    flash(_("The next run looks at your whole list. What stands on Trakt is not sent again."), "ok")
    return redirect(url_for("sync.show"), 303)


@blueprint.post("/sync")
def start() -> ResponseReturnValue:
    """`do` is preview or send; `mode` full, completed, watching or title with `anilist_id`."""
    form = Form(request.form)
    mode = form.choice("mode", MODES)
    doing = form.choice("do", ("preview", "send"))
    anilist_id = form.anilist_id("anilist_id") if mode == "title" else None
    rule = form.choice("date_rule", tuple(words.DATE_RULES)) if form.value("date_rule") else None
    if not form.ok:
        return page(form, 422)
    options = {"date_rule": rule} if rule else None
    started = runs.start(
        current_user.id, mode, "page", preview=doing == "preview", anilist_id=anilist_id, options=options
    )
    if started.joined:
        flash(_("This was under way already."), "run")
    return redirect(url_for("runs.show", run_id=started.run.id), 303)
