"""What went to Trakt beyond plays: ratings, watchlist titles and dropped shows, newest first."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp import times, words
from webapp.forms import number_arg
from webapp.i18n import gettext as _
from webapp.models import EXTRA_KINDS
from webapp.queries import beyond

blueprint = Blueprint("beyond", __name__)


@blueprint.get("/history/beyond")
def show() -> ResponseReturnValue:
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    kind, state = (kind if kind in EXTRA_KINDS else ""), (state if state in beyond.STATES else "")
    before = number_arg("before")
    page = beyond.history(current_user.id, kind=kind, state=state, before=before)
    kept: dict[str, Any] = {name: value for name, value in (("kind", kind), ("state", state)) if value}
    kinds = [("", _("All")), *((code, words.label("beyond", code)) for code in EXTRA_KINDS)]
    states = [("", _("All")), ("sent", _("Sent")), ("hold", _("On hold")), ("open", _("On the way"))]
    return render_template(
        "history/beyond.html",
        kind=kind,
        state=state,
        kinds=[(code, text, _address(kept, kind=code), None) for code, text in kinds],
        states=[(code, text, _address(kept, state=code), None) for code, text in states],
        days=[
            (day, list(rows))
            for day, rows in groupby(page.extras, key=lambda row: times.local_day(row[0].sent_at or row[0].created_at))
        ],
        older=url_for("beyond.show", before=page.next, **kept) if page.next else None,
        newer=url_for("beyond.show", **kept) if before else None,
    )


def _address(kept: dict[str, Any], **changed: str) -> str:
    wanted: dict[str, Any] = {name: value for name, value in {**kept, **changed}.items() if value}
    return url_for("beyond.show", **wanted)
