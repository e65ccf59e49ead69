"""A multipart body is taken apart as it was put together, however it arrives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.errors import ServerError
from cohortkit.sources.multipart import boundary_of, parts

MARK = b"b0und"
SIGNS = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"\r\n--", b"b0und", b"x", b"\0"]))


def body(contents: list[bytes], before: bytes = b"", padding: bytes = b"") -> bytes:
    """As a server writes it."""
    head = b"Content-Type: application/dicom\r\nContent-Length: 9\r\n\r\n"
    opened = [b"--" + MARK + padding + b"\r\n" + head + one + b"\r\n" for one in contents]
    return before + b"".join(opened) + b"--" + MARK + b"--\r\nafter"


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def taken(pieces: Iterator[bytes]) -> list[bytes]:
    return [b"".join(one) for one in parts(pieces, MARK)]


@given(st.lists(SIGNS, max_size=4), st.integers(1, 40))
def test_what_was_put_in_comes_out(signs: list[list[bytes]], size: int) -> None:
    """Whatever stands in the parts but the delimiter itself, and wherever the pieces end."""
    contents = [b"".join(one) for one in signs]
    contents = [one for one in contents if b"\r\n--" + MARK not in b"\r\n" + one + b"\r"]

    assert contents == taken(cut(body(contents, b"for people\r\n", b" \t"), size))


@given(st.integers(1, 40), st.data())
def test_a_body_that_ends_early_is_an_error(size: int, data: st.DataObject) -> None:
    """Wherever it is cut before its last delimiter."""
    whole = body([b"one", b"two"])
    end = data.draw(st.integers(0, whole.rindex(b"--\r\nafter") + 1))

    with pytest.raises(ServerError, match="broke off"):
        taken(cut(whole[:end], size))


def test_a_part_that_is_not_read_is_skipped() -> None:
    """And the next one is whole."""
    found = parts(cut(body([b"a" * 100, b"b"]), 7), MARK)

    next(found)
    assert [b"b"] == [b"".join(one) for one in found]


@pytest.mark.parametrize(
    "data", [b"<html>" * 20_000, body([b"x"]).replace(b"--b0und\r", b"--b0undX\r"), b""]
)
def test_what_is_no_multipart_is_an_error(data: bytes) -> None:
    """It is never taken for a body without parts."""
    with pytest.raises(ServerError):
        taken(cut(data, 1000))


@pytest.mark.parametrize(
    "said",
    [
        "text/html",
        "",
        "application/dicom",
        "multipart/related; type=application/dicom",
        'multipart/related; type="image/jpeg"; boundary=x',
        f"multipart/related; boundary={'x' * 500}",
    ],
)
def test_another_kind_of_answer_is_an_error(said: str) -> None:
    """A page to log in comes with 200, too."""
    with pytest.raises(ServerError, match="kind"):
        boundary_of(said, "application/dicom")


def test_the_boundary_is_read_from_the_header() -> None:
    """In quotes or not, in any order."""
    for said in (
        'multipart/related; type="application/dicom"; boundary="b0und"',
        "Multipart/Related; boundary=b0und; type=application/dicom",
    ):
        assert MARK == boundary_of(said, "application/dicom")
