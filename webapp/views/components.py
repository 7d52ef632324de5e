"""Every component in every variant on one page, for whoever works on the looks. Served with LOG_LEVEL=debug only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp import bars, year
from webapp.forms import Form
from webapp.models import Media, utcnow
from webapp.words import STATES

blueprint = Blueprint("components", __name__)
TONES: Final = ("ok", "run", "new", "review", "bad", "off")
LONG: Final = {"1": [[n] for n in range(1, 65)], "2": [[n] for n in range(1, 13)]}
SEASONS: Final = {str(season): [[n] for n in range(1, 13)] for season in range(4)}


@blueprint.get("/_components")
def show() -> ResponseReturnValue:
    for tone in TONES:
        flash(f"A note that says: {tone}.", tone)
    return render_template(
        "components/show.html", tones=TONES, states=STATES, **drawings(), **fields(), posters=posters()
    )


@blueprint.post("/_components")
def nothing() -> ResponseReturnValue:
    """Where its buttons lead."""
    return redirect(url_for("components.show"), 303)


def drawings() -> dict[str, Any]:
    def span(season: int, start: int, last: int = 12) -> dict[str, int]:
        return {"from": 1, "to": last, "season": season, "start": start}

    today = utcnow().date()
    plays = {today - timedelta(days=n): n * 7 % 13 for n in range(0, 360, 3)}
    return {
        "year": year.draw(plays, today),
        "seasons": {
            "watched": bars.draw(SEASONS, [span(2, 1)], 12),
            "watched in part, beside another title": bars.draw(SEASONS, [span(2, 1, 6)], 4, [span(2, 7, 6)]),
            "a long one": bars.draw(LONG, [span(1, 26, 24)], 24),
            "specials": bars.draw(SEASONS, [span(0, 3, 2)], 2),
        },
    }


def fields() -> dict[str, Any]:
    wrong = Form({"wrong": "abc"})
    wrong.errors["wrong"] = "This is no number."
    return {"form": Form({"plain": "A value"}), "wrong": wrong}


def posters() -> list[tuple[str, Media]]:
    """No picture, a picture, one that does not load, an adult title's."""

    def media(number: int, cover: str | None, *, adult: bool = False) -> Media:
        return Media(anilist_id=number, title_romaji="Sousou no Frieren", cover_url=cover, is_adult=adult)

    return [
        ("none", media(1, None)),
        ("a picture", media(2, "/static/img/mark.svg")),
        ("of an adult title", media(3, "/static/img/mark.svg", adult=True)),
        *((f"tone {tone}", media(tone, None)) for tone in range(4, 9)),
    ]
