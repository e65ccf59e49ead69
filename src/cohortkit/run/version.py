"""Which cohortkit this is, as outputs say it."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("cohortkit")
