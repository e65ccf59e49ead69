"""Byte streams with bounds, so that a hostile length costs an answer and not the memory."""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO, Protocol

from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

MAX_HEADER = 256 * 1024 * 1024
"""Bytes of header that are ever read; a header of 50,000 enhanced frames takes about half."""

_CHUNK = 64 * 1024


class Stream(Protocol):
    """What a header is read from."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102 - as files do
    def seek(self, offset: int, whence: int = 0, /) -> int: ...  # noqa: D102 - as files do
    def tell(self) -> int: ...  # noqa: D102 - as files do
    def remaining(self) -> int | None:
        """Bytes from here to the end, where the end is known."""
        ...


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file; a part of another (``windows``) says it itself."""
    part = getattr(file, "part_size", None)
    return os.fstat(file.fileno()).st_size if part is None else int(part)


class BoundedFile:
    """A file of which at most ``limit`` bytes are read in all.

    Attributes:
        rest: what the last read returned that came short.
    """

    def __init__(self, file: BinaryIO, limit: int = MAX_HEADER) -> None:
        self._file = file
        self._size = size_of(file)
        self._left = limit
        self.rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """Like a file's, or Refusal where the bound is reached."""
        here = self._file.tell()
        wanted = self._size - here if size < 0 else min(size, max(self._size - here, 0))
        if wanted > self._left:
            raise Refusal(Reason.HEADER_TOO_LARGE)
        data = self._file.read(wanted)
        self._left -= len(data)
        if len(data) < size:
            self.rest = data
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Like a file's."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Like a file's."""
        return self._file.tell()

    def remaining(self) -> int | None:
        """Bytes from here to the end of the file."""
        return self._size - self._file.tell()


class InflatingFile:
    """The inflated rest of a file (PS3.5 A.5), inflated only as far as it is read.

    Positions count inflated bytes. ``drop()`` forgets what lies behind, so that pixels can be
    stepped over without being held.
    """

    def __init__(self, file: BinaryIO, limit: int = MAX_HEADER) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._held = bytearray()
        self._base = 0
        self._at = 0
        self._limit = limit
        self._pending = b""
        self.rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """Like a file's, or Refusal where the bound is reached or the stream is damaged."""
        if size < 0:
            size = self._limit + 1
        self._fill(self._at + size)
        start = self._at - self._base
        data = bytes(self._held[start : start + size])
        self._at += len(data)
        if len(data) < size:
            self.rest = data
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Like a file's, but never to before what was dropped and never from the end."""
        target = self._at + offset if whence == os.SEEK_CUR else offset
        if whence == os.SEEK_END or target < self._base:
            raise ValueError("not to be reached in a deflated stream")
        self._at = target
        return target

    def tell(self) -> int:
        """Position in inflated bytes."""
        return self._at

    def remaining(self) -> int | None:
        """Unknown: the end is not known before all is inflated."""
        return None

    def skip(self, size: int) -> bool:
        """Step over bytes without holding them; False where the stream ends before."""
        target = self._at + size
        while self._base + len(self._held) < target:
            self._base += len(self._held)
            self._held.clear()
            if not self._more():
                return False
        self._at = target
        del self._held[: target - self._base]
        self._base = target
        return True

    def _fill(self, upto: int) -> None:
        while self._base + len(self._held) < upto:
            if len(self._held) > self._limit:
                raise Refusal(Reason.HEADER_TOO_LARGE)
            if not self._more():
                return

    def _more(self) -> bool:
        """Inflate one more chunk; False at the end of the stream."""
        while not self._inflate.eof:
            data = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            if not data:
                return False
            try:
                out = self._inflate.decompress(data, _CHUNK)
            except zlib.error:
                raise Refusal(Reason.HEADER_UNREADABLE) from None
            if out:
                self._held += out
                return True
        return False
