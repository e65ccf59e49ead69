"""The flow as SVG: boxes as in a CONSORT diagram. Plain text in, plain text out.

Everything that stands in the picture is escaped; it has no script, no link and no outside font.
Boxes are wide enough for the widest common sans-serif font, since nothing here measures text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from cohortkit.cohort.steps import INDEX, Counts, Loss, Note, Step, counted

WIDTH: Final = 880
_MAIN: Final = (24, 432)  # left edge and width of the boxes in the middle
_SIDE: Final = (500, 356)  # and of those to the right
_LINE: Final = 19
_PAD: Final = 14
_NUMBER: Final = 66  # where the text begins that follows a number in a box
_GAP: Final = 38
_HEAD_CHARS: Final = 46
_MAIN_CHARS: Final = 46
_SIDE_CHARS: Final = 36
_FONT: Final = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

_STYLE: Final = f"""
.ck text{{font-family:{_FONT};font-size:13px;fill:#1f2937}}
.ck .head{{font-weight:600}}
.ck .count{{fill:#374151}}
.ck .soft{{fill:#64748b;font-size:12.5px}}
.ck .number{{fill:#374151;font-size:12.5px;text-anchor:end}}
.ck .box{{fill:#f8fafc;stroke:#94a3b8;stroke-width:1.2}}
.ck .last{{fill:#e8f3f1;stroke:#0f766e;stroke-width:1.6}}
.ck .out{{fill:#fffaf3;stroke:#d6a760;stroke-width:1.2}}
.ck .arrow{{stroke:#64748b;stroke-width:1.4;fill:none}}
.ck .tip{{fill:#64748b}}
"""


@dataclass(frozen=True, slots=True)
class _Text:
    """One line of a box; ``number`` stands right-aligned before the words."""

    words: str
    look: str = "soft"
    number: str | None = None


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of lines."""

    lines: tuple[_Text, ...]
    left: int
    width: int
    look: str

    @property
    def height(self) -> int:
        return len(self.lines) * _LINE + 2 * _PAD - 4

    def drawn(self, top: int) -> Iterator[str]:
        yield (
            f'<rect class="{self.look}" x="{self.left}" y="{top}" width="{self.width}" '
            f'height="{self.height}" rx="7"/>'
        )
        for at, line in enumerate(self.lines):
            left, foot = self.left + _PAD, top + _PAD + 11 + at * _LINE
            if line.number is not None:
                place = f'x="{left + _NUMBER - 10}" y="{foot}"'
                yield f'<text class="number" {place}>{_safe(line.number)}</text>'
                left += _NUMBER
            place = f'x="{left}" y="{foot}"'
            yield f'<text class="{line.look}" {place}>{_safe(line.words)}</text>'


def svg(steps: Sequence[Step]) -> str:
    """Draw the steps of a cohort."""
    boxes = [_main(step, last=step is steps[-1]) for step in steps]
    top = 24
    parts: list[str] = []
    for place, (step, box) in enumerate(zip(steps, boxes, strict=True)):
        if place:
            side = _side(step)
            room = _room(side, boxes[place - 1], box)
            parts += _between(top, room, side)
            top += room
        parts += box.drawn(top)
        top += box.height
    height = top + 24
    told = f"From {steps[0].kept} to {steps[-1].kept}." if steps else ""
    return "\n".join(
        [
            _opening(height),
            f"<title>Flow of the cohort</title><desc>{_safe(told)}</desc>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
            *parts,
            "</svg>",
        ]
    )


def _opening(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ck" role="img" '
        f'viewBox="0 0 {WIDTH} {height}" width="100%" style="max-width:{WIDTH}px">'
    )


def _room(side: _Box | None, above: _Box, below: _Box) -> int:
    """The room between two boxes, such that no box to the right meets the next."""
    if side is None:
        return _GAP
    return max(_GAP, side.height - min(above.height, below.height) + 14)


def _main(step: Step, *, last: bool) -> _Box:
    title = step.words if step.action == INDEX else str(step)
    head = [_Text(line, "head") for line in _wrapped(_capital(title), _HEAD_CHARS)]
    return _Box(
        (*head, *_levels(step.kept), *_notes(step.notes)), *_MAIN, "last" if last else "box"
    )


def _levels(counts: Counts) -> tuple[_Text, ...]:
    """The four counts on one line, or on two where one would be too long."""
    told = str(counts).replace(", ", " · ")
    if len(told) <= _MAIN_CHARS + 4:
        return (_Text(told, "count"),)
    people, _, things = told.partition(" studies · ")
    return (
        (_Text(f"{people} studies", "count"), _Text(things, "count"))
        if things
        else (_Text(told, "count"),)
    )


def _notes(notes: Sequence[Note]) -> Iterator[_Text]:
    for note in notes:
        yield from _numbered(note.count, note.words, _MAIN_CHARS)


def _side(step: Step) -> _Box | None:
    out = step.before - step.kept
    if not out.series:
        return None
    many = "" if out.instances is None else f" · {counted(out.instances, 'instance')}"
    whole = f"whole patients: {out.patients:,} · whole studies: {out.studies:,}"
    lines = [
        _Text(f"Left out: {counted(out.series, 'series')}{many}", "head"),
        _Text(whole, "count"),
    ]
    for words, counts in _reasons(step.losses):
        lines += _numbered(counts.series, words, _SIDE_CHARS)
    return _Box(tuple(lines), *_SIDE, "out")


def _reasons(losses: Sequence[Loss]) -> Iterator[tuple[str, Counts]]:
    for loss in losses:
        for words, counts in ((loss.out, loss.not_matched), (loss.unsure, loss.unknown)):
            if counts.series:
                yield words, counts


def _numbered(number: int, words: str, width: int) -> Iterator[_Text]:
    for at, line in enumerate(_wrapped(words, width)):
        yield _Text(line, "soft", f"{number:,}" if at == 0 else "")


def _between(top: int, room: int, side: _Box | None) -> Iterator[str]:
    """The arrow down, and the box to the right with its arrow."""
    middle, end = _MAIN[0] + _MAIN[1] // 2, top + room
    yield f'<path class="arrow" d="M{middle} {top}V{end - 7}"/>'
    yield f'<path class="tip" d="M{middle} {end}l-4.5 -8h9z"/>'
    if side is not None:
        height, edge = top + room // 2 - 2, _SIDE[0]
        yield f'<path class="arrow" d="M{middle} {height}H{edge - 7}"/>'
        yield f'<path class="tip" d="M{edge} {height}l-8 -4.5v9z"/>'
        yield from side.drawn(height - side.height // 2)


def _wrapped(words: str, width: int) -> list[str]:
    return textwrap.wrap(words, width, break_long_words=True) or [""]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _safe(words: str) -> str:
    """Escaped, and without the characters that XML cannot hold."""
    return escape("".join(char if char.isprintable() else "�" for char in words))
