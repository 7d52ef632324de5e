"""Whatever the mapping writes about a title is known to the pages clause by clause, so that it can be translated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path

import pytest
from flask import Flask

from webapp import evidence
from webapp.config import ROOT
from webapp.i18n import Speech

WRITERS = [
    ROOT / "jobs/mapping" / f"{name}.py" for name in ("placement", "regular", "resolver", "specials", "corrections")
]
WRITERS += [ROOT / "jobs/placing.py", ROOT / "jobs/placing_store.py"]
# Parts of a clause, and a condition of the database.
PARTS = {
    "the entry before",
    "the {} episodes of {}",
    "another entry of the show",
    "no season {}",
    "no such season",
    "user_id IS NULL",
    "{} {}",
}


def written(path: Path) -> Iterator[str]:
    """Texts of a module that are no documentation, with {} where something is filled in."""
    tree = ast.parse(path.read_text("utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr)
    }
    filled = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for node in filled for part in node.values}
    for text in filled:
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in text.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents | inner:
            yield node.value


def sentences() -> list[str]:
    found = {text.strip() for path in WRITERS for text in written(path)}
    return sorted(text for text in found - PARTS if len(text.split()) > 2)


def sample(text: str) -> str:
    """The sentence as it may come: another clause in front, names and numbers filled in."""
    text = re.sub(r"^\{\}(?=[;,] )", "Fribbs says season 2 of TMDB 95479", text)
    text = re.sub(r"^\{\} (?=Corrected)", "A person chose it. ", text)
    text = re.sub(r"^\{\}\{\} (?=of the same)", "Trakt lists it; entry 7 ", text).replace(
        "Trakt has {};", "Trakt has no season 3;"
    )
    text = (
        re.sub(r"Trakt \{\} \{\}", "Trakt show 7", text).replace("{}s on", "shows on").replace("such {}", "such show")
    )
    text = (
        text.replace("it.{}", "it. The sources agree.")
        .replace("S{} E{}", "S2 E1")
        .replace("; {} stands", "; entry 7 stands")
    )
    return text.replace("{}", "7")


@pytest.fixture(autouse=True)
def spoken(words_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every text that is found in the catalogue is turned round, so that what is not stays as it was."""
    with words_app.test_request_context():
        monkeypatch.setattr("webapp.i18n.speech", lambda: Speech(Backwards(), "en"))
        evidence._explained.cache_clear()
        yield
        evidence._explained.cache_clear()


class Backwards(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"«{message}»"


@pytest.mark.parametrize("text", sentences())
def test_a_sentence_of_the_mapping_can_be_translated(text: str) -> None:
    said = evidence.explained(sample(text))
    outside = re.sub(r"«[^»]*»", "", said)
    assert not re.search(r"[A-Za-z]", outside), f"{sample(text)}: {said}"


@pytest.mark.parametrize("whose", [" of TMDB 95479", " in TVDB's numbering"])
@pytest.mark.parametrize(
    "where",
    ["specials 3 to 5", "special 3", "absolute numbering", "absolute numbering from episode 14", "season 2", "season 2 from episode 14"],
)  # fmt: skip
def test_so_can_what_a_source_says(where: str, whose: str) -> None:
    said = evidence.explained(f"Anime-Lists says {where}{whose}; Trakt lists it.")
    assert not re.search(r"[A-Za-z]", re.sub(r"«[^»]*»", "", said)), said


def test_what_is_not_known_stays_as_it_is() -> None:
    assert evidence.explained("Nobody wrote this; it is new.") == "Nobody wrote this; it is new."
    assert evidence.explained(None) == ""


def test_nothing_of_it_is_lost(words_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    evidence._explained.cache_clear()
    with words_app.test_request_context():
        why = "Fribbs says season 2 of TMDB 95479; Trakt has no season 2; placed after the 24 episodes of entry 113415."
        said = "Fribbs says season 2, counted as TMDB counts; Trakt has no season 2; placed after the 24 episodes of entry 113415."
        assert evidence.explained(why) == said
        assert evidence.explained("TMDB S2 E1, TVDB S2 E1") == "TMDB S2 E1, TVDB S2 E1"
