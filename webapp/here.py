"""Flask's `g`, `request` and `current_user` without their proxies, for what every row of a page asks.

A proxy looks up what it stands for at each touch, which costs more than the words of a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Request, g, request
from flask_login import current_user


def _unproxied(proxy: Any) -> Callable[[], Any]:
    found: Callable[[], Any] = proxy._get_current_object  # noqa: SLF001 # Werkzeug documents it, for this purpose
    return found


context: Final = _unproxied(g)  # RuntimeError outside of an app
the_request: Final[Callable[[], Request]] = _unproxied(request)  # RuntimeError outside of a request
_person: Final = _unproxied(current_user)


def reader() -> Any:
    """The `User` who is signed in, or Flask-Login's stranger; None outside of a request."""
    try:
        return context()._login_user  # noqa: SLF001 # where Flask-Login keeps it once somebody has asked
    except (AttributeError, RuntimeError):
        return _person()
