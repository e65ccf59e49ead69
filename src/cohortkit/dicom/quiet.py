"""Keep pydicom from telling values of a dataset to warnings and logs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def _refuse(_record: logging.LogRecord) -> bool:
    return False


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom while its parsers are at work on identified data.

    Its warnings and log lines quote the values that they complain about. What matters in them
    is found out by other means: as a Reason, or as a row in the table of issues.
    """
    logger = logging.getLogger("pydicom")
    logger.addFilter(_refuse)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeFilter(_refuse)
