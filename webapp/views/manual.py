"""Add by id: which show or movie on Trakt a title of AniList is, typed by hand."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import corrections
from webapp.forms import Form
from webapp.i18n import gettext as _
from webapp.templating import is_htmx
from webapp.views.mappings import look_again

blueprint = Blueprint("manual", __name__)


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
    corrections.save_mapping(current_user, given)
    return look_again(anilist_id, _("Saved. Tsuzuki looks at the place now."))
