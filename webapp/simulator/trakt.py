"""The stand-in Trakt API below `/trakt`."""

from __future__ import annotations

from flask import Blueprint

from webapp.simulator import trakt_history, trakt_lists, trakt_marks, trakt_public
from webapp.simulator.trakt_gate import Gate
from webapp.simulator.world import World


def blueprint(world: World) -> Blueprint:
    """`/trakt/...`."""
    api = Blueprint("trakt", __name__, url_prefix="/trakt")
    gate = Gate(world)
    api.before_request(gate.check)
    trakt_public.add_routes(api, world)
    trakt_lists.add_routes(api, world, gate.signed_in)
    trakt_history.add_routes(api, world, gate.signed_in)
    trakt_marks.add_routes(api, world, gate.signed_in)
    return api
