"""Parts of a file as streams of their own: as they lie there, or inflated."""

from __future__ import annotations

import io
import os
import zlib
from io import FileIO
from typing import Any

from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

_CHUNK = 64 * 1024


class _Part(io.RawIOBase):
    """A stream of a size that is known before; what fills it is below. Closing it closes it alone.

    Attributes:
        part_size: bytes from beginning to end, as ``streams.size_of`` asks for them.
    """

    def __init__(self, file: FileIO, begin: int, size: int) -> None:
        self._file, self._begin, self.part_size = file, begin, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.part_size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - as io has it
        """Fill the buffer; less only where the part ends."""
        data = self._filled(min(len(buffer), max(self.part_size - self._at, 0)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _filled(self, size: int) -> bytes:
        raise NotImplementedError


class Window(_Part):
    """A part that lies there as it is."""

    def _filled(self, size: int) -> bytes:
        self._file.seek(self._begin + self._at)
        return self._file.read(size)

    def end(self) -> int:
        """Where what follows it begins in the file."""
        return self._begin + self.part_size


class Inflated(_Part):
    """A part that is deflated, inflated only as far as it is read, and never beyond its size.

    To go back it begins again.
    """

    def __init__(self, file: FileIO, begin: int, size: int) -> None:
        super().__init__(file, begin, size)
        self._restart()

    def _restart(self) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._next, self._done, self._tail = self._begin, 0, b""

    def _filled(self, size: int) -> bytes:
        if self._at < self._done:
            self._restart()
        while self._done < self._at and self._more(min(_CHUNK, self._at - self._done)):
            pass
        found = bytearray()
        while len(found) < size and (data := self._more(size - len(found))):
            found += data
        return bytes(found)

    def _more(self, most: int) -> bytes:
        """Some bytes of the next ones; none at the end of what is deflated."""
        while not self._inflate.eof:
            data = self._tail or self._fed()
            try:
                out = self._inflate.decompress(data, most)
            except zlib.error:
                raise Refusal(Reason.CONTAINER_DAMAGED) from None
            self._tail = self._inflate.unconsumed_tail
            self._done += len(out)
            if out or not data:
                return out
        return b""

    def _fed(self) -> bytes:
        self._file.seek(self._next)
        data = self._file.read(_CHUNK)
        self._next += len(data)
        return data

    def end(self) -> int:
        """Where what follows it begins in the file, once all of it was read.

        Raises:
            Refusal: ``container-damaged``: more is deflated than its size says, or it ends early.
        """
        if self._more(1) or not self._inflate.eof:
            raise Refusal(Reason.CONTAINER_DAMAGED)
        return self._next - len(self._inflate.unused_data)
