"""The flow as SVG: boxes as in a CONSORT diagram. Plain text in, plain text out.

Everything that stands in the picture is escaped; it has no script, no link and no outside font.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from cohortkit.cohort.steps import INDEX, Counts, Loss, Step

WIDTH: Final = 860
_MAIN: Final = (24, 420)  # left edge and width of the boxes in the middle
_SIDE: Final = (492, 344)  # and of those to the right
_LINE: Final = 19
_PAD: Final = 14
_GAP: Final = 30
_MAIN_CHARS: Final = 52
_SIDE_CHARS: Final = 43
_FONT: Final = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

_STYLE: Final = f"""
.ck text{{font-family:{_FONT};font-size:13px;fill:#1f2937}}
.ck .head{{font-weight:600;font-size:13.5px}}
.ck .count{{fill:#374151}}
.ck .soft{{fill:#6b7280}}
.ck .box{{fill:#f8fafc;stroke:#94a3b8;stroke-width:1.2}}
.ck .last{{fill:#e8f3f1;stroke:#0f766e;stroke-width:1.6}}
.ck .out{{fill:#fffaf3;stroke:#d6a760;stroke-width:1.2}}
.ck .arrow{{stroke:#64748b;stroke-width:1.4;fill:none}}
.ck .tip{{fill:#64748b}}
"""


@dataclass(frozen=True, slots=True)
class _Text:
    """One line of a box."""

    words: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of lines at a place."""

    lines: tuple[_Text, ...]
    left: int
    width: int
    look: str

    @property
    def height(self) -> int:
        return len(self.lines) * _LINE + 2 * _PAD - 4

    def drawn(self, top: int) -> str:
        frame = (
            f'<rect class="{self.look}" x="{self.left}" y="{top}" width="{self.width}" '
            f'height="{self.height}" rx="7"/>'
        )
        first = top + _PAD + 11
        rows = [
            f'<text class="{line.look}" x="{self.left + _PAD}" y="{first + at * _LINE}">'
            f"{_safe(line.words)}</text>"
            for at, line in enumerate(self.lines)
        ]
        return "\n".join([frame, *rows])


def svg(steps: Sequence[Step]) -> str:
    """Draw the steps of a cohort."""
    top, parts = 24, []
    for place, step in enumerate(steps):
        box = _main(step, last=place == len(steps) - 1)
        side = _side(step)
        if place:
            room = _GAP if side is None else side.height + _GAP
            parts.append(_arrow_down(top, room))
            if side is not None:
                parts.append(_arrow_right(top + room // 2))
                parts.append(side.drawn(top + room // 2 - side.height // 2))
            top += room
        parts.append(box.drawn(top))
        top += box.height
    height = top + 24
    told = f"From {steps[0].kept} to {steps[-1].kept}." if steps else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ck" role="img" '
            f'viewBox="0 0 {WIDTH} {height}" width="100%" style="max-width:{WIDTH}px">',
            f"<title>Flow of the cohort</title><desc>{_safe(told)}</desc>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
            *parts,
            "</svg>",
        ]
    )


def _main(step: Step, *, last: bool) -> _Box:
    title = step.words if step.action == INDEX else str(step)
    lines = [_Text(line, "head") for line in _wrapped(title, _MAIN_CHARS)]
    lines += [_Text(line, "count") for line in _counted(step.kept)]
    lines += [
        _Text(line, "soft")
        for note in step.notes
        for line in _wrapped(f"{note.count:,} {note.words}", _MAIN_CHARS)
    ]
    return _Box(tuple(lines), *_MAIN, "last" if last else "box")


def _side(step: Step) -> _Box | None:
    out = step.before - step.kept
    if not out.series:
        return None
    lines = [_Text("Left out", "head")]
    lines += [_Text(line, "count") for line in _counted(out)]
    for words, counts in _reasons(step.losses):
        said = f"{words}: {counts.series:,} series"
        lines += [
            _Text(line if at == 0 else f"  {line}", "soft")
            for at, line in enumerate(_wrapped(f"– {said}", _SIDE_CHARS))
        ]
    return _Box(tuple(lines), *_SIDE, "out")


def _reasons(losses: Sequence[Loss]) -> list[tuple[str, Counts]]:
    both = [
        told
        for loss in losses
        for told in ((loss.out, loss.not_matched), (loss.unsure, loss.unknown))
    ]
    return [(words, counts) for words, counts in both if counts.series]


def _counted(counts: Counts) -> list[str]:
    return [str(counts).replace(", ", "  ·  ").replace("  ·  ", " · ")]


def _wrapped(words: str, width: int) -> list[str]:
    return textwrap.wrap(words, width, break_long_words=True) or [""]


def _arrow_down(top: int, room: int) -> str:
    middle = _MAIN[0] + _MAIN[1] // 2
    end = top + room
    return (
        f'<path class="arrow" d="M{middle} {top}V{end - 7}"/>'
        f'<path class="tip" d="M{middle} {end}l-4.5 -8h9z"/>'
    )


def _arrow_right(height: int) -> str:
    middle = _MAIN[0] + _MAIN[1] // 2
    end = _SIDE[0]
    return (
        f'<path class="arrow" d="M{middle} {height}H{end - 7}"/>'
        f'<path class="tip" d="M{end} {height}l-8 -4.5v9z"/>'
    )


def _safe(words: str) -> str:
    """Escaped, and without the characters that XML cannot hold."""
    return escape("".join(char if char.isprintable() else "�" for char in words))
