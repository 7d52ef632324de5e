"""Addresses of pages, as templates ask for them: hundreds for a page of a hundred rows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import current_app, url_for

from webapp.forms import MAX_ID
from webapp.here import the_request

PLAIN = frozenset({str, int, type(None)})  # values of an address that are written as they are
IDS = {int}


def address(endpoint: str, **values: Any) -> str:
    """`url_for`, which costs Flask more than a row costs the database.

    An address whose values are all ids is built once by Flask; then only the numbers change. Of others the latest are kept.
    """
    try:
        root = the_request().root_path
    except RuntimeError:
        return url_for(endpoint, **values)
    kinds = {type(value) for value in values.values()}
    if endpoint[0] == "." or not kinds <= PLAIN:
        return url_for(endpoint, **values)
    built: Addresses = current_app.extensions["tsuzuki_addresses"]
    if kinds != IDS:
        return built.whole(root, endpoint, *values.items())
    return built.form(root, endpoint, *values) % values


class Addresses:
    """What `address` has built for one app."""

    def __init__(self) -> None:
        self.form = lru_cache(maxsize=512)(self._form)
        self.whole = lru_cache(maxsize=512)(self._whole)

    @staticmethod
    def _whole(_root: str, endpoint: str, *values: tuple[str, Any]) -> str:
        return url_for(endpoint, **dict(values))

    @staticmethod
    def _form(_root: str, endpoint: str, *names: str) -> str:
        places: dict[str, Any] = {name: MAX_ID - index for index, name in enumerate(names)}
        form = url_for(endpoint, **places).replace("%", "%%")
        for name, place in places.items():
            form = form.replace(str(place), f"%({name})d")
        return form
