"""pydicom without the libraries by which it fetches test files: for processes of our own.

``import pydicom`` imports ``requests`` and ``tqdm`` where they are there, to download examples with
a bar. A worker fetches nothing, and they are a tenth of what it costs to start one. The caller's
process is left as it is: there pydicom is the caller's too.
"""

from __future__ import annotations

import sys

_OF_DOWNLOADS = ("requests", "tqdm")


def import_pydicom() -> None:
    """Import pydicom as if these were not installed. Who asks for them later finds them."""
    hidden = [name for name in _OF_DOWNLOADS if name not in sys.modules]
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]  # None: not to be found
    modules.update(dict.fromkeys(hidden))
    try:
        import pydicom  # noqa: F401, PLC0415 - for what it does
    finally:
        for name in hidden:
            del modules[name]
