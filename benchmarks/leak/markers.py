"""Markers: values unlike any other, so that any part of one in an output is a leak.

Words are of twelve consonants, and no six letters in a row are shared by two of them. Dates are
told apart within a file, UIDs and times everywhere. What has too few values to be unique (ages,
single numbers) is judged by its place.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from enum import StrEnum

WINDOW = 6
"""Letters in a row that count as a partial survivor."""
CORE = 12
UID_ROOT = "1.2.826.0.1.3680043.8.498"
_LETTERS = "bcdfghjklmnpqrstvwxz"
_FIRST_DAY = dt.date(1900, 1, 1)
_DAYS = 44_000


class Kind(StrEnum):
    """How a marker is looked for."""

    WORD = "word"
    DATE = "date"
    TIME = "time"
    UID = "uid"
    FOREIGN = "foreign"  # letters of another script, as whole text
    PLACE = "place"  # too few possible values: equal at its own place, or gone


class Fate(StrEnum):
    """What becomes of a marker in a faithful result."""

    GOES = "must-go"
    META = "file meta"
    TEXT = "free text outside the table"
    CODE = "code strings outside the table"
    BYTES = "bytes outside the table"


@dataclass(frozen=True, slots=True)
class Marker:
    """One planted value.

    Attributes:
        file: number of the file.
        path: keywords from the top, by slashes; ``(preamble)`` and ``(meta)`` stand apart.
        group: the line of the table that it counts in.
        needle: what is looked for.
        value: what was planted.
    """

    file: int
    path: str
    vr: str
    kind: Kind
    fate: Fate
    group: str
    needle: str
    value: str


@dataclass(frozen=True, slots=True)
class Useful:
    """A number or a sequence that analysis needs and no profile removes."""

    file: int
    path: str
    vr: str
    value: str = ""


@dataclass
class Maker:
    """Makes needles, the same for the same seed."""

    seed: int
    _random: random.Random = field(init=False)
    _windows: set[str] = field(default_factory=set)
    _numbers: set[int] = field(default_factory=set)
    _days: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def word(self) -> str:
        """Twelve lower-case letters of which no six in a row were ever given out before."""
        while True:
            word = "".join(self._random.choices(_LETTERS, k=CORE))
            parts = {word[i : i + WINDOW] for i in range(CORE - WINDOW + 1)}
            if not parts & self._windows:
                self._windows |= parts
                return word

    def number(self, low: int, high: int) -> int:
        """A whole number in [low, high) that was never given out before."""
        while True:
            number = self._random.randrange(low, high)
            if number not in self._numbers:
                self._numbers.add(number)
                return number

    def stem(self) -> str:
        """The twelve digits that make a UID one of ours."""
        return str(self.number(10**11, 10**12))

    def date(self, file: int) -> str:
        """YYYYMMDD, once in this file."""
        days = self._days.setdefault(file, set())
        while True:
            day = self._random.randrange(_DAYS)
            if day not in days:
                days.add(day)
                return (_FIRST_DAY + dt.timedelta(days=day)).strftime("%Y%m%d")

    def time(self) -> str:
        """HHMMSS.FFFFFF, once in the corpus."""
        second = self._random.randrange(86_400)
        minute, rest = divmod(second, 60)
        return f"{minute // 60:02d}{minute % 60:02d}{rest:02d}.{self.number(100_000, 10**6):06d}"

    def below(self, limit: int) -> int:
        """Any whole number below a limit; it may come again."""
        return self._random.randrange(limit)
