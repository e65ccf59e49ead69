"""Steps of a cohort, written as text: ``first_per patient by=StudyDate nth=2``. Pure.

As the shell and job files have them: the names and options of the library. Words are separated by
blanks and may be quoted; several values of an option by commas; days are ``-30..7``, a side may be
left open; a preference or a case is a column, or terms as ``search`` has them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.predicates import expression
from cohortkit.cohort.query import parse, unknown
from cohortkit.cohort.terms import read_terms
from cohortkit.errors import QueryError

_LISTS: Final = ("patients", "accessions", "studies", "series")


class _Wrong(Exception):  # noqa: N818 - of this file alone
    """What a value has to be."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What a value is read by.

    Attributes:
        columns: of the cohort.
        folder: what relative paths are relative to.
    """

    columns: pl.Schema
    folder: Path


_Read = Callable[[str, _Around], Any]


def _text(text: str, _: _Around) -> str:
    return text


def _several(text: str, _: _Around) -> list[str]:
    return text.split(",")


def _path(text: str, around: _Around) -> Path:
    return around.folder / Path(text).expanduser()


def _whole(text: str, _: _Around) -> int:
    try:
        return int(text)
    except ValueError:
        raise _Wrong("a whole number") from None


def _number(text: str, _: _Around) -> float:
    try:
        return float(text)
    except ValueError:
        raise _Wrong("a number") from None


def _flag(text: str, _: _Around) -> bool:
    if text not in {"true", "false"}:
        raise _Wrong("true or false")
    return text == "true"


def _days(text: str, around: _Around) -> tuple[int | None, int | None]:
    low, dots, high = text.partition("..")
    if not dots:
        raise _Wrong("days such as -30..7")
    return (_whole(low, around) if low else None, _whole(high, around) if high else None)


def _within(text: str, around: _Around) -> dict[str, float]:
    pairs = [part.partition(":") for part in text.split(",")]
    if not all(colon for _, colon, _ in pairs):
        raise _Wrong("columns with a distance, such as age_years:2")
    return {name: _number(far, around) for name, _, far in pairs}


def _terms(text: str, around: _Around) -> dict[str, object]:
    return read_terms(shlex.split(text), around.columns)


def _prefer(text: str, around: _Around) -> dict[str, object] | str:
    return _terms(text, around) if "=" in text else text


def _case(text: str, around: _Around) -> pl.Expr:
    return expression(parse(_terms(text, around), around.columns), around.columns)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a step is written.

    Attributes:
        most: words before the options, at most; at least one where there may be any.
        word: what they are read by.
        options: by name, what each is read by.
        needed: options that have to be there.
        often: the option that may be said several times, in order.
    """

    most: int = 0
    word: _Read = _text
    options: Mapping[str, _Read] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    often: str = ""


_WHY: Final[dict[str, _Read]] = {"reason": _text}
_MANY: Final = 1_000
_FORMS: Final[Mapping[str, _Form]] = {
    "search": _Form(_MANY),
    "text": _Form(_MANY, options={"where": _several, **_WHY}),
    "first_per": _Form(
        1,
        options={"by": _several, "level": _text, "nth": _whole, "descending": _flag, **_WHY},
        needed=("by",),
    ),
    "best_per": _Form(1, options={"prefer": _prefer, **_WHY}, needed=("prefer",), often="prefer"),
    "nearest": _Form(
        1,
        _path,
        {
            "on": _several,
            "date": _text,
            "days": _days,
            "by": _text,
            "level": _text,
            "many": _text,
            **_WHY,
        },
        ("on", "date", "days"),
    ),
    "pairs": _Form(
        options={"days": _days, "same": _several, "by": _text, "most": _whole, **_WHY},
        needed=("days",),
    ),
    "match": _Form(
        options={
            "case": _case,
            "same": _several,
            "within": _within,
            "controls": _whole,
            "seed": _whole,
            **_WHY,
        },
        needed=("case",),
    ),
    "split": _Form(),
    "sample": _Form(1, _whole, {"seed": _whole, "level": _text}, ("seed",)),
    "join": _Form(1, _path, {"on": _several, "many": _text, "unmatched": _text, **_WHY}, ("on",)),
    "only": _Form(options={**dict.fromkeys(_LISTS, _path), **_WHY}),
    "exclude": _Form(options={**dict.fromkeys(_LISTS, _path), **_WHY}),
}

STEPS: Final = tuple(_FORMS)
"""The steps that can be written. ``filter`` takes an expression, and is for Python."""


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """One step as it was written, of a known form. Identified: it may hold values.

    Attributes:
        action: the name of the method.
        words: before the options.
        options: in the order in which they are said.
    """

    action: str
    words: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    def of(self, cohort: Cohort, folder: str | Path = "") -> Cohort:
        """The cohort after this step.

        Args:
            cohort: before it.
            folder: what paths are relative to; default: where the process is.

        Raises:
            QueryError: a value that the option cannot have; and what the step itself raises.
        """
        form, around = _FORMS[self.action], _Around(cohort.columns, Path(folder))
        if self.action == "search":
            return cohort.search(**read_terms(self.words, cohort.columns))
        words = [self._made(form.word, "", word, around) for word in self.words]
        given: dict[str, Any] = {form.often: []} if form.often else {}
        for name, text in self.options:
            value = self._made(form.options.get(name, _number), name, text, around)
            if name == form.often:
                given[name].append(value)
            else:
                given[name] = value
        made: Cohort = getattr(cohort, self.action)(*words, **given)
        return made

    def _made(self, read: _Read, name: str, text: str, around: _Around) -> object:
        try:
            return read(text, around)
        except _Wrong as wrong:
            what = f" {name}" if name else ""
            raise QueryError(f"{self.action}:{what} takes {wrong}") from None
        except ValueError:  # of quotes within a value
            raise QueryError(f"{self.action}: {name} has a quote that does not end") from None


def read_step(text: str) -> Written:
    """A step out of its text.

    Raises:
        UnknownKeyword: no such step or option.
        QueryError: what is lacking, or there twice. No message quotes a value.
    """
    try:
        parts = shlex.split(text)
    except ValueError:
        raise QueryError("a step has a quote that does not end") from None
    if not parts:
        raise QueryError("a step without a word")
    action, *rest = parts
    if action not in _FORMS:
        raise unknown(action, STEPS, "step")
    form = _FORMS[action]
    if action == "search":
        return Written(action, tuple(rest), ())
    words = tuple(part for part in rest if "=" not in part)
    options = tuple((name, value) for name, _, value in _pairs(rest))
    _demand(action, form, words, [name for name, _ in options])
    return Written(action, words, options)


def _pairs(parts: Sequence[str]) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in parts if "=" in part]


def _demand(action: str, form: _Form, words: Sequence[str], names: Sequence[str]) -> None:
    for name in names:
        if name not in form.options and action != "split":
            raise unknown(name, tuple(form.options), f"option of {action}")
        if names.count(name) > 1 and name != form.often:
            raise QueryError(f"{action}: {name} is there twice")
    if len(words) > form.most or (form.most and not words):
        due = {0: "no word", 1: "one word"}.get(form.most, "words")
        raise QueryError(f"{action} takes {due} before its options")
    lacking = [name for name in form.needed if name not in names]
    if lacking:
        raise QueryError(f"{action} needs {' and '.join(f'{name}=' for name in lacking)}")
