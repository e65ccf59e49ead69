"""Ages as numbers, in polars."""

from __future__ import annotations

from typing import Final

import polars as pl

YEAR: Final = 365.25
"""Days."""

_AGE = r"^[\s\x00]*(\d{1,4})(?:\.\d*)?\s*([DWMY]?)[\s\x00]*$"
_PER_YEAR = {"D": YEAR, "W": YEAR / 7, "M": 12.0, "Y": 1.0, "": 1.0}


def years(column: str) -> pl.Expr:
    """Years of an Age String (PS3.5 6.2), or of a bare number as some tables have it."""
    text = pl.col(column).cast(pl.String)
    number = text.str.extract(_AGE, 1).cast(pl.Float64, strict=False)
    unit = text.str.extract(_AGE, 2)
    return number / unit.replace_strict(_PER_YEAR, default=1.0, return_dtype=pl.Float64)
