"""Why is this not on Trakt? A title or a link leads to the entry, its place, its plays and what the last run said."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import queries, references
from webapp.i18n import gettext as _
from webapp.why import reasons

blueprint = Blueprint("why", __name__, url_prefix="/mappings")
MOST = 8


@blueprint.get("/why")
def show() -> ResponseReturnValue:
    text = request.args.get("q", "").strip()[: references.LONGEST]
    found, problem = [], ""
    if text:
        try:
            named = references.parse(text)
        except ValueError:
            named, problem = None, _("This address names no title. Paste the one of AniList, or type a title.")
        if not problem:
            by_number = named is not None and (named.service == "anilist" or (named.service == "trakt" and named.value.isdecimal()))  # fmt: skip
            q = named.value if named is not None and by_number else text
            page = queries.mappings(current_user.id, q=q[:200], sort="progress", limit=MOST)
            entries = [row[0] for row in page.rows]
            found = list(zip(entries, reasons(current_user, entries), strict=True))
            if not found:
                problem = _("Nothing like this is on your AniList list, as far as it was read.")
    return render_template("mappings/why.html", q=text, found=found, problem=problem)
