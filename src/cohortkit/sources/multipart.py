"""A multipart body, part by part (RFC 2046 5.1.1), of which little is held at a time. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import Final

from cohortkit.errors import ServerError

_MOST_HEAD: Final = 1 << 14  # bytes of a part's own header
_MOST_BEFORE: Final = 1 << 16  # bytes before the first part
_PADDING: Final = re.compile(rb"[ \t]*")
_LONGEST: Final = 70  # characters of a boundary (RFC 2046)


def boundary_of(content_type: str, kind: str) -> bytes:
    """What separates the parts of an answer.

    Args:
        content_type: the answer's.
        kind: the media type that its parts must have.

    Raises:
        ServerError: it is no multipart answer of such parts: a page to log in, say.
    """
    told = Message()
    told["Content-Type"] = content_type.replace("\r", "").replace("\n", "")
    of = str(told.get_param("type", kind)).lower()
    boundary = str(told.get_param("boundary", ""))
    fits = boundary.isascii() and 0 < len(boundary) <= 2 * _LONGEST  # Orthanc's are longer
    if told.get_content_type() != "multipart/related" or of != kind or not fits:
        raise ServerError("the server's answer is not of the kind that was asked for")
    return boundary.encode()


def parts(pieces: Iterator[bytes], boundary: bytes) -> Iterator[Iterator[bytes]]:
    """Each part's content in pieces; one that is not read to its end is skipped.

    Args:
        pieces: of the body, of any size.
        boundary: between the parts.

    Raises:
        ServerError: the body ends before its last delimiter, or is not made like this.
    """
    body = _Body(pieces)
    delimiter = b"\r\n--" + boundary
    for _ in body.until(delimiter, _MOST_BEFORE):
        pass  # what stands before the first part is for people
    while not body.ends():
        for _ in body.until(b"\r\n\r\n", _MOST_HEAD):
            pass  # what a part says of itself is seen from its content
        content = body.until(delimiter)
        yield content
        for _ in content:
            pass


class _Body:
    """The bytes that have come and are not taken yet."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.held = b"\r\n"  # a delimiter may begin the body

    def more(self) -> None:
        """Wait for some more."""
        piece = next(self.pieces, None)
        if piece is None:
            raise ServerError("the server broke off in the middle of its answer")
        self.held += piece

    def until(self, mark: bytes, most: int = 0) -> Iterator[bytes]:
        """All up to a mark, which is taken too; at most so many bytes, if there is a limit."""
        taken = 0
        while (at := self.held.find(mark)) < 0:
            sure = max(0, len(self.held) - len(mark) + 1)  # the rest may be the mark's beginning
            taken += sure
            if most and taken > most:
                raise _unmade()
            if sure:
                ready, self.held = self.held[:sure], self.held[sure:]
                yield ready
            self.more()
        ready, self.held = self.held[:at], self.held[at + len(mark) :]
        if ready:
            yield ready

    def ends(self) -> bool:
        """Whether the delimiter that was just taken is the last; a line's end is left there."""
        while len(self.held) < 2:  # noqa: PLR2004 - the two signs that tell
            self.more()
        if self.held.startswith(b"--"):
            return True
        while (at := self.held.find(b"\r\n")) < 0 and len(self.held) < _MOST_HEAD:
            self.more()
        if at < 0 or not _PADDING.fullmatch(self.held[:at]):
            raise _unmade()
        self.held = self.held[at:]
        return False


def _unmade() -> ServerError:
    return ServerError("the server's answer is no multipart body")
