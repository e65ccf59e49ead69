"""The library, if it is installed; and its loggers, which tell what is asked and answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cohortkit.errors import MissingDependency


def demand() -> None:
    """Refuse where the library is not installed.

    Raises:
        MissingDependency: it says what to install.
    """
    try:
        import pynetdicom  # noqa: F401, PLC0415 - an extra
    except ModuleNotFoundError:
        raise MissingDependency("pynetdicom: pip install 'cohortkit[dimse]'") from None


class _Silence(logging.Filter):
    """Lets nothing through while it is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = 0
        self.lock = threading.Lock()

    def filter(self, _record: logging.LogRecord) -> bool:
        """Whether a line may be told."""
        return not self.wanted


_silence: Final = _Silence()


@contextmanager
def silent() -> Iterator[None]:
    """Keep the library's loggers from telling anything while an association of ours is open.

    Raises:
        MissingDependency: it is not installed.
    """
    demand()
    for name in list(logging.root.manager.loggerDict):
        if name == "pynetdicom" or name.startswith("pynetdicom."):
            logging.getLogger(name).addFilter(_silence)
    with _silence.lock:
        _silence.wanted += 1
    try:
        yield
    finally:
        with _silence.lock:
            _silence.wanted -= 1
