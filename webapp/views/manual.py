"""Add by id: which show or movie on Trakt a title of AniList is, typed by hand."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import corrections, lookups, words
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.templating import is_htmx
from webapp.views.places import look_again

blueprint = Blueprint("manual", __name__)


def checked(form: Form, given: corrections.MappingInput) -> bool:
    """Ask Trakt whether these ids exist and mean one thing; what does not stands beside its field, with what was looked up."""
    other = {"tmdb_id": ("tmdb", given.tmdb_id), "imdb_id": ("imdb", given.imdb_id), "tvdb_id": ("tvdb", given.tvdb_id)}
    asked = {name: (service, value) for name, (service, value) in other.items() if value is not None and not (service == "tvdb" and given.kind == "movie")}  # fmt: skip
    parts = [{"service": "trakt", "value": str(given.trakt_id), "kind": given.kind}]
    parts += [{"service": service, "value": str(value), "kind": given.kind} for service, value in asked.values()]
    row = lookups.wait(current_user.id, lookups.ask(current_user.id, parts))
    if row is None or row.state != "answered":
        form.values["unchecked"] = "1"
        form.errors["trakt_id"] = _("Trakt could not be asked whether this exists, so nothing was saved. Press Save once more to save it unchecked.")  # fmt: skip
        return False
    what = _("show") if given.kind == "show" else _("movie")
    if not row.answer[0]:
        form.errors["trakt_id"] = _("Trakt has no %(what)s %(id)s.", what=what, id=given.trakt_id)
    for name, found in zip(asked, row.answer[1:], strict=True):
        service, value = words.label("service", asked[name][0]), asked[name][1]
        named = [one for one in found if one["traktId"] == given.trakt_id]
        if not found:
            form.errors[name] = _(
                "Trakt knows no %(what)s by %(service)s %(id)s.", what=what, service=service, id=value
            )
        elif row.answer[0] and not named:
            form.errors[name] = _("%(service)s %(id)s is “%(title)s” on Trakt, not this one.", service=service, id=value, title=found[0]["title"] or found[0]["traktId"])  # fmt: skip
    return form.ok


@blueprint.get("/manual")
def show() -> ResponseReturnValue:
    return render_template("manual/manual.html", form=Form({"anilist_id": request.args.get("anilistId", ""), "kind": "show"}))  # fmt: skip


@blueprint.post("/manual")
def save() -> ResponseReturnValue:
    form = Form(request.form)
    anilist_id, trakt_id = form.anilist_id("anilist_id"), form.number("trakt_id")
    kind = form.choice("kind", ("show", "movie"))
    tmdb_id, tvdb_id = form.number("tmdb_id", required=False), form.number("tvdb_id", required=False)
    imdb_id = form.text("imdb_id", required=False, longest=20)
    if imdb_id and not re.fullmatch(r"tt\d{5,12}", imdb_id):
        form.errors["imdb_id"] = _("An IMDb id looks like tt2560140.")
    if not form.ok or anilist_id is None or trakt_id is None:
        return render_template("manual/_form.html" if is_htmx() else "manual/manual.html", form=form), 422
    given = corrections.MappingInput(anilist_id, trakt_id, kind, tmdb_id, imdb_id or None, tvdb_id)
    if not form.value("unchecked") and not checked(form, given):
        return render_template("manual/_form.html" if is_htmx() else "manual/manual.html", form=form), 422
    corrections.save_mapping(current_user, given)
    return look_again(anilist_id, _("Saved. Tsuzuki looks at the place now."))
