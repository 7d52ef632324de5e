"""What a person typed: parsed once, with a sentence beside each field that cannot be used, and nothing lost."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from flask import request
from werkzeug.routing import IntegerConverter

from webapp.i18n import gettext as _

MAX_ID = 2**53


class Identifier(IntegerConverter):
    """`<int:...>` in an address: 0 to 2**53, so that no id from outside is larger than any column; else 404."""

    def __init__(self, map: Any, *args: Any, **options: Any) -> None:  # noqa: A002 - werkzeug's name
        super().__init__(map, *args, **({"max": MAX_ID} | options))


def number_arg(name: str) -> int | None:
    """A whole number from 0 to 2**53 of the query string; None when it is missing or anything else."""
    text = request.args.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,16}", text) and int(text) <= MAX_ID else None


class Form:
    """Values of a POST (or of what is stored, as text), and `errors` by field name; `ok` when there are none."""

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self.values = {name: "" if value is None else str(value) for name, value in (values or {}).items()}
        self.errors: dict[str, str] = defaultdict(str)

    def __bool__(self) -> bool:
        return True

    @property
    def ok(self) -> bool:
        return not any(self.errors.values())

    def value(self, name: str) -> str:
        return self.values.get(name, "")

    def text(self, name: str, *, required: bool = True, longest: int = 200) -> str:
        text = self.value(name).strip()
        if required and not text:
            self.errors[name] = _("This is needed.")
        elif len(text) > longest:
            self.errors[name] = _("This is too long; %(count)s characters at most.", count=longest)
        return text

    def number(self, name: str, *, low: int = 1, high: int = MAX_ID, required: bool = True) -> int | None:
        """A whole number from `low` to `high`; None when it is empty or wrong (then `errors` has it)."""
        text = self.value(name).strip()
        if not text:
            if required:
                self.errors[name] = _("This is needed.")
            return None
        if not re.fullmatch(r"[0-9]{1,17}", text) or not low <= int(text) <= high:
            self.errors[name] = _("This takes a whole number from %(low)s to %(high)s.", low=low, high=high)
            return None
        return int(text)

    def anilist_id(self, name: str) -> int | None:
        """An id, or the address of a title on AniList."""
        match = re.search(r"anilist\.co/anime/([0-9]+)", self.value(name))
        if match:
            self.values[name] = match[1]
        return self.number(name)

    def day(self, name: str) -> date | None:
        """An ISO date, as a date field sends it; None when it is empty or wrong (then `errors` has it)."""
        text = self.value(name).strip()
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.errors[name] = _("This is no date; it looks like 2024-01-31.")
            return None

    def choice(self, name: str, allowed: Collection[str]) -> str:
        value = self.value(name)
        if value not in allowed:
            self.errors[name] = _("Choose one of these.")
            return next(iter(allowed))
        return value
