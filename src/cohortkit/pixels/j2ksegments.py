"""Whether marker segments of a JPEG 2000 codestream hold what they are for (ISO 15444-1 A).

Their lengths follow from what they say, a component that there is not has none, what repeats the
lengths of other parts has to be right. What tells decoders nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cohortkit.errors import Refusal
from cohortkit.reasons import Reason

CAP: Final = 0x50
SIZ: Final = 0x51
COD: Final = 0x52
COC: Final = 0x53
TLM: Final = 0x55
PLM: Final = 0x57
PLT: Final = 0x58
QCD: Final = 0x5C
QCC: Final = 0x5D
RGN: Final = 0x5E
CRG: Final = 0x63

IDLE: Final = frozenset({PLM, CRG})
"""Lengths of packets, which a tile-part has too; where components lie against each other."""
_ONE_BYTE: Final = 257  # components of which the number takes one byte


@dataclass(slots=True)
class Header:
    """What the segments of a main header or of one tile-part say.

    Attributes:
        components: of the image.
        levels: of the decomposition, as COD says; None before it does.
    """

    components: int
    levels: int | None = None
    lengths: list[tuple[int, bytes]] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def take(self, marker: int, body: bytes) -> None:
        """Check one segment.

        Args:
            marker: its second byte.
            body: behind its length.

        Raises:
            Refusal: ``pixel-stream``.
        """
        if marker in {COC, QCC, RGN}:
            wide = 1 if self.components < _ONE_BYTE else 2
            component = int.from_bytes(body[:wide], "big")
            short = len(body) <= wide or component >= self.components
            if short or (marker, component) in self._seen or not self._fits(marker, body[wide:]):
                raise Refusal(Reason.PIXEL_STREAM)
            self._seen.add((marker, component))
        elif marker == TLM:
            self.lengths.append((body[0] if body else 0, body[1:]))
        elif marker in {CAP, SIZ, COD, QCD}:
            if (marker, -1) in self._seen or not self._fits(marker, body):
                raise Refusal(Reason.PIXEL_STREAM)
            self._seen.add((marker, -1))

    def _fits(self, marker: int, body: bytes) -> bool:
        """Whether a segment is as long as it says."""
        match marker:
            case 0x50:
                return len(body) == 4 + 2 * int.from_bytes(body[:4], "big").bit_count()
            case 0x51:
                return len(body) == 36 + 3 * self.components
            case 0x52:
                self.levels = body[5] if len(body) > 5 else 0  # noqa: PLR2004 - behind five others
                return len(body) == 10 + (self.levels + 1) * (body[0] & 1)
            case 0x53:
                return len(body) > 1 and len(body) == 6 + (body[1] + 1) * (body[0] & 1)
            case 0x5E:
                return len(body) == 2  # noqa: PLR2004 - a style and a shift
            case _:
                return self._steps(body)

    def _steps(self, body: bytes) -> bool:
        """Of a quantization: a step for each band of every level, or one for all."""
        style, count = body[0] & 31 if body else 0, len(body) - 1
        if style == 1:
            return count == 2  # noqa: PLR2004 - a number
        each = 2 if style else 1
        whole = count % each == 0 and (count // each) % 3 == 1
        return whole and (self.levels is None or count // each == 3 * self.levels + 1)


def check_lengths(header: Header, sizes: Sequence[tuple[int, int]]) -> None:
    """Check what the main header says of the tile-parts.

    Args:
        header: the main header.
        sizes: number of its tile and bytes of each tile-part, in their order.

    Raises:
        Refusal: ``pixel-stream``.
    """
    if not header.lengths:
        return
    told = [one for _, body in sorted(header.lengths) for one in _lengths(body)]
    pairs = zip(told, sizes, strict=False)
    right = all(one[0] in (None, other[0]) and one[1] == other[1] for one, other in pairs)
    if len(told) != len(sizes) or not right:
        raise Refusal(Reason.PIXEL_STREAM)


def _lengths(body: bytes) -> Iterator[tuple[int | None, int]]:
    """Tile (where it is told) and length of each tile-part of a TLM segment."""
    form = body[0] if body else 0
    tile, size = form >> 4 & 3, 4 if form & 0x40 else 2
    if tile > 2 or form & ~0x70 or (len(body) - 1) % (tile + size):  # noqa: PLR2004 - bytes
        raise Refusal(Reason.PIXEL_STREAM)
    for at in range(1, len(body), tile + size):
        number = int.from_bytes(body[at : at + tile], "big") if tile else None
        yield number, int.from_bytes(body[at + tile : at + tile + size], "big")


def check_packets(bodies: Sequence[bytes], size: int) -> None:
    """Check what a tile-part says of the lengths of its packets.

    Args:
        bodies: of its PLT segments.
        size: bytes of its packets.

    Raises:
        Refusal: ``pixel-stream``.
    """
    if not bodies:
        return
    total = length = 0
    whole = True
    for _, data in sorted((body[:1], body[1:]) for body in bodies):
        for byte in data:
            length = length << 7 | byte & 0x7F
            whole = not byte & 0x80
            if whole:
                total, length = total + length, 0
    if total != size or not whole:
        raise Refusal(Reason.PIXEL_STREAM)
