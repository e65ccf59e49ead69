"""deid's own parser, asked line by line: the only place that imports deid.

deid answers a line that it does not like with a message on the screen and ``sys.exit``. Here that
is an exception with the message, and nothing is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import ModuleType
from typing import Any

from cohortkit.errors import MissingDependency

_QUIET = 0
_SHIPPED = "deid."


class NotUnderstood(ValueError):  # noqa: N818 - named for what it says
    """A line that deid's parser rejects; the message is deid's."""


@dataclass(frozen=True, slots=True)
class Written:
    """A line of ``%header``, ``%values`` or ``%fields`` as deid reads it.

    Attributes:
        action: ADD, BLANK … or FIELD, SPLIT.
        value: None where the line has none.
    """

    action: str
    field: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One criterion of a LABEL.

    Attributes:
        action: contains, equals, missing …
        value: None where the question takes none.
        joined: how it is joined to what is before it, ``and`` or ``or``.
        opens: it begins a line of the label.
    """

    action: str
    field: str
    value: str | None
    joined: str
    opens: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """A LABEL of a ``%filter``.

    Attributes:
        places: (keep, coordinates) in their order; coordinates are ``x1,y1,x2,y2``, ``all`` or
            ``from:`` and a field.
    """

    name: str
    questions: tuple[Question, ...]
    places: tuple[tuple[bool, str], ...]


def header_line(line: str) -> Written | None:
    """A line of ``%header``; None where deid drops it without a word.

    Raises:
        NotUnderstood: deid rejects it.
    """
    config: dict[str, Any] = {"header": []}
    with _asked() as parser:
        parser.parse_config_action(section="header", line=line, config=config)
    return next(_written(config["header"]), None)


def group_line(section: str, line: str) -> Written | None:
    """A line of ``%values`` or ``%fields``; None where deid drops it without a word.

    Raises:
        NotUnderstood: deid rejects it.
    """
    config: dict[str, Any] = {section: {"list": []}}
    with _asked() as parser:
        parser.parse_group_action(section=section, line=line, config=config, section_name="list")
    return next(_written(config[section]["list"]), None)


def label(head: str, lines: Sequence[str]) -> Labelled:
    """A LABEL with its lines.

    Raises:
        NotUnderstood: deid rejects one of them.
    """
    config: dict[str, Any] = {"filter": {"list": []}}
    with _asked() as parser:
        parser.parse_label(
            section="filter", config=config, section_name="list", members=[*lines], label=head
        )
    read = config["filter"]["list"][0]
    questions = tuple(one for group in read["filters"] for one in _questions(group))
    places = tuple((bool(mask), text) for mask, text in read["coordinates"])
    return Labelled(read.get("name", ""), questions, places)


def as_deid_reads(sources: Sequence[str]) -> Mapping[str, Any]:
    """Recipes by path or deid's own name, combined as deid combines them, silences and all.

    Raises:
        NotUnderstood: deid rejects a line.
    """
    with _asked() as parser:
        read: Mapping[str, Any] | None = parser.load_combined_deid([*sources])
    return {} if read is None else read


def shipped() -> Mapping[str, Traversable]:
    """The recipes that deid ships, by file name; none where deid is not installed."""
    try:
        folder = resources.files("deid").joinpath("data")
    except ModuleNotFoundError:
        return {}
    return {file.name: file for file in folder.iterdir() if file.name.startswith(_SHIPPED)}


def required() -> None:
    """Raise where deid is not installed.

    Raises:
        MissingDependency: it is an extra.
    """
    _parser()


def _parser() -> ModuleType:
    try:
        from deid.config import utils  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingDependency(
            "recipes in deid's language are read with deid's parser: pip install 'cohortkit[deid]'"
        ) from None
    module: ModuleType = utils
    return module


@contextmanager
def _asked() -> Iterator[Any]:
    """The parser, silent, and its ``sys.exit`` an exception."""
    parser = _parser()
    bot = parser.bot
    level, told = bot.level, len(bot.history)
    bot.level = _QUIET
    try:
        yield parser
    except SystemExit:
        raise NotUnderstood(_last(bot.history[told:])) from None
    except (ValueError, IndexError, AttributeError, KeyError, TypeError):
        raise NotUnderstood("its parser fails on this line") from None
    finally:
        bot.level = level
        del bot.history[told:]


def _last(history: Sequence[str]) -> str:
    text = history[-1] if history else ""
    for escape in ("\x1b[31m", "\x1b[0m"):
        text = text.replace(escape, "")
    return text.removeprefix("ERROR ").strip()


def _written(read: Sequence[Mapping[str, str]]) -> Iterator[Written]:
    for one in read:
        yield Written(one["action"], one["field"], one.get("value"))


def _questions(group: Mapping[str, Any]) -> Iterator[Question]:
    """A line of a label, question by question; only some take a value, so these are counted."""
    values = iter(group["value"])
    joins = [group["operator"] or "and", *group["InnerOperators"]]
    for number, (action, field) in enumerate(zip(group["action"], group["field"], strict=True)):
        takes = action in ("contains", "notcontains", "equals", "notequals")
        value = next(values, None) if takes else None
        yield Question(action, field, value, joins[number], opens=number == 0)


def path_of(source: str | Path) -> Path | None:
    """The file that deid would read for a path or one of its own names; None for no file."""
    path = Path(source)
    if path.is_file():
        return path
    name = f"{_SHIPPED}{source}"
    ships = shipped()
    return Path(str(ships[name])) if name in ships else None
