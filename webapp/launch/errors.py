"""Reasons not to start, in words for the person at the terminal."""

from __future__ import annotations


class LaunchError(Exception):
    """The start cannot go on; the message says why and what to do."""
