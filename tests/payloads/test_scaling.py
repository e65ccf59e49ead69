"""The modality transform of a volume's frames."""

from __future__ import annotations

import pytest

from cohortkit.errors import Refusal
from cohortkit.model import FrameFacts, Reason
from cohortkit.model.facts import Display, Lut
from cohortkit.payloads.values import scaling


def test_a_modality_lut_is_refused_and_not_passed_over() -> None:
    """A table of values is no slope and intercept: without it the values would be wrong."""
    table = Lut(first=0, bits=8, values=(0, 5, 9))

    with pytest.raises(Refusal) as caught:
        scaling(FrameFacts(0, 0, slope=1.0, display=Display(modality=table)))

    assert Reason.UNSUPPORTED_PIXELS is caught.value.reason
