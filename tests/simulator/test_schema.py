"""The schema subset says nothing that AniList's own schema does not say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
)

from webapp.simulator.anilist_schema import SCHEMA

WHOLE = Path(os.environ.get("TSUZUKI_DATA", Path(__file__).parents[3] / "shared" / "data")) / "anilist.graphql"


def test_every_field_and_argument_of_the_subset_stands_in_the_whole_schema_with_the_same_type() -> None:
    if not WHOLE.exists():
        pytest.skip(f"AniList's whole schema is not at hand ({WHOLE})")
    whole = build_schema(WHOLE.read_text(encoding="utf-8"))
    for name, ours in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        theirs = whole.type_map[name]
        if isinstance(ours, GraphQLObjectType):
            assert isinstance(theirs, GraphQLObjectType | GraphQLInterfaceType)
            for field_name, field in ours.fields.items():
                other = theirs.fields[field_name]
                assert str(field.type) == str(other.type), f"{name}.{field_name}"
                for argument, kind in field.args.items():
                    assert str(kind.type) == str(other.args[argument].type), f"{name}.{field_name}({argument})"
        elif isinstance(ours, GraphQLEnumType):
            assert isinstance(theirs, GraphQLEnumType)
            assert set(ours.values) <= set(theirs.values), name
        elif isinstance(ours, GraphQLUnionType):
            assert isinstance(theirs, GraphQLUnionType)
            assert {t.name for t in ours.types} <= {t.name for t in theirs.types}
