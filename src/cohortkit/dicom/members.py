"""Files inside tar and zip: where each lies, and how it is read there.

A place in a container is ``container//offset/name``: no path that a file system lists has an empty
part, so it is never the path of a file. The offset is that of the bytes (tar) or of the member's
own head (zip). No name of a member ever becomes a path on disk.
"""

from __future__ import annotations

import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import FileIO
from typing import BinaryIO, Final, cast

from cohortkit.dicom.windows import Inflated, Window
from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

SEPARATOR: Final = "//"
SNIFFED: Final = 512
"""Bytes by which a container is known."""

_LARGEST: Final = 1 << 32  # bytes of a member
_RATIO: Final = 1_100  # deflate cannot do better than 1032 to 1
_PLACE: Final = re.compile(r"(.+)//(\d{1,15})/([^/].*)", re.DOTALL)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")  # APPNOTE 4.3.7
_ENCRYPTED, _LATER, _MASKED = 1, 1 << 3, 1 << 13  # general purpose bits, APPNOTE 4.4.4
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


@dataclass(frozen=True, slots=True, repr=False)
class Member:
    """One file in a container. Identified: names tell of people.

    Attributes:
        name: without a leading ``./``; where it is refused for its name, as it may be shown.
        offset: as the module says.
        size: bytes, unpacked.
        reason: why it is not read, if it is not.
    """

    name: str
    offset: int
    size: int
    reason: Reason | None = None

    def at(self, container: str) -> str:
        """Its place."""
        return f"{container}{SEPARATOR}{self.offset}/{self.name}"


@dataclass(frozen=True, slots=True)
class Held:
    """A member that can be opened as a path can."""

    box: FileIO
    member: Member

    def open(self, mode: str = "rb") -> BinaryIO:  # noqa: ARG002 - as of a path; read only
        """A stream of its bytes, as they are unpacked.

        Raises:
            Refusal: ``container-damaged``: there is no such member.
        """
        return cast("BinaryIO", stream_of(self.box, self.member.offset, self.member.size))


def split(place: str) -> tuple[str, int, str] | None:
    """Container, offset and name of a place in a container; None for that of a file."""
    found = _PLACE.fullmatch(place)
    if found is None or found[1].endswith(":"):
        return None
    return found[1], int(found[2]), found[3]


def file_of(place: str) -> str:
    """The file on disk: the container, where it is a place in one."""
    found = split(place)
    return found[0] if found else place


def is_container(head: bytes) -> bool:
    """Whether a file that is no DICOM and begins so is a tar or a zip."""
    return _is_zip(head) or head[257:262] == b"ustar"


def _is_zip(head: bytes) -> bool:
    return head[:4] in {b"PK\3\4", b"PK\5\6"}


def members(box: FileIO) -> list[Member]:
    """The files in a container, in the order of their names; folders are none.

    Raises:
        Refusal: ``container-damaged``: it ends early, overlaps itself or cannot be understood.
        OSError: it cannot be read.
    """
    box.seek(0)
    head = box.read(SNIFFED)
    box.seek(0)
    size = box.seek(0, 2)
    box.seek(0)
    try:
        found = list(_zip(box) if _is_zip(head) else _tar(box, size))
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        ValueError,
        EOFError,
        LookupError,
        struct.error,
        zlib.error,
    ):
        raise Refusal(Reason.CONTAINER_DAMAGED) from None
    return sorted(_judged(found), key=lambda one: (one.name, one.offset))


def _judged(found: list[Member]) -> Iterator[Member]:
    """Names that can be kept, each once; sizes that can be meant."""
    named = [replace(one, name=one.name.removeprefix("./")) for one in found]
    times = Counter(one.name for one in named)
    for one in named:
        if not _is_plain(one.name):
            shown = one.name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
            yield replace(one, name=shown.lstrip("/") or "?", reason=Reason.MEMBER_NAME)
        elif times[one.name] > 1:
            yield replace(one, reason=Reason.MEMBER_TWICE)
        elif one.reason is None and one.size > _LARGEST:
            yield replace(one, reason=Reason.MEMBER_TOO_LARGE)
        else:
            yield one


def _is_plain(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts) or _DRIVE.match(name):
        return False
    return "\\" not in name and "\0" not in name


def _tar(box: FileIO, size: int) -> Iterator[Member]:
    with tarfile.TarFile(fileobj=box, mode="r") as tar:
        behind = 0
        for info in tar:
            end = info.offset_data + (info.size if info.isreg() else 0)
            if info.size < 0 or info.offset < behind or end > size:
                raise Refusal(Reason.CONTAINER_DAMAGED)
            behind = end
            if info.isdir():
                continue
            reason = None if info.isreg() else Reason.MEMBER_NOT_A_FILE
            reason = Reason.MEMBER_PACKED if info.issparse() else reason
            yield Member(info.name, info.offset_data, info.size, reason)
        box.seek(-(-behind // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        if any(box.read(tarfile.BLOCKSIZE)):  # tarfile ends at a head that it cannot read
            raise Refusal(Reason.CONTAINER_DAMAGED)


def _zip(box: FileIO) -> Iterator[Member]:
    with zipfile.ZipFile(box) as whole:
        infos = sorted(whole.infolist(), key=lambda info: info.header_offset)
        begins = [*(info.header_offset for info in infos), whole.start_dir]
    for info, following in zip(infos, begins[1:], strict=True):
        if info.header_offset + _LOCAL.size + info.compress_size > following:
            raise Refusal(Reason.CONTAINER_DAMAGED)
        if not info.is_dir():
            name = info.orig_filename  # where it has a NUL, the other is cut there
            yield Member(name, info.header_offset, info.file_size, _refused(info))


def _refused(info: zipfile.ZipInfo) -> Reason | None:
    if info.flag_bits & (_ENCRYPTED | _MASKED):
        return Reason.MEMBER_ENCRYPTED
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return Reason.MEMBER_NOT_A_FILE
    if info.compress_type not in {_STORED, _DEFLATED}:
        return Reason.MEMBER_PACKED
    if info.file_size > info.compress_size * _RATIO:
        return Reason.MEMBER_TOO_LARGE
    return None


def stream_of(box: FileIO, offset: int, size: int) -> Window | Inflated:
    """The bytes of a member, from what stands at its offset alone.

    Raises:
        Refusal: ``container-damaged``: there is no member of this size.
    """
    box.seek(0)
    if not _is_zip(box.read(4)):
        _demand_tar_member(box, offset, size)
        return Window(box, offset, size)
    method, begin, _ = _local(box, offset)
    if method == _STORED:
        return Window(box, begin, size)
    return Inflated(box, begin, size)


def _demand_tar_member(box: FileIO, offset: int, size: int) -> None:
    try:
        box.seek(offset - tarfile.BLOCKSIZE)
        block = box.read(tarfile.BLOCKSIZE)
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (OSError, ValueError, tarfile.TarError):
        raise Refusal(Reason.CONTAINER_DAMAGED) from None
    if not info.isreg() or info.size != size:
        raise Refusal(Reason.CONTAINER_DAMAGED)


def _local(box: FileIO, offset: int) -> tuple[int, int, int | None]:
    """Method of a member of a zip, where its bytes begin, its checksum where that stands there."""
    box.seek(offset)
    head = box.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\3\4":
        raise Refusal(Reason.CONTAINER_DAMAGED)
    _, _, flags, method, _, _, checksum, _, _, name, extra = _LOCAL.unpack(head)
    if flags & (_ENCRYPTED | _MASKED) or method not in {_STORED, _DEFLATED}:
        raise Refusal(Reason.CONTAINER_DAMAGED)
    begin = offset + _LOCAL.size + name + extra
    return method, begin, None if flags & _LATER else checksum


def unpack(box: FileIO, offset: int, size: int, into: BinaryIO) -> None:
    """Write the bytes of a member.

    Raises:
        Refusal: ``container-damaged``: it has another size, or another checksum (zip).
        OSError: it cannot be read or written.
    """
    stream = stream_of(box, offset, size)
    left, summed = size, 0
    while left:
        data = stream.read(min(left, 1 << 20))
        if not data:
            raise Refusal(Reason.CONTAINER_DAMAGED)
        left -= len(data)
        summed = zlib.crc32(data, summed)
        into.write(data)
    behind = stream.end()
    box.seek(0)
    if not _is_zip(box.read(4)):
        return
    _, _, checksum = _local(box, offset)
    if checksum is None:  # behind the bytes, with or without a signature (APPNOTE 4.3.9)
        box.seek(behind)
        later = box.read(8)
        checksum = int.from_bytes(later[4:] if later[:4] == b"PK\7\10" else later[:4], "little")
    if checksum != summed:
        raise Refusal(Reason.CONTAINER_DAMAGED)
