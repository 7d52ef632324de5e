"""The page of budgets shows what runs have really used, of each service and of this person only."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from jobs import pace
from tests.web.conftest import Browser

KEY = "the key of the instance's app"


@pytest.fixture
def shared(site: Flask, redis_url: str) -> pace.Store:
    """The store that runs and pages share."""
    pace.store_for.cache_clear()
    site.config["TSUZUKI"] = site.config["TSUZUKI"].replace(
        REDIS_URL=redis_url, TRAKT_CLIENT_ID=KEY, TMDB_API_KEY="0" * 32
    )
    return pace.store_for(redis_url)


def facts(text: str) -> dict[str, str]:
    """What is said of each budget."""
    pairs = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", text, re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]+>", " ", unescape(said)).split()) for name, said in pairs}


def test_each_service_has_its_budget_even_when_nobody_has_asked_it_yet(shared: pace.Store, browser: Browser) -> None:
    assert facts(browser.get("/budgets")) == {
        "AniList, reads": "30 of 30 left in 60 seconds",
        "Trakt, your reads": "500 of 500 left in 5 minutes",
        "Trakt, your writes": "1 of 1 left in 1 second",
        "Trakt, reads without an account": "500 of 500 left in 5 minutes",
        "TMDB": "40 of 40 left in 1 second",
    }


def test_what_was_used_by_anybody_who_shares_it_is_gone(
    shared: pace.Store, site: Flask, hanako: int, browser: Browser
) -> None:
    for _ in range(12):
        shared.reserve(pace.anilist(), 1.0)
    for rule in (pace.trakt_reads(hanako), pace.trakt_reads(hanako + 1), pace.trakt_public(KEY)):
        shared.reserve(rule, 1.0)
    shared.reserve(pace.trakt_public("of another person"), 1.0)
    shown = facts(browser.get("/budgets", hx=True))
    assert shown["AniList, reads"] == "18 of 30 left in 60 seconds"
    assert shown["Trakt, your reads"] == "499 of 500 left in 5 minutes"
    assert shown["Trakt, reads without an account"] == "499 of 500 left in 5 minutes"


def test_what_a_service_has_said_counts_more_than_its_rule(shared: pace.Store, browser: Browser) -> None:
    bucket = pace.Bucket(pace.anilist(), shared)
    bucket.heard(200, {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "9"})
    assert facts(browser.get("/budgets"))["AniList, reads"] == "20 of 20 left in 60 seconds"
    bucket.heard(429, {"Retry-After": "120"})
    assert "Waiting until" in facts(browser.get("/budgets"))["AniList, reads"]


def test_without_redis_it_says_that_it_does_not_know(site: Flask, browser: Browser) -> None:
    pace.store_for.cache_clear()
    site.config["TSUZUKI"] = site.config["TSUZUKI"].replace(REDIS_URL="unix:///nowhere/redis.sock")
    text = browser.get("/budgets")
    assert "Redis does not answer" in text
    assert facts(text) == {}
