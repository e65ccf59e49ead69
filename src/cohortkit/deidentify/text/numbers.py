"""Which numbers of a text are of the trade where they stand.

A word is of the trade or not; 95 is a field strength, an age, a room or half of a telephone, and
only its place tells. So a number stays if a unit, a term of the protocol or another number that
has its place says what it counts; one figure alone, and a decimal, stay as well. All else goes.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

_WORDS = str.split
UNITS = frozenset(
    _WORDS(
        """
        beats bit bits bval bvals bvalue bvalues cc cgy ch channel channels chn cm cps deg degree
        degrees dir dirs directions dyn echo echoes fps frame frames gy hu hz images img iso kev khz
        kv kvp ma mas mbq mci mev mgy mhz mh micron microns min mins minute minutes ml mm ms msec
        msv nex nsa nm pct percent phase phases pl plane planes post pre projections pt rpm s sec
        second seconds secs shot shots sl slab slabs slice slices sms spokes stack stacks station
        stations tesla ug um usec view views vol vols volume volumes
        """
    )
)
"""What a number counts or measures, behind it."""
_UP_TO = {"d": 4, "t": 12, "x": 100, "y": 0}
"""Units of one letter that are of the trade up to a value only."""

TERMS = frozenset(
    _WORDS(
        """
        ac acceleration acq acrin angle annotation asir average avg b band bv bval bvals
        bvalue bvalues bw cardiac channel coil contrast cut delay delta dir dw dwi dyn
        dynamic e ech echo echoes etl ev fa fac factor fast fl flip fov frame ga grappa
        group im image img index inj injection ir iso iter iterations kernel kv kvp lesion
        level ma mas matrix mb measure mp multiband multiphase nci nex nodule np nsa p pat
        pf ph phase plane position pt qc rad radiologist radiology ratio reader recon
        region res resolution roi rot run s sample sc se section segment segments seq
        sequence ser series session set sl slab slice sliceinc slices sliceth smooth sms
        spacing spair spokes ss stack station step strength suppression target te thick
        thickness thk thresh threshold ti time timepoint tissue tp tr trigger ts tse tumor
        type v vel velocity venc ver version vol volume vox voxel window wl ww x xe
        """
    )
)
"""Terms of a protocol that a number follows."""
_WEAK = frozenset("besvxp")
"""Terms of one letter: too little to overrule what is known of the patient."""

_RUN = re.compile(r"[a-z0-9]+")
_TOKEN = re.compile(r"(?<!\d)\d+(?:\.\d+)?")
_BEFORE = re.compile(r"([a-z]{0,16})(\d{0,2})([^a-z0-9]{0,3})$")
_UNIT = re.compile(r"[^a-z0-9]{0,2}([a-z]{1,12})(?![a-z])")
_CODES = re.compile(
    r"(?<![a-z0-9])(?:"
    r"(?:[bhiudjtq][rvfcg]?|fc|fl|tr)\d{2}[a-z]?|"  # filters of reconstruction: B30f, Br40, FC11
    r"(?:c[1-8]|th?(?:1[0-2]|[1-9])|d(?:1[0-2]|[1-9])|l[1-6]|s[1-5])"  # vertebrae: C2, T12, L5
    r"|cd\d{1,3}|ki67"  # stains
    r"|(?:ls|lspr|sen|aqul|vct|def|as|vol|mx|sl)(?:4|8|16|32|40|64|128|256|8000)"  # scanners
    r"|\d{1,4}(?:[x\u00d7]\d{1,4}){1,3}(?:mm|cm)?"  # a matrix, a size
    r")(?![a-z0-9])"
)
_SIZES = frozenset(
    ["128", "160", "192", "224", "256", "320", "384", "448", "512", "576", "640", "768", "1024"]
)
_LIST = re.compile(r"(?:[^,\s]{1,16},){7,}[^,\s]{1,16}")
_CHAINED = re.compile(r"[\s,/x+*~:;_&.-]{1,3}")
_RANGED = re.compile(r"\s?[-/x+]\s?")
_FEW, _SOME, _MOST = 2, 3, 4  # figures
_HUNDREDS = 50  # b-values are counted in these


class Place(IntEnum):
    """How surely a number has its place."""

    NOWHERE = 0
    WEAK = 1  # one figure, a decimal, or a neighbour that has its place
    SURE = 2  # a unit, a term or a code says what it is


class Token(NamedTuple):
    """A number of a text."""

    start: int
    end: int
    figures: str
    place: Place

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands."""
        return self.start, self.end

    @property
    def whole(self) -> str:
        """Its figures before the point."""
        return self.figures.partition(".")[0]


def placed(low: str, known: Iterable[tuple[int, int]] = ()) -> list[Token]:
    """The numbers of a text in their order, and how surely each has its place there.

    Args:
        low: narrow letters, in lower case.
        known: parts of it that are on a list of words as they are.
    """
    sure = bytearray(len(low))
    whole = [(0, len(low))] if _LIST.fullmatch(low) else []
    for start, end in (*known, *(match.span() for match in _CODES.finditer(low)), *whole):
        sure[start:end] = b"\1" * (end - start)
    found = _in_lines(low, [_alone(low, match, sure) for match in _TOKEN.finditer(low)])
    for at in range(len(found) - 2, -1, -1):  # 80-100 sec
        token, behind = found[at], found[at + 1]
        ranged = _RANGED.fullmatch(low, token.end, behind.start)
        if token.place is Place.NOWHERE and behind.place is Place.SURE and ranged:
            found[at] = token._replace(place=_beside(token.figures))
    return found


def runs_with(low: str, tokens: Iterable[Token]) -> Iterator[tuple[int, int]]:
    """Where each of these stands, with the letters and figures that are written in one with it."""
    runs = [match.span() for match in _RUN.finditer(low)]
    begins = [start for start, _ in runs]
    for token in tokens:
        first, last = bisect(begins, token.start) - 1, bisect(begins, token.end - 1) - 1
        yield runs[first][0], runs[last][1]


def _alone(low: str, match: re.Match[str], sure: Sequence[int]) -> Token:
    start, end = match.span()
    listed = sure[start] and sure[end - 1]
    return Token(start, end, match[0], Place.SURE if listed else _place(low, start, end))


def _in_lines(low: str, tokens: Iterable[Token]) -> list[Token]:
    """The same; what follows a number that surely has its place, and a sign, stands in its line."""
    found: list[Token] = []
    line = False
    for token in tokens:
        line = line and _CHAINED.fullmatch(low, found[-1].end, token.start) is not None
        place = max(token.place, _beside(token.figures) if line else Place.NOWHERE)
        line = place is Place.SURE or (line and place is not Place.NOWHERE)
        found.append(token._replace(place=place))
    return found


def _beside(figures: str) -> Place:
    """A number beside one that has its place has it too, unless it could be something else."""
    whole = figures.partition(".")[0]
    if len(whole) < _MOST:
        return Place.WEAK
    counted = len(whole) == _MOST and whole[0] != "0" and int(whole) % _HUNDREDS == 0
    return Place.WEAK if counted else Place.NOWHERE


def _place(low: str, start: int, end: int) -> Place:
    figures = low[start:end]
    whole, _, rest = figures.partition(".")
    if len(whole) > _MOST or len(rest) > _SOME or (len(whole) == _MOST and whole[0] == "0"):
        return Place.NOWHERE
    if _counts(low, end, float(figures)) or _termed(low, start, len(whole)):
        return Place.SURE
    if len(whole) == 1 or (rest and len(whole) < _MOST):
        return Place.WEAK
    return Place.WEAK if figures in _SIZES or not int(whole) else Place.NOWHERE


def _counts(low: str, end: int, value: float) -> bool:
    """Whether a unit follows."""
    match = _UNIT.match(low, end)
    if match is None:
        return False
    word, glued = match[1], match.start(1) == end
    if word in _UP_TO:
        return glued and value <= _UP_TO[word]
    return word in UNITS and (glued or len(word) > 1)


def _termed(low: str, start: int, length: int) -> bool:
    """Whether a term goes before."""
    match = _BEFORE.search(low, max(0, start - 24), start)
    if match is None or match[1] not in TERMS:
        return False
    weak = match[1] in _WEAK
    if weak and (match[3].strip("=-_ ") or match[2]):
        return False
    return not weak or match[1] == "b" or length <= _SOME
