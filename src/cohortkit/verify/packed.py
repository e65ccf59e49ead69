"""What a notebook or a page holds in another form than it is read in. Pure.

A notebook keeps output in pieces, as it was printed, and pictures in base64; so do pages that
hold their pictures. Whoever opens them sees them whole.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator

_RUN = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
_BROKEN = re.compile(rb"(?:\\r|\\n|[\r\n])[ \t]*")  # also as JSON writes a line's end
_SEAM = re.compile(rb"[A-Za-z0-9+/](?:\\r|\\n|[\r\n])[ \t]*(?:\\r|\\n|[\r\n ]|\t)*[A-Za-z0-9+/]")
_FOUR = 4


def joined(data: bytes) -> str:
    """The text of each cell of a notebook, and of what it put out, without the seams."""
    try:
        cells = json.loads(data)["cells"]
        return "\n".join(_text_of(part) for cell in cells for part in _parts(cell))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""


def _parts(cell: dict[str, object]) -> Iterator[object]:
    """What is read in one go: the source, and all output of one kind."""
    yield cell.get("source")
    outputs = cell.get("outputs")
    kinds: dict[str, list[object]] = {}
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        kinds.setdefault("text", []).append(output.get("text"))
        for kind, value in dict(output.get("data") or {}).items():
            kinds.setdefault(kind, []).append(value)
    yield from kinds.values()
    yield [value for values in kinds.values() for value in values]


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    return "".join(map(_text_of, value)) if isinstance(value, list) else ""


def runs(data: bytes) -> Iterator[bytes]:
    """What may be base64 in a text, in one piece or in lines, without what pads it; each once.

    Digits alone pack no text: every third byte of it would be 0xD0 or more.
    """
    seen: set[bytes] = set()
    broken = _SEAM.search(data) is not None
    for text in (data, _BROKEN.sub(b"", data)) if broken else (data,):
        for found in _RUN.finditer(text):
            run = found[0].rstrip(b"=")
            whole = run[: len(run) - (len(run) % _FOUR == 1)]
            if whole not in seen and not whole.isdigit():
                seen.add(whole)
                yield whole


def decoded(run: bytes) -> bytes | None:
    """What is packed in a run, of ``size`` bytes (noise if it is none); None: nothing."""
    try:
        return base64.b64decode(run + b"=" * (-len(run) % _FOUR))
    except binascii.Error:
        return None


def size(run: bytes) -> int:
    """How many bytes are packed in a run."""
    return len(run) * 3 // 4
