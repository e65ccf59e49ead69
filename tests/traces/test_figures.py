"""UIDs, days and times of plain figures are read without a parser, and as the parser does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from cohortkit.traces import fields


def raw(tag: int, vr: str, value: bytes) -> RawDataElement:
    """An element as a file holds it."""
    return RawDataElement(
        Tag(tag), vr, len(value), value, 0, is_implicit_VR=False, is_little_endian=True
    )


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
VALUES = st.text("0123456789. \0\\-", max_size=20).map(str.encode)


@given(VALUES, st.sampled_from([(0x00080018, "UI"), (0x00080020, "DA"), (0x00080030, "TM")]))
def test_figures_are_what_pydicom_reads(value: bytes, what: tuple[int, str]) -> None:
    """Or they are left to it."""
    tag, vr = what
    held = raw(tag, vr, value)

    quick = fields._figures(held)

    if quick is not None:
        element = fields._converted(Dataset(), held)
        assert element is not None
        assert (element.keyword, element.VR, fields._values(element)) == quick


def test_a_uid_of_the_standard_names_nobody() -> None:
    """One of somebody's is taken, with what pads it."""
    storage = b"1.2.840.10008.5.1.4.1.1.2\0"
    found = [
        fields._figures(raw(0x00080018, "UI", value))
        for value in (storage, b"1.2.276.7\0", b"1.2\\1.3", b"")
    ]

    assert [
        ("SOPInstanceUID", "UI", []),
        ("SOPInstanceUID", "UI", ["1.2.276.7"]),
        None,
        None,
    ] == found
