"""A guard over an association: one that says nothing, never ends or says too much is aborted."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynetdicom.events import Event

_LOOK: Final = 0.25  # seconds between looks at most


class Watch:
    """Looks at what comes, beside whoever waits for it.

    Args:
        patience: seconds without a byte after which a server hangs.
        whole: seconds after which an answer has to have come.
        most: bytes that one object or answer may have.

    Attributes:
        flood: whether more came than that.
    """

    def __init__(self, patience: float, whole: float, most: int) -> None:
        self.patience, self.whole, self.most = patience, whole, most
        self.flood = False
        self._heard = self._begun = time.monotonic()
        self._bytes = 0
        self._over = threading.Event()

    def heard(self, event: Event) -> None:
        """Take note that something came."""
        self._heard = time.monotonic()
        self._bytes += len(event.data)

    def flooded(self, size: int) -> bool:
        """Whether an object that is whole has too many bytes; the next one begins."""
        self._heard = time.monotonic()
        self._bytes = 0
        return size > self.most

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def begin(self, abort: Callable[[], None]) -> None:
        """Look from now on, and abort when there is reason to."""
        threading.Thread(target=self._look, args=(abort,), daemon=True).start()

    def _look(self, abort: Callable[[], None]) -> None:
        while not self._over.wait(min(_LOOK, self.patience / 4)):
            now = time.monotonic()
            self.flood = self.flood or self._bytes > self.most
            hangs = now - self._heard > self.patience or now - self._begun > self.whole
            if self.flood or hangs:
                abort()
                return
