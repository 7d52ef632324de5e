"""Pages, one module for each noun: parse the input, make one call, render."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask_login import current_user

from webapp import queries, words
from webapp.standing import broken, setup_step
from webapp.views import (
    account,
    beyond,
    components,
    guide,
    history,
    home,
    lists,
    logs,
    manual,
    mappings,
    places,
    plans,
    repair,
    review,
    runs,
    settings,
    setup,
    sync,
    transfer,
    why,
)

# Pages that have no place of their own in the navigation light up the one they belong to.
BELONGS_TO = {
    "beyond": "history",
    "runs": "history",
    "plans": "history",
    "logs": "history",
    "repair": "history",
    "manual": "mappings",
    "places": "mappings",
    "why": "mappings",
    "transfer": "mappings",
    "lists": "mappings",
    "oauth": "settings",
}


def register(app: Flask) -> None:
    for module in (
        account,
        beyond,
        guide,
        history,
        home,
        lists,
        logs,
        manual,
        mappings,
        places,
        plans,
        repair,
        review,
        runs,
        settings,
        setup,
        sync,
        transfer,
        why,
    ):
        app.register_blueprint(module.blueprint)
    if app.config["TSUZUKI"].LOG_LEVEL == "debug":
        app.register_blueprint(components.blueprint)
    app.jinja_env.globals["nav"] = navigation


def navigation() -> dict[str, Any]:
    """What every whole page shows around its subject. The same few queries on each."""
    connections = queries.connections(current_user.id)
    lost = broken(connections)
    here = request.blueprint or ""
    return {
        "here": BELONGS_TO.get(here, here),
        "needs_you": queries.needs_you_count(current_user.id),
        "broken": words.label("service", lost.service) if lost else "",
        "step": setup_step(current_user, connections),
    }
