"""Where the data set of a file begins and how it is encoded (PS3.10 7.1, PS3.5 10).

What is not DICOM is refused here: a file has the ``DICM`` prefix, or it begins like an old file
without preamble does. Nothing is ever read by force.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_DEFLATED = frozenset(
    {
        "1.2.840.10008.1.2.1.99",  # Deflated Explicit VR Little Endian
        "1.2.840.10008.1.2.4.95",  # JPIP Referenced Deflate
        "1.2.840.10008.1.2.4.205",  # JPIP HTJ2K Referenced Deflate
    }
)

LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
"""VRs whose explicit length is four bytes after two reserved ones (PS3.5 7.1.2)."""

SHORT_VRS = frozenset(
    {
        *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO"),
        *(b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
    }
)
"""VRs whose explicit length is two bytes."""

_PREAMBLE = 128
_PREFIX = b"DICM"
_META_GROUP = 0x0002
_TRANSFER_SYNTAX = 0x00020010
_explicit = Struct("<HH2sH").unpack_from
_implicit = Struct("<HHL").unpack_from
_long = Struct("<L").unpack_from


@dataclass(frozen=True, slots=True)
class Start:
    """How to begin reading a file.

    Attributes:
        dataset: offset of the first element after the file meta information.
        transfer_syntax: as the file meta says it; where it says none, what the bytes show.
        implicit, little: encoding of the header as its first element shows it.
        deflated: whether everything from ``dataset`` on is deflated.
        preamble: whether the file has a preamble and the DICM prefix.
        stated: whether the file meta names a transfer syntax.
    """

    dataset: int
    transfer_syntax: str
    implicit: bool
    little: bool
    deflated: bool
    preamble: bool
    stated: bool


def find_start(head: bytes) -> Start:
    """Find the data set of a file.

    Args:
        head: the first bytes of the file, up to behind its file meta information.

    Raises:
        Refusal: ``empty-file``, ``not-dicom``, or ``truncated`` where ``head`` ends too early.
    """
    if not head:
        raise Refusal(Reason.EMPTY_FILE)
    preamble = head[_PREAMBLE : _PREAMBLE + 4] == _PREFIX
    meta = _PREAMBLE + 4 if preamble else 0
    if not preamble and not _begins_like_old_file(head):
        raise Refusal(Reason.NOT_DICOM)
    dataset, syntax = _walk_meta(head, meta)
    stated = bool(syntax)
    deflated = syntax in _DEFLATED
    implicit, little = _encoding(head[dataset : dataset + 8], syntax)
    if not stated:
        syntax = plain_syntax(implicit=implicit, little=little)
    return Start(dataset, syntax, implicit, little, deflated, preamble, stated)


def _begins_like_old_file(head: bytes) -> bool:
    """Whether the first element is of group 0002 or 0008, as in files before PS3.10."""
    if len(head) < 8:  # noqa: PLR2004 - the least an element takes
        return False
    if head[0] == 0 and head[1] == 8:  # noqa: PLR2004 - group 0008, big endian
        return head[2] == 0 and head[4:6] in SHORT_VRS
    if head[1] != 0 or head[0] not in {2, 8} or head[3] not in {0, 1, 0x10, 0x11, 0x12}:
        return False
    short_enough: bool = _implicit(head)[2] < 1 << 16
    return head[4:6] in SHORT_VRS or head[4:6] in LONG_VRS or short_enough


def _walk_meta(head: bytes, at: int) -> tuple[int, str]:
    """Step over group 0002; its stated length is not trusted.

    Returns:
        Offset behind it, and the transfer syntax ("" where none is said).
    """
    syntax = ""
    end = len(head)
    while at + 8 <= end:
        group, element, vr, length = _explicit(head, at)
        if group != _META_GROUP:
            break
        value = at + 8
        if vr in LONG_VRS:
            if value + 4 > end:
                raise Refusal(Reason.TRUNCATED)
            length = _long(head, value)[0]
            value += 4
        elif vr not in SHORT_VRS:  # some writers encode even this group without VRs
            length = _implicit(head, at)[2]
        if value + length > end:
            raise Refusal(Reason.TRUNCATED)
        if group << 16 | element == _TRANSFER_SYNTAX:
            syntax = head[value : value + length].decode("latin-1").strip("\0 ")
        at = value + length
    if 0 < end - at < 8:  # noqa: PLR2004 - the least an element takes
        raise Refusal(Reason.TRUNCATED)
    return at, syntax


def _encoding(first: bytes, syntax: str) -> tuple[bool, bool]:
    """Implicit, little: by the transfer syntax, but the bytes themselves have the last word."""
    if syntax in _DEFLATED:
        return False, True
    little = syntax != EXPLICIT_BIG
    if len(first) < 8:  # noqa: PLR2004 - an empty data set
        return syntax == IMPLICIT_LITTLE, little
    implicit = not (first[4:6].isalpha() and first[4:6].isupper())
    if not syntax and not implicit:
        # a big-endian group up to 00FF reads as 0100 and more in little endian
        little = first[1] == 0 or first[0] != 0
    return implicit, little


def plain_syntax(*, implicit: bool, little: bool) -> str:
    """The transfer syntax of a file that states none."""
    if implicit:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if little else EXPLICIT_BIG
