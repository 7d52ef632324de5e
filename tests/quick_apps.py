"""What hundreds of tests make anew, made quickly: the addresses of an app, and a database with all its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Rule

from webapp.app import create_app
from webapp.config import load
from webapp.extensions import db


@contextmanager
def addresses_compiled_once() -> Iterator[None]:
    """Inside the block Werkzeug writes and compiles the code that builds an address once for all apps.

    That is nine tenths of what making an app costs. The code depends on nothing but the key below; no converter of ours
    keeps anything of its app.
    """
    compiled: dict[object, Callable[..., Any]] = {}
    compile_one = Rule._compile_builder

    def builder(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        converters = tuple((name, type(converter)) for name, converter in rule._converters.items())
        key = (
            rule.rule,
            rule.host,
            rule.subdomain,
            repr(rule.defaults),
            tuple(rule._trace),
            converters,
            append_unknown,
        )
        if key not in compiled:
            compiled[key] = compile_one(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", builder)
        yield


def write_empty_tables(file: Path) -> None:
    """A SQLite database with all tables and no rows, from which tests copy."""
    app = create_app(load({"DATA_DIR": str(file.parent), "DATABASE_URL": f"sqlite:///{file}", "SECRET_KEY": "x"}))
    with app.app_context():
        db.create_all()
        db.engine.dispose()
