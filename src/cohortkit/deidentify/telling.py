"""Joined columns that tell of their patients what their type does not say: asked before an export.

A column of numbers can be called ``t`` and hold ages, days of a spreadsheet, or parts of the
patient's number. One cell may be so by chance. So each cell is compared with what is known of its
own patient and with the same of others: a column that meets its own in more rows than chance
explains is refused by name.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cohortkit.deidentify.labels import day_in, keeps_ages, keeps_births
from cohortkit.model import Person, Scalar, Task
from cohortkit.recipe.model import DATED_LABELS, Label, LabelType, Recipe, Temporal
from cohortkit.traces.narrow import narrow
from cohortkit.traces.own import Own, What, lowered, own_of

_MOST_PEOPLE = 200  # whose cells are looked at: as many as show what a column holds
_MOST_OTHERS = 40  # with whom each is compared
_BY_CHANCE = 1e-3  # how seldom chance alone does what is refused
_LONGEST = 200  # letters of a cell
_LOOSE = frozenset({LabelType.TEXT, LabelType.NUMBER})  # types that say little of what they hold

Cell = tuple[Person, Scalar]


@dataclass(frozen=True, slots=True)
class _Question:
    """One thing that a cell may tell.

    Attributes:
        what: in words.
        tells: whether a cell tells it of who is known.
        seldom: how often any number does, where there is nobody to compare with.
        type: what a column of this is called in a recipe; none has a type of its own.
    """

    what: str
    tells: Callable[[Own, Scalar], bool]
    seldom: float
    type: str = ""


def faults(recipe: Recipe, tasks: Sequence[Task]) -> Iterator[str]:
    """What is wrong with the columns that a recipe releases, each fault with its place.

    Args:
        recipe: the types of the columns, and what else it keeps.
        tasks: of the plan, with their labels and what the index knows of their people.
    """
    asked = [one for one in recipe.labels if one.type in _LOOSE or one.type in DATED_LABELS]
    if not asked:
        return
    chosen = _spread(sorted({task.person for task in tasks}, key=_order), _MOST_PEOPLE)
    known = {person: Own() for person in chosen}
    told: dict[Person, dict[tuple[str, Scalar], None]] = {person: {} for person in chosen}
    for task in tasks:
        if task.person in known:
            if not told[task.person]:
                known[task.person] = own_of((("PatientID", task.person.patient_id), *task.known))
            told[task.person] |= {(n, v): None for n, v in task.labels if v is not None}
    for label in asked:
        cells = [(who, v) for who in chosen for name, v in told[who] if name == label.column]
        for question in _births(recipe) if label.type in DATED_LABELS else _questions(recipe):
            yield from _asked(label, question, cells, known)


def _asked(
    label: Label, question: _Question, cells: Sequence[Cell], known: dict[Person, Own]
) -> Iterator[str]:
    met = sum(question.tells(known[who], value) for who, value in cells)
    if not met:
        return
    others = _spread(list(known), _MOST_OTHERS)
    expected = sum(_chance(question, cell, others, known) for cell in cells)
    if _tail(met, expected) < _BY_CHANCE:
        typed = f'give it the type "{question.type}", or ' if question.type else ""
        yield (
            f"labels.{label.column}: {question.what} in {met} of {len(cells)} values that were "
            f"looked at, where chance explains {expected:.1f}; {typed}leave it out. Numbers that "
            'are nothing but measures have the type "measure"'
        )


def _chance(
    question: _Question, cell: Cell, others: Iterable[Person], known: dict[Person, Own]
) -> float:
    """How probable it is that a cell tells this of somebody who is not its patient."""
    who, value = cell
    strangers = [known[one] for one in others if one != who]
    same = sum(question.tells(one, value) for one in strangers)
    return (same + question.seldom) / (len(strangers) + 1)


def _tail(met: int, expected: float) -> float:
    """The probability of so many or more (Poisson)."""
    log = math.log(expected)
    fewer = sum(math.exp(n * log - expected - math.lgamma(n + 1)) for n in range(met))
    return max(0.0, 1.0 - fewer)


def _births(recipe: Recipe) -> Iterator[_Question]:
    """Of a column of days: its years alone would tell it, too."""
    if not keeps_births(recipe):
        yield _Question("its patient's birth date", _born, 0.0005)


def _questions(recipe: Recipe) -> Iterator[_Question]:
    if not keeps_ages(recipe):
        yield _Question("its patient's age", _age, 0.02, "age")
    if recipe.temporal is not Temporal.UNMODIFIED:
        yield _Question("a date of its patient", _day, 0.0005, "date")
        yield _Question("a part of a date of its patient", _part, 0.05)
    yield _Question("the year of its patient's birth", _birth, 0.01)
    yield _Question("a part of its patient's number", _number, 0.005)
    yield _Question("its patient's initials", _initials, 0.005)


def _age(own: Own, value: Scalar) -> bool:
    number = _number_of(value)
    if number is not None:
        return own.aged(number) is not None
    return What.AGE in _found(own, value)


def _day(own: Own, value: Scalar) -> bool:
    number = _number_of(value)
    if isinstance(value, dt.date):
        return value in own.days
    if number is not None:
        return own.counts(number)
    return What.DATE in _found(own, value)


def _part(own: Own, value: Scalar) -> bool:
    return What.PART in _found(own, value)


def _born(own: Own, value: Scalar) -> bool:
    day = day_in(value)
    return (day.date() if isinstance(day, dt.datetime) else day) in own.births


def _birth(own: Own, value: Scalar) -> bool:
    return _number_of(value) in {float(born.year) for born in own.births}


def _number(own: Own, value: Scalar) -> bool:
    number = _number_of(value)
    return own.numbered(number) if number is not None else What.NUMBER in _found(own, value)


def _initials(own: Own, value: Scalar) -> bool:
    if not isinstance(value, str) or not value.isalpha():
        return What.INITIALS in _found(own, value)
    letters = Counter(value.casefold())
    return len(value) > 1 and any(letters == Counter(mine) for mine in own.initials)


def _found(own: Own, value: Scalar) -> set[What]:
    if not isinstance(value, str):
        return set()
    return {what for _, _, what in own.found(lowered(narrow(value[:_LONGEST]).text))}


def _number_of(value: Scalar) -> float | None:
    """A number, also where a table has it as text; none where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < 10**20 else None


def _spread(people: Sequence[Person], most: int) -> list[Person]:
    """As many as that, evenly out of all."""
    step = max(1, math.ceil(len(people) / most))
    return list(people[::step])


def _order(person: Person) -> tuple[str, str]:
    return person.issuer, person.patient_id
