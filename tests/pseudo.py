"""A language of tests: every text of ours with accents and a third longer, everything else as it is.

What a page then shows in plain letters went past gettext. German carries it, so that dates and numbers are German.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo

from webapp.config import ROOT

LANGUAGE: Final = "de"
PLAIN: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED: Final = "áƀçđéƒǧħíĵķĺɱñóƥɋŕšťúṽŵẋýžÁßÇĐÉƑǦĦÍĴĶĹṀÑÓƤɊŔŠŤÚṼŴẊÝŽ"
METHODS: Final = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
KEYWORDS: Final = dict.fromkeys(("_", "_l", "gettext", "lazy_gettext", "mark", "said")) | {
    "ngettext": (1, 2),
    "counted": (1, 2),
}
# Kept as they are: what a text is filled with, the names that the script fills, and a percent sign.
KEPT: Final = re.compile(r"(%\(\w+\)[sd]|%%|\{\w+\})")


def messages() -> Iterator[str | tuple[str, str]]:
    """Every text that the app gives to gettext."""
    for folder in ("webapp", "templates", "jobs"):
        for _file, _line, text, _comments, _context in extract_from_dir(
            ROOT / folder, METHODS, keywords=KEYWORDS, directory_filter=lambda path: "simulator" not in str(path)
        ):
            yield text if isinstance(text, str) else (text[0], text[1])


def accented(text: str) -> str:
    """ "Send %(num)s plays" -> "Šéñđ %(num)s ƥĺáýš ~~~" """
    parts = KEPT.split(text)
    changed = "".join(
        part if at % 2 else part.translate(str.maketrans(PLAIN, ACCENTED)) for at, part in enumerate(parts)
    )
    return changed + "~" * (len(text) // 3) if text.strip() and len(text) > 3 else changed


def write(folder: Path) -> int:
    """Put the catalogue below `folder`, as Flask-Babel looks for it; how many texts it has."""
    catalogue = Catalog(locale=LANGUAGE)
    for text in messages():
        catalogue.add(text, accented(text) if isinstance(text, str) else tuple(map(accented, text)))
    home = folder / LANGUAGE / "LC_MESSAGES"
    home.mkdir(parents=True)
    with (home / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    return len(catalogue)
