"""Subscribed lists: files of corrections at an address, kept fresh like the caches. For administrators."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from jobs.public_address import NotPublic
from webapp import caches, enqueue
from webapp.forms import MAX_ID, Form
from webapp.i18n import gettext as _
from webapp.retold import retold

blueprint = Blueprint("lists", __name__, url_prefix="/manual/lists")


@blueprint.before_request
def administrators_only() -> None:
    if current_user.is_authenticated and not current_user.is_admin:
        abort(403)


@blueprint.get("")
def show() -> ResponseReturnValue:
    return page(Form())


def page(form: Form, status: int = 200) -> ResponseReturnValue:
    return render_template("transfer/lists.html", form=form, lists=caches.lists()), status


@blueprint.post("")
def add() -> ResponseReturnValue:
    form = Form(request.form)
    title = form.text("title", longest=64)
    url = form.text("url", longest=1000)
    if form.ok:
        try:
            list_id = caches.subscribe(current_user, title, url)
        except NotPublic as error:
            form.errors["url"] = retold(error.detail)
        except caches.AlreadyThere:
            form.errors["url"] = _("This list is there already.")
        except caches.TooManyLists:
            form.errors["url"] = _("There are %(count)s lists already, which is the most.", count=caches.MOST_LISTS)
    if not form.ok:
        return page(form, 422)
    return reading(list_id, title)


@blueprint.post("/<int:list_id>/refresh")
def refresh(list_id: int) -> ResponseReturnValue:
    return reading(list_id, _title(list_id))


@blueprint.post("/<int:list_id>/accept")
def accept(list_id: int) -> ResponseReturnValue:
    """Take the file that was held back because it has too few rows."""
    title = _title(list_id)
    if not caches.accept_loss(f"list:{list_id}"):
        abort(404)
    return reading(list_id, title)


@blueprint.post("/<int:list_id>/remove")
def remove(list_id: int) -> ResponseReturnValue:
    title = _title(list_id)
    caches.unsubscribe(list_id)
    flash(_("%(name)s is gone. Its titles are looked at again with the next run.", name=title), "ok")
    return redirect(url_for("lists.show"), 303)


def _title(list_id: int) -> str:
    found = next((row.title for row, _state in caches.lists() if row.id == list_id <= MAX_ID), None)
    if found is None:
        abort(404)
    return found


def reading(list_id: int, title: str) -> ResponseReturnValue:
    put = enqueue.mapping_list(list_id)
    message = (
        _("%(name)s is being read.", name=title)
        if put
        else _("The queue does not answer. The worker reads the list by itself once it is back.")
    )
    flash(message, "run" if put else "bad")
    return redirect(url_for("lists.show"), 303)
