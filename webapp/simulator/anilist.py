"""The stand-in AniList: real GraphQL over the schema subset, with AniList's gates, errors and limits.

An answer is an HTTP status that equals the status of the first error; a token that is not known spoils the whole
request with 400 "Invalid token"; private entries are shown to their owner only.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    parse,
    validate,
)

from webapp.simulator.anilist_rows import Context
from webapp.simulator.anilist_schema import SCHEMA
from webapp.simulator.library import AniListUser
from webapp.simulator.world import World

MAX_COMPLEXITY = 500
DISABLED = (
    "The AniList API has been temporarily disabled due to severe stability issues. "
    "Please check the official AniList Discord for more information."
)


class Problem(Exception):
    """An error before or instead of execution: the status, the message, and what stands under `data`."""

    def __init__(self, status: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.status, self.message, self.data = status, message, data


def blueprint(world: World) -> Blueprint:
    """`/anilist/graphql`."""
    api = Blueprint("anilist", __name__, url_prefix="/anilist")

    @api.post("/graphql")
    def graphql() -> Response:
        limit = world.settings.anilist_limit
        used = _spend(world)
        headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(max(0, limit - used))}
        if used > limit:
            wait = 60 - (world.clock() - world.waits["anilist"][0])
            headers |= {"Retry-After": str(int(wait) + 1), "X-RateLimit-Reset": str(int(world.clock() + wait) + 1)}
            return _answer(429, {"data": None, "errors": [{"message": "Too Many Requests.", "status": 429}]}, headers)
        try:
            status, body = _execute(world)
        except Problem as problem:
            errors = [{"message": problem.message, "status": problem.status, "locations": [{"line": 1, "column": 1}]}]
            status, body = problem.status, {"errors": errors, "data": problem.data}
        return _answer(status, body, headers)

    return api


def _spend(world: World) -> int:
    """Requests of the last minute, this one included; only one where limits are not enforced."""
    if not world.settings.enforce_limits:
        return 1
    now = world.clock()
    recent = [t for t in world.waits.get("anilist", ()) if now - t < 60]
    if len(recent) < world.settings.anilist_limit:
        recent.append(now)
        world.waits["anilist"] = recent
        return len(recent)
    world.waits["anilist"] = recent
    return len(recent) + 1


def _answer(status: int, body: object, headers: dict[str, str]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, headers, mimetype="application/json")


def viewer_of(world: World) -> AniListUser | None:
    """The owner of the bearer token. Raises `Problem` for one that is not known or has expired."""
    header = request.headers.get("Authorization")
    if not header:
        return None
    token = header.removeprefix("Bearer ").strip()
    user_id, expires = world.anilist_tokens.get(token, (0, 0.0))
    if not user_id or expires <= world.clock():
        raise Problem(400, "Invalid token", {"Viewer": None})
    return world.users.get(user_id)


def _execute(world: World) -> tuple[int, object]:
    if not request.headers.get("User-Agent"):
        raise Problem(403, DISABLED)
    if world.settings.require_referer and not request.headers.get("Referer"):
        raise Problem(403, DISABLED)
    if not request.is_json:
        raise Problem(400, "Content-Type must be application/json.")
    payload = request.get_json(silent=True)
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        raise Problem(400, "Must provide query string.")
    viewer = viewer_of(world)
    try:
        document = parse(payload["query"])
    except GraphQLError as error:
        return 400, {"data": None, "errors": [_shown(error, 400)]}
    if wrong := validate(SCHEMA, document):
        return 400, {"data": None, "errors": [_shown(error, 400) for error in wrong]}
    _check_size(document)
    context = Context(world, viewer, request.url_root.rstrip("/"), back="tsuzuki.page_back" in request.environ)
    result = execute_sync(
        SCHEMA,
        document,
        context_value=context,
        variable_values=payload.get("variables") or {},
        operation_name=payload.get("operationName"),
    )
    body: dict[str, Any] = {"data": result.data}
    status = 200
    if result.errors:
        body["errors"] = [_shown(error, 400 if result.data is None else 500) for error in result.errors]
        status = body["errors"][0]["status"]
    return status, body


def _shown(error: GraphQLError, status: int) -> dict[str, Any]:
    """An error as AniList writes it; the status comes from whoever raised it."""
    out: dict[str, Any] = {"message": error.message, "status": (error.extensions or {}).get("status", status)}
    if error.locations:
        out["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        out["path"] = list(error.path)
    return out


def _check_size(document: DocumentNode) -> None:
    """AniList refuses what is too complex; here each selected field counts one."""
    fragments = {n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)}

    def size(selections: SelectionSetNode | None) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                total += 1 + size(node.selection_set)
            elif isinstance(node, InlineFragmentNode):
                total += size(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                total += size(fragments[node.name.value].selection_set)
        return total

    total = sum(size(n.selection_set) for n in document.definitions if isinstance(n, OperationDefinitionNode))
    if total > MAX_COMPLEXITY:
        raise Problem(400, f"Max query complexity should be {MAX_COMPLEXITY} but got {total}.")
