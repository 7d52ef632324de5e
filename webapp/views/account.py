"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import auth, security
from webapp.forms import Form
from webapp.i18n import gettext as _

blueprint = Blueprint("account", __name__)


@blueprint.get("/login")
def sign_in() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("home.show"), 303)
    if auth.first_account() is None:
        return redirect(url_for("setup.show"), 303)
    return render_template("account/sign_in.html", form=Form({"next": request.args.get("next", "")}))


@blueprint.post("/login")
def sign_in_send() -> ResponseReturnValue:
    form = Form(request.form)
    name, password = form.text("username", longest=64), form.value("password")
    if not password:
        form.errors["password"] = _("This is needed.")
    tries = (f"address {request.remote_addr}", f"name {name.casefold()}")
    if form.ok and (wait := security.seconds_to_wait(*tries)):
        form.errors["password"] = _("Too many wrong tries. Wait five minutes, then try again.")
        return render_template("account/sign_in.html", form=form), 429, {"Retry-After": str(wait)}
    if form.ok:
        person = auth.check_password(name, password)
        if person is not None:
            auth.sign_in(person)
            return redirect(inside(form.value("next")), 303)
        security.count_wrong_try(*tries)
        form.errors["password"] = _("This name and this password don't belong together.")
    return render_template("account/sign_in.html", form=form), 422


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    auth.sign_out()
    session.modified = True
    return redirect(url_for("account.sign_in"), 303)


def inside(address: str) -> str:
    """Only a path of our own; anything else leads home."""
    if address.startswith("/") and not address.startswith(("//", "/\\")) and not any(c in address for c in "\r\n\t"):
        return request.script_root + address
    return url_for("home.show")
