"""From bytes to typed values."""

from __future__ import annotations

import struct
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.dicom.values import Decoder, Unparsable, Value, field, parse


def _parse(keyword: str, raw: bytes, charset: bytes = b"", vr: str = "") -> Value:
    wanted = field(keyword)
    return parse(wanted, raw, vr or wanted.vr, little=True, decode=Decoder(charset))


@pytest.mark.parametrize(
    ("keyword", "raw", "value"),
    [
        ("StudyDate", b"20240229", date(2024, 2, 29)),
        ("StudyDate", b"1993.08.22", date(1993, 8, 22)),
        ("StudyDate", b"        ", None),
        ("StudyTime", b"101530", time(10, 15, 30)),
        ("StudyTime", b"101530.5 ", time(10, 15, 30, 500_000)),
        ("StudyTime", b"10:15:30", time(10, 15, 30)),
        ("StudyTime", b"10", time(10)),
        ("SliceThickness", b" 2.50 ", 2.5),
        ("SliceThickness", b"+1.5E-1", 0.15),
        ("SliceThickness", b"", None),
        ("InstanceNumber", b"007 ", 7),
        ("InstanceNumber", b"7.0", 7),
        ("PixelSpacing", b"0.5\\0.25", [0.5, 0.25]),
        ("PixelSpacing", b"\\ ", None),
        ("Rows", struct.pack("<H", 512), 512),
        ("Rows", b"", None),
        ("ImageType", b"ORIGINAL\\PRIMARY\\AXIAL ", ["ORIGINAL", "PRIMARY", "AXIAL"]),
        ("ImageType", b"DERIVED", ["DERIVED"]),
        ("PatientID", b" 0012 \0", "0012"),
        ("PatientID", b"\0\0", None),
        ("PatientID", b"a\\b ", "a\\b"),
        ("PatientName", b"Doe^Jane==", "Doe^Jane"),
        ("ImageComments", b"a\\b ", "a\\b"),
        ("SOPClassUID", b"1.2.840.10008.5.1.4.1.1.2\0", "1.2.840.10008.5.1.4.1.1.2"),
        ("SOPClassUID", b" 1.2.840.10008\r\n\0", "1.2.840.10008"),
    ],
)
def test_values(keyword: str, raw: bytes, value: Value) -> None:
    """Dates, times, numbers and text come typed; padding goes, leading zeros of text stay."""
    assert value == _parse(keyword, raw)


@pytest.mark.parametrize(
    ("keyword", "raw", "problem"),
    [
        ("StudyDate", b"2024", "not-a-date"),
        ("StudyDate", b"20240230", "not-a-date"),
        ("StudyDate", b"20240229\\20240301", "several-values"),
        ("StudyDate", b"29.02.2024", "not-a-date"),
        ("StudyDate", b"\00020240229", "not-a-date"),
        ("InstanceNumber", b"\0007", "not-a-number"),
        ("StudyTime", b"2510", "not-a-time"),
        ("StudyTime", b"1015301", "not-a-time"),
        ("SliceThickness", b"2,5", "not-a-number"),
        ("SliceThickness", b"nan", "not-a-number"),
        ("SliceThickness", b"inf", "not-a-number"),
        ("SliceThickness", b"1_0", "not-a-number"),
        ("SliceThickness", b"1\\2", "several-values"),
        ("InstanceNumber", b"1.5", "not-an-integer"),
        ("InstanceNumber", b"99999999999999999999", "not-an-integer"),
        ("InstanceNumber", b"1_0", "not-an-integer"),
        ("Rows", b"\1", "wrong-length"),
        ("Rows", b"\1\0\2\0", "several-values"),
    ],
)
def test_what_cannot_be_parsed_says_so(keyword: str, raw: bytes, problem: str) -> None:
    """No guess and no zero, but a closed word that does not quote the value."""
    with pytest.raises(Unparsable, match=f"^{problem}$"):
        _parse(keyword, raw)


def test_other_representations_than_the_dictionarys() -> None:
    """A number written as text is read, text written as a number is not."""
    assert _parse("Rows", b"512 ", vr="IS") == 512
    assert _parse("SliceThickness", struct.pack("<d", 2.5), vr="FD") == 2.5
    for vr in ("US", "SQ"):
        with pytest.raises(Unparsable, match="wrong-type"):
            _parse("PatientID", b"\1\0", vr=vr)


def test_text_in_any_character_set() -> None:
    """Latin 1, UTF-8 and code extensions are decoded; bad bytes are marked."""
    assert _parse("StudyDescription", "Kopf-Ü".encode("latin-1"), b"ISO_IR 100") == "Kopf-Ü"
    assert _parse("StudyDescription", "頭部".encode(), b"ISO_IR 192 ") == "頭部"
    japanese = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"
    assert _parse("PatientName", japanese, b"\\ISO 2022 IR 87") == "Yamada^Tarou=山田^太郎"
    decode = Decoder(b"ISO_IR 192")

    assert decode(b"K\xfcche") == "K\N{REPLACEMENT CHARACTER}che"
    assert decode.lossy


def test_fields_have_one_plain_type() -> None:
    """Sequences, bytes and unknown words are no fields."""
    for keyword in ("ReferencedImageSequence", "PixelData", "Nonsense"):
        with pytest.raises(ValueError, match=keyword):
            field(keyword)


KEYWORDS = ["StudyDate", "StudyTime", "SliceThickness", "InstanceNumber", "Rows", "PatientID"]


@given(keyword=st.sampled_from([*KEYWORDS, "ImageType"]), raw=st.binary(max_size=40))
def test_any_bytes_are_a_value_or_unparsable(keyword: str, raw: bytes) -> None:
    """Whatever is in a value, parsing ends in a typed value, in none, or in ``Unparsable``."""
    try:
        value = _parse(keyword, raw, b"ISO_IR 192")
    except Unparsable:
        return
    allowed: dict[str, type | tuple[type, ...]] = {
        "StudyDate": date,
        "StudyTime": time,
        "SliceThickness": float,
        "InstanceNumber": int,
        "Rows": int,
        "PatientID": str,
        "ImageType": list,
    }

    assert value is None or isinstance(value, allowed[keyword])


@given(st.dates())
def test_dates_round_trip(day: date) -> None:
    """Every date is read as itself."""
    assert day == _parse("StudyDate", f"{day:%Y%m%d}".rjust(8, "0").encode())


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_round_trip(number: float) -> None:
    """Every finite number is read as itself."""
    assert number == _parse("SliceThickness", repr(number).encode())
