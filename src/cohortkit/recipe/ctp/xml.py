"""The XML of a DicomAnonymizer script: its parameters, elements and switches, with their lines.

The parser is expat itself. A document type is refused before anything in it is read, so that there
are no entities to expand and none to fetch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

_KINDS = ("p", "e", "k", "r")
_ATTRIBUTES = frozenset({"en", "t", "n"})
_ROOT = "script"
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One child of the script.

    Attributes:
        kind: ``p`` a parameter, ``e`` an element, ``k`` a group to keep, ``r`` a kind to remove.
        number: its line.
        enabled: what is not enabled does nothing.
        about: the attribute ``t``: a name, tag, group or kind.
        text: what is between its tags.
    """

    kind: str
    number: int
    enabled: bool
    about: str
    text: str


@dataclass(slots=True)
class _Handler:
    """What expat tells, gathered."""

    parser: expat.XMLParserType
    entries: list[Entry] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    depth: int = 0
    opened: tuple[str, int, dict[str, str]] | None = None
    parts: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        number = self.parser.CurrentLineNumber
        self.depth += 1
        if self.depth == 1:
            if name != _ROOT:
                self.faults.append(f"line {number}: <{name}>: a script begins with <script>")
        elif self.depth > _DEEPEST:
            raise _Refused(f"line {number}: <{name[:40]}> inside of another element of the script")
        elif name not in _KINDS:
            known = ", ".join(f"<{kind}>" for kind in _KINDS)
            self.faults.append(f"line {number}: unknown <{name[:40]}>; a script holds {known}")
        else:
            strange = sorted(attributes.keys() - _ATTRIBUTES)
            self.faults += [f"line {number}: unknown attribute {one[:40]!r}" for one in strange]
            self.opened, self.parts = (name, number, attributes), []

    def text(self, data: str) -> None:
        self.parts.append(data)

    def end(self, _: str) -> None:
        self.depth -= 1
        if self.opened is None or self.depth >= _DEEPEST:
            return
        kind, number, attributes = self.opened
        self.opened = None
        enabled = attributes.get("en", "T")
        if enabled not in ("T", "F"):
            self.faults.append(f"line {number}: en is T or F, not {enabled[:40]!r}")
        about = attributes.get("t", "").strip()
        if not about:
            self.faults.append(f"line {number}: <{kind}> has no t")
        text = "".join(self.parts).strip()
        self.entries.append(Entry(kind, number, enabled == "T" or kind == "p", about, text))

    def doctype(self, *_: object) -> None:
        raise _Refused(f"line {self.parser.CurrentLineNumber}: a document type has no place here")


class _Refused(Exception):  # noqa: N818 - told as a fault
    """What is not read at all."""


def read(data: bytes) -> tuple[tuple[Entry, ...], list[str]]:
    """The entries of a script, and its faults, each with its line."""
    parser = expat.ParserCreate()
    handler = _Handler(parser)
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = handler.doctype
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat's: this is all
    except _Refused as refused:
        return (), [str(refused)]
    except expat.ExpatError as error:
        return (), [f"line {error.lineno}: not XML: {expat.ErrorString(error.code)}"]
    except (LookupError, ValueError):
        return (), ["not XML: its encoding is unknown"]
    return tuple(handler.entries), handler.faults
