"""An address of a DIMSE server is read one way, or refused."""

from __future__ import annotations

import pytest

import cohortkit as ck
from cohortkit.dimse.address import Address
from cohortkit.errors import UsageError


@pytest.mark.parametrize(
    ("said", "location"),
    [
        ("dimse://ME@pacs.example:11112/PACS", "dimse://ME@pacs.example:11112/PACS"),
        ("dimse://ME@pacs/PACS/", "dimse://ME@pacs:104/PACS"),
        ("dimse+tls://M-E_1@10.0.0.7/PA.CS", "dimse+tls://M-E_1@10.0.0.7:2762/PA.CS"),
        ("dimse://ME@[::1]:4242/PACS", "dimse://ME@[::1]:4242/PACS"),
    ],
)
def test_an_address_has_one_spelling(said: str, location: str) -> None:
    """Which is read again as the same."""
    address = Address.of(said)

    assert location == address.location
    assert address == Address.of(location)
    assert "pacs" not in repr(address)


@pytest.mark.parametrize(
    "said",
    [
        "dimse://pacs:104/PACS",
        "dimse://ME@pacs:104",
        "dimse://ME:secret@pacs/PACS",
        "dimse://ME@pacs:0/PACS",
        "dimse://ME@pacs:70000/PACS",
        "dimse://SEVENTEEN_LETTERS@pacs/PACS",
        "dimse://ME@pacs/PACS?x=1",
        "dimse://ME@pacs/../x",
        "DIMSE://ME@pacs/PACS",
    ],
)
def test_what_is_no_address_is_refused(said: str) -> None:
    """With the form of one, and nothing of what was written."""
    with pytest.raises(UsageError, match="OUR_AE@host:port/ITS_AE") as caught:
        ck.open_index(said)
    assert "secret" not in str(caught.value)


def test_a_mapping_is_for_tables() -> None:
    """A server has keywords already."""
    with pytest.raises(UsageError, match="mapping"):
        ck.open_index("dimse://ME@pacs/PACS", {"a": "PatientID"})
