"""Small jobs that the tick puts on the queue `light`, because they talk to a service."""

from __future__ import annotations

import logging
from typing import Literal, cast

from jobs.errors import TsuzukiError
from webapp import tokens
from webapp.database import transaction
from webapp.models import Connection

LOG = logging.getLogger("tsuzuki.upkeep")


def refresh_token(connection_id: int) -> None:
    """Renew a sign-in that ends within a day, before a run needs it. What fails is tried again by the tick."""
    with transaction(readonly=True) as session:
        connection = session.get(Connection, connection_id)
    if connection is None or connection.state not in tokens.USABLE:
        return
    try:
        tokens.access_token(connection.user_id, cast("Literal['anilist', 'trakt']", connection.service))
    except TsuzukiError as error:
        LOG.warning("the sign-in at %s could not be renewed: %s", connection.service, error.detail)
