"""What a template writes out is escaped, however quickly; what it calls gets what it wants."""

from __future__ import annotations

import pytest
from flask import Flask
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from webapp.components import upfirst
from webapp.markup import escaped


class Named:
    """Says what it is in text, and in HTML."""

    def __str__(self) -> str:
        return "<plain>"

    def __html__(self) -> str:
        return "<b>marked</b>"


@pytest.mark.parametrize(
    "value", ["plain", "", "<b>", "a & b", '"quoted"', "it's", Markup("<b>"), 21, -1, True, None, 1.5, Named()]
)
def test_a_value_is_escaped_as_markupsafe_does(words_app: Flask, value: object) -> None:
    assert escaped(value) == escape(value)
    template = words_app.jinja_env.from_string("{% autoescape true %}{{ value }}{% endautoescape %}{% macro same(x) %}{{ x }}{% endmacro %}|{{ same(value) }}")  # fmt: skip
    assert template.render(value=value) == f"{escape(value)}|{escape(value)}"


def test_where_nothing_is_escaped_nothing_is(words_app: Flask) -> None:
    template = words_app.jinja_env.from_string("{% autoescape false %}{{ value }}{% endautoescape %}{{ value|safe }}")
    assert template.render(value="<b>") == "<b><b>"


def test_calls_get_the_context_that_they_ask_for_and_no_other(words_app: Flask) -> None:
    @pass_context
    def asks(context: Context, name: str) -> str:
        return str(context[name])

    def plain(*args: str, **named: str) -> str:
        return f"{args} {named}"

    template = words_app.jinja_env.from_string("{% for one in [1] %}{{ asks('here') }} {{ plain('a', b='c')|safe }} {{ kind('<') }}{% endfor %}")  # fmt: skip
    assert template.render(asks=asks, plain=plain, here="this", kind=Markup) == "this ('a',) {'b': 'c'} <"


def test_a_first_letter_of_markup_leaves_it_markup() -> None:
    assert upfirst(Markup(" <b>a</b> & b ")) == Markup("<b>a</b> & b")
    assert isinstance(upfirst(Markup("a")), Markup)
    assert not isinstance(upfirst("a"), Markup)
    assert [upfirst(text) for text in ("", "today, 14:02", "éa")] == ["", "Today, 14:02", "Éa"]
