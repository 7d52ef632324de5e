"""The run book on PostgreSQL, its statements as written."""

from __future__ import annotations

import pytest

from tests.test_runbook import (
    person,
    test_an_override_that_sql_wrote_or_deleted_is_found_by_the_next_run,
    test_each_form_of_the_run_book_has_its_effect,
)
from webapp.config import Config, _database_url

__all__ = [
    "person",
    "test_an_override_that_sql_wrote_or_deleted_is_found_by_the_next_run",
    "test_each_form_of_the_run_book_has_its_effect",
]

pytestmark = pytest.mark.postgres


@pytest.fixture
def config(config: Config, postgres_url: str) -> Config:
    return config.replace(DATABASE_URL=_database_url(postgres_url))
