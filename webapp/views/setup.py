"""The first account: asked for once, by whoever reads the start's output or sits at the machine."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import auth, security
from webapp.database import transaction
from webapp.forms import Form
from webapp.i18n import gettext as _

blueprint = Blueprint("setup", __name__)
SHORTEST = 8


@blueprint.get("/setup")
def show() -> ResponseReturnValue:
    if auth.first_account() is not None:
        abort(404)
    return render_template("setup/show.html", form=Form(), needs_code=not auth.from_loopback())


@blueprint.post("/setup")
def create() -> ResponseReturnValue:
    form = Form(request.form)
    needs_code = not auth.from_loopback()
    with transaction(readonly=True):
        closed = auth.first_account() is not None
        fits = not needs_code or auth.setup_code_fits(form.value("code"))
    if closed:
        abort(404)
    tries = f"setup {request.remote_addr}"
    name = form.text("username", longest=64)
    password = form.value("password")
    if len(password) < SHORTEST:
        form.errors["password"] = _("Take at least %(count)s characters.", count=SHORTEST)
    if not security.may_try(tries):
        form.errors["code"] = _("Too many wrong tries. Wait five minutes, then try again.")
    elif not fits:
        security.count_wrong_try(tries)
        form.errors["code"] = _("This is not the code. The start of Tsuzuki prints it; a new start prints a new one.")
    if not form.ok:
        return render_template("setup/show.html", form=form, needs_code=needs_code), 422
    try:
        person = auth.create_first_account(name, password)
    except auth.AccountExists:
        abort(404)
    auth.sign_in(person)
    return redirect(url_for("home.show"), 303)
