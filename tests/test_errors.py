"""An error says what is wrong, and keeps nothing of what it was raised in place of."""

from __future__ import annotations

import pickle
import traceback

import polars as pl
import pytest

from cohortkit.cohort import Cohort
from cohortkit.errors import CohortkitError, QueryError, UsageError
from fake_index import FakeIndex, row


def test_a_foreign_error_is_not_kept_behind_ours() -> None:
    """Polars quotes the values that it cannot read; no log that walks the chain finds them."""
    cohort = Cohort.start(FakeIndex.of(row(1, Modality="QUISLING")))
    with pytest.raises(QueryError) as caught:
        cohort.filter(pl.col("Modality").cast(pl.Int64) > 1)

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "QUISLING" not in "".join(traceback.format_exception(caught.value))


def test_it_holds_of_every_error_and_wherever_it_is_raised() -> None:
    """Without ``from None`` too, and raised again, and in a context manager."""
    try:
        try:
            int("QUISLING")
        except ValueError:
            raise UsageError("plain words")  # noqa: B904 - that is the test
    except CohortkitError as error:
        kept = error

    assert kept.__context__ is None
    assert "QUISLING" not in "".join(traceback.format_exception(kept))
    assert "plain words" == str(pickle.loads(pickle.dumps(kept)))
