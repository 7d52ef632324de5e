"""Sentences of jobs keep what they were made of, and translators find each of them in the code."""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path

import pytest

from jobs.errors import BadData
from jobs.said import Said, counted, joined, made_again, parts_of, said
from webapp.config import ROOT

FILES = [
    file
    for folder in ("jobs", "webapp")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "from jobs.said import" in file.read_text(encoding="utf-8")
]


def test_a_sentence_is_its_english_text() -> None:
    lost = said("%(rows)s rows, %(share)s %% fewer than %(name)s.", rows=12_000, share=7, name="before")
    assert lost == "12,000 rows, 7 % fewer than before."
    assert said("Nothing new, 100 %.") == "Nothing new, 100 %."
    assert [counted("%(num)s play", "%(num)s plays", number) for number in (0, 1, 2000)] == ["0 plays", "1 play", "2,000 plays"]  # fmt: skip
    assert joined(said("One."), "", said("Two."), said("Three.")) == "One. Two. Three."
    assert joined("", "") == ""


def test_its_parts_survive_the_database() -> None:
    inner = counted("%(num)s play", "%(num)s plays", 3)
    outer = said("%(who)s sent %(what)s: %(count)s.", who="Trakt", what=inner, count=4)
    stored = json.loads(json.dumps(parts_of(outer)))
    assert stored == ["%(who)s sent %(what)s: %(count)s.", {"who": "Trakt", "what": ["%(num)s play", {"num": 3}, "%(num)s plays"], "count": 4}, None]  # fmt: skip
    again = made_again(stored, "")
    assert again == outer == "Trakt sent 3 plays: 4."
    assert parts_of(again) == stored
    assert parts_of("an English sentence") is None
    assert made_again(None, "an English sentence") == "an English sentence"
    assert parts_of(copy.deepcopy(outer)) == stored


def test_an_error_keeps_its_sentence_and_makes_one_of_a_text() -> None:
    assert parts_of(BadData(said("%(name)s is gone", name="Otaku")).detail) == ["%(name)s is gone", {"name": "Otaku"}, None]  # fmt: skip
    plain = BadData("100 % broken")
    assert plain.detail == str(plain) == "100 % broken"
    assert isinstance(plain.detail, Said)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_pattern_is_a_literal_whose_names_are_given(file: Path) -> None:
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if (
            not isinstance(call, ast.Call)
            or not isinstance(call.func, ast.Name)
            or call.func.id not in ("said", "counted")
        ):
            continue
        patterns = [ast.literal_eval(one) for one in call.args[: 1 if call.func.id == "said" else 2]]
        values = dict.fromkeys(
            [*(name.arg for name in call.keywords), *(["num"] if call.func.id == "counted" else [])], "x"
        )
        for pattern in patterns:
            assert isinstance(pattern, str)
            if values:
                assert pattern % values  # raises KeyError for a name that is not given
                assert all(f"%({name})s" in pattern for name in values if name != "num"), f"{file.name}: {pattern}"
            else:
                assert "%(" not in pattern, f"{file.name}: {pattern}"
