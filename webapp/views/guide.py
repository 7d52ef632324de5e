"""Help: the words, the states and the reasons, each with its sentence."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp import words

blueprint = Blueprint("help", __name__)


@blueprint.get("/help")
def show() -> ResponseReturnValue:
    return render_template("help/help.html", reasons=words.REASONS, run_reasons=words.RUN_REASONS, piles=words.PILES, plays=words.PLAYS)  # fmt: skip
