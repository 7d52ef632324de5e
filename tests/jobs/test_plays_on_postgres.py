"""The same plays, claims, doubts, undos and moves on PostgreSQL: keys, row locks and large ids behave there as on SQLite."""

from __future__ import annotations

import pytest

from tests.jobs.test_ledger import (
    test_a_claim_is_committed_with_its_batch_attempt_and_deadline,
    test_a_plan_adopts_or_deletes_what_an_ended_run_left_planned,
    test_a_play_missing_from_a_picture_an_hour_later_is_gone_and_held,
    test_every_write_of_an_older_attempt_is_refused,
    test_two_sources_of_one_place_are_shared_and_no_error,
)
from tests.jobs.test_posting import (
    clock,
    run,
    test_a_lost_answer_is_settled_before_anything_else_goes_out,
    test_batches_start_at_200_and_double_after_quick_answers,
    test_the_size_is_remembered_between_runs,
    trakt,
)
from tests.jobs.test_settle import test_there_counts_at_once_with_its_history_id
from tests.jobs.test_undo import (
    test_a_shift_by_one_posts_one_and_removes_one,
    test_two_entries_that_swap_need_no_request,
    test_undo_takes_away_what_the_run_added_and_nothing_else,
)
from webapp.config import Config, _database_url

__all__ = [
    "clock",
    "run",
    "test_a_claim_is_committed_with_its_batch_attempt_and_deadline",
    "test_a_lost_answer_is_settled_before_anything_else_goes_out",
    "test_a_plan_adopts_or_deletes_what_an_ended_run_left_planned",
    "test_a_play_missing_from_a_picture_an_hour_later_is_gone_and_held",
    "test_a_shift_by_one_posts_one_and_removes_one",
    "test_batches_start_at_200_and_double_after_quick_answers",
    "test_every_write_of_an_older_attempt_is_refused",
    "test_the_size_is_remembered_between_runs",
    "test_there_counts_at_once_with_its_history_id",
    "test_two_entries_that_swap_need_no_request",
    "test_two_sources_of_one_place_are_shared_and_no_error",
    "test_undo_takes_away_what_the_run_added_and_nothing_else",
    "trakt",
]

pytestmark = pytest.mark.postgres


@pytest.fixture
def config(config: Config, postgres_url: str) -> Config:
    return config.replace(DATABASE_URL=_database_url(postgres_url))
