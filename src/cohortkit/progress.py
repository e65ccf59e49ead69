"""Progress bars, for a terminal or a notebook; none in a log."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm


def bar(total: int, what: str, unit: str) -> tqdm[NoReturn]:
    """A bar that is moved by hand; where it is not shown, it costs nothing.

    Args:
        total: how many units there are.
        what: stands before the bar.
        unit: of what.
    """
    with warnings.catch_warnings():
        # a notebook without its widgets gets a bar of text, and no word with our paths in it
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm  # noqa: PLC0415 - only where a bar is shown

        return tqdm(total=total, desc=what, unit=unit, disable=None)
