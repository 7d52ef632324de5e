"""Tokens at rest: Fernet (AES-128-CBC with HMAC) with keys derived from `SECRET_KEY` and its fallbacks.

`check_value` keeps one encrypted word in the database, so that a process with another key refuses to start instead of
losing everybody's tokens one by one.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app
from sqlalchemy import select

from webapp.config import ConfigError
from webapp.database import transaction, upsert
from webapp.models import SystemConfig

_CHECK_KEY = "crypto:check"
_CHECK_WORD = "tsuzuki"


class WrongKey(ConfigError):
    """What is stored was encrypted with another `SECRET_KEY`."""


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    def derived(key: str) -> Fernet:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tsuzuki tokens at rest")
        return Fernet(base64.urlsafe_b64encode(hkdf.derive(key.encode())))

    return MultiFernet([derived(key) for key in keys])


def _current() -> MultiFernet:
    return _fernet((current_app.config["SECRET_KEY"], *current_app.config.get("SECRET_KEY_FALLBACKS", ())))


def encrypt(text: str) -> str:
    """Ciphertext with the newest key; never the same twice."""
    return _current().encrypt(text.encode()).decode("ascii")


def decrypt(text: str) -> str:
    """The inverse, with any of the keys. Raises WrongKey."""
    try:
        return _current().decrypt(text.encode()).decode()
    except InvalidToken:
        raise WrongKey(
            "SECRET_KEY does not open what is stored; set the earlier one, or SECRET_KEY_FALLBACKS"
        ) from None


def check_value(app: Flask) -> None:
    """Compare the key with the stored word, and store it the first time. Raises WrongKey."""
    with app.app_context():
        mine = {"user_id": None, "key": _CHECK_KEY, "value": encrypt(_CHECK_WORD)}
        with transaction() as session:
            session.execute(upsert(SystemConfig).values(**mine).on_conflict_do_nothing())
            stored = session.scalar(
                select(SystemConfig.value).where(SystemConfig.user_id.is_(None), SystemConfig.key == _CHECK_KEY)
            )
        if decrypt(stored or "") != _CHECK_WORD:
            raise WrongKey("SECRET_KEY does not open what is stored")
