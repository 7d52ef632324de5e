"""The schema subset with its resolvers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    SelectionSetNode,
    build_schema,
)
from graphql.execution.values import get_argument_values

from webapp.simulator.anilist_reads import find_user, read_activities, read_collection, read_entries, read_media
from webapp.simulator.anilist_rows import Context, Info, Row, fail, user_row
from webapp.simulator.schema import SDL

MAX_PER_PAGE = 50

# Page: its data field is read first, wherever it stands, since pageInfo tells whether there is more.

PAGE_READERS: dict[str, Callable[[Context, Row], Sequence[Row | None]]] = {
    "media": read_media,
    "mediaList": read_entries,
    "activities": read_activities,
}


def _fields(info: Info, selections: SelectionSetNode | None) -> Iterable[FieldNode]:
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(info, node.selection_set)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(info, info.fragments[node.name.value].selection_set)


def resolve_page(_root: object, info: Info, page: int = 1, perPage: int = 50) -> Row:  # noqa: N803 - AniList's argument
    context: Context = info.context
    page_type = info.schema.type_map["Page"]
    assert isinstance(page_type, GraphQLObjectType)
    wanted = [node for part in info.field_nodes for node in _fields(info, part.selection_set)]
    data = [node for node in wanted if node.name.value in PAGE_READERS]
    if len(data) > 1:
        raise fail(400, "A Page takes one field besides pageInfo.")
    size, number = max(1, min(perPage or MAX_PER_PAGE, MAX_PER_PAGE)), max(1, page or 1)
    shown = number - 1 if context.back and number > 1 else number
    rows: Sequence[Row | None] = ()
    out: Row = {}
    for node in data:
        name = node.name.value
        args = get_argument_values(page_type.fields[name], node, info.variable_values)
        rows = PAGE_READERS[name](context, args)
        out[name] = rows[(shown - 1) * size : shown * size]
    out["pageInfo"] = {
        # AniList's totals are wrong; only hasNextPage can be trusted.
        "total": 5000,
        "perPage": size,
        "currentPage": number,
        "lastPage": 5000 // size,
        "hasNextPage": shown * size < len(rows),
    }
    return out


def _first(rows: Sequence[Row | None]) -> Row | None:
    if not rows:
        raise fail(404, "Not Found.")
    return rows[0]


def _viewer(_root: object, info: Info) -> Row:
    if info.context.viewer is None:
        raise fail(401, "Unauthorized.")
    return user_row(info.context, info.context.viewer)


QUERIES: dict[str, Callable[..., Any]] = {
    "Page": resolve_page,
    "Viewer": _viewer,
    "User": lambda _r, info, id=None, name=None: user_row(info.context, find_user(info.context, id, name)),  # noqa: A006 - AniList's argument
    "Media": lambda _r, info, **args: _first(read_media(info.context, args)),
    "MediaList": lambda _r, info, **args: _first(read_entries(info.context, args)),
    "MediaListCollection": lambda _r, info, **args: read_collection(info.context, args),
}

SCHEMA = build_schema(SDL)
_query = SCHEMA.query_type
assert _query is not None
for _name, _resolve in QUERIES.items():
    _query.fields[_name].resolve = _resolve
