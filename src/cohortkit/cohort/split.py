"""Shares of patients for training, validation, test. Pure.

Who is in which part is a number made of the person under the key of the export (or drawn for the
person, where a recipe asks for random ids): here it is only said which parts there are. So nobody
moves when others are added, merged people are one, and without the key nobody can be placed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Final

from cohortkit.errors import QueryError, StoreError
from cohortkit.model import Parts

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,31}")


def parts_of(shares: Mapping[str, object]) -> Parts:
    """The parts, in the order in which they are said, with their shares.

    Raises:
        QueryError: fewer than two, a name with other signs than letters, or shares that are not
            1 together.
    """
    if len(shares) < 2:  # noqa: PLR2004 - one part is no split
        raise QueryError(
            "split: takes the share of each part: split(train=0.7, val=0.15, test=0.15)"
        )
    for name, share in shares.items():
        if not _NAME.fullmatch(name):
            raise QueryError("split: a part is called by letters alone")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            raise QueryError("split: a share is a number between 0 and 1")
    found = tuple((name, float(share)) for name, share in shares.items())  # type: ignore[arg-type]  # checked above
    if not math.isclose(math.fsum(share for _, share in found), 1, abs_tol=1e-9):
        raise QueryError("split: the shares are not 1 together")
    return found


def recorded(parts: Parts) -> str:
    """The parts as a cohort file has them."""
    return json.dumps(parts)


def recalled(told: str) -> Parts:
    """The parts that a cohort file has.

    Raises:
        StoreError: they are none.
    """
    try:
        return parts_of(dict(json.loads(told)))
    except (TypeError, ValueError, QueryError):
        raise StoreError("the cohort file is damaged: its split cannot be read") from None


def words_of(parts: Parts) -> str:
    """The parts in words."""
    told = ", ".join(f"{name} {share:.3%}".replace(".000%", "%") for name, share in parts)
    return f"{told} of the patients, under the key of the export"
