"""Values that a recipe in deid's language gives: constants, variables, functions, listed values.

Nothing that is made here is noted as kept, so that the search before publication looks for the
patient's values in it as in everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydicom import config
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from cohortkit.deidentify.forms import well_formed
from cohortkit.deidentify.items import items_of
from cohortkit.deidentify.private import Creators, is_private
from cohortkit.deidentify.rules import Step, effective_vr
from cohortkit.deidentify.values import (
    ONE_VALUE,
    TEXTS,
    Element,
    encodings_of,
    identifiers,
    texts,
)
from cohortkit.dicom.quiet import quiet
from cohortkit.errors import Refusal
from cohortkit.model import Person
from cohortkit.protocols import Pseudonyms
from cohortkit.reasons import Reason
from cohortkit.recipe.deid import handed
from cohortkit.recipe.deid.fields import Finder
from cohortkit.recipe.deid.lines import Extract, Given, Line, Script, Source
from cohortkit.recipe.deid.names import names_of
from cohortkit.recipe.deid.values import days_of

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64
_FLOATS = frozenset({"FL", "FD"})
_INTEGERS = frozenset({"SL", "SS", "SV", "UL", "US", "UV"})


@dataclass(slots=True)
class Values:
    """The values of one person's series.

    Attributes:
        source: the header that is walked.
    """

    script: Script
    person: Person
    pseudonyms: Pseudonyms
    source: Dataset = field(default_factory=Dataset)
    _row: Mapping[str, str] | None = None
    _copy: Dataset | None = None
    _listed: list[tuple[Line, re.Pattern[str]]] = field(default_factory=list)

    def begin(self, source: Dataset) -> None:
        """Another header of the series."""
        self.source, self._copy = source, None
        self._listed = list(self._patterns())

    # ── one value ────────────────────────────────────────────────────────────────────────────────

    def texts(
        self, step: Step, element: Element | None, encodings: Sequence[str]
    ) -> list[Any] | None:
        """The values that a step gives, as its VR holds them; None where a function gives none.

        Nothing where the VR cannot hold them: the element is emptied.

        Raises:
            Refusal: ``no-variable``.
        """
        assert step.given is not None  # SET has a value
        made = self._made(step.given, step, element, encodings)
        if made is None:
            return None
        vr = step.vr.split(" or ", maxsplit=1)[0]
        many = [str(made)] if vr in ONE_VALUE else str(made).split("\\")
        many = [one.strip() for one in many]
        return _fitting(many, vr, own=step.given.source is Source.CONSTANT)

    def days(self, step: Step, element: Element, encodings: Sequence[str]) -> int:
        """Whole days that a date moves by.

        Raises:
            Refusal: ``no-variable``; ``not-understood`` where they are no whole number.
        """
        assert step.given is not None  # MOVE has a value
        known = days_of(step.given) if step.given.source in (Source.CONSTANT, Source.OWN) else None
        if known is not None:
            return known
        try:
            return int(str(self._made(step.given, step, element, encodings)))
        except ValueError:
            raise Refusal(Reason.NOT_UNDERSTOOD) from None

    def asked(self, step: Step, element: Element, encodings: Sequence[str]) -> bool:
        """Whether the function of a REMOVE line says that the element goes."""
        assert step.given is not None  # that is what asked means
        return bool(self._made(step.given, step, element, encodings))

    def _made(
        self, given: Given, step: Step, element: Element | None, encodings: Sequence[str]
    ) -> object:
        match given.source:
            case Source.CONSTANT:
                return given.text
            case Source.VARIABLE:
                return self._variable(given.text)
            case Source.FUNCTION:
                return self._called(given.text, step, element, encodings)
            case Source.OWN:
                return self._keyed(given, step, element, encodings)

    def _variable(self, name: str) -> str:
        row = self._variables()
        if name not in row:
            raise Refusal(Reason.NO_VARIABLE)
        return row[name]

    def _variables(self) -> Mapping[str, str]:
        if self._row is None:
            rows, person = self.script.variables.rows, self.person
            own = rows.get((person.issuer, person.patient_id)) or rows.get(("", person.patient_id))
            self._row = {**self.script.variables.shared, **(own or {})}
        return self._row

    def _called(
        self, name: str, step: Step, element: Element | None, encodings: Sequence[str]
    ) -> object:
        """What a function of the caller makes of the element; it sees copies only."""
        function = dict(self.script.functions)[name]
        if self._copy is None:
            self._copy = deepcopy(Dataset(dict(self.source._dict)))  # noqa: SLF001 - undecoded
        with quiet():
            asked = step.keyword if element is None else _handed(element, step, encodings)
            return function(
                item=dict(self._variables()), value=f"func:{name}", field=asked, dicom=self._copy
            )

    def _keyed(
        self, given: Given, step: Step, element: Element | None, encodings: Sequence[str]
    ) -> str:
        found = [] if element is None else [one for one in identifiers(element, encodings) if one]
        token = self.pseudonyms.token(step.keyword, "\\".join(found) or self.person.patient_id)
        return f"{step.keyword.lower()}-{token}" if given.text == "suffix_uuid" else token

    # ── values that are looked for elsewhere ─────────────────────────────────────────────────────

    def listed(self, values: Sequence[str]) -> Line | None:
        """The last line about a list of which one of these values holds a value."""
        hits = [line for line, found in self._listed if any(found.search(one) for one in values)]
        return hits[-1] if hits else None

    def _patterns(self) -> Iterator[tuple[Line, re.Pattern[str]]]:
        asked = [line for line in self.script.lines if line.values]
        if not asked:
            return
        lists = dict(self.script.lists)
        found = {n: set(self._extracted(lists[n])) for n in {line.values for line in asked}}
        for line in asked:
            if known := sorted(found[line.values], key=lambda one: (-len(one), one)):
                yield line, re.compile("|".join(map(re.escape, known)), re.IGNORECASE)

    def _extracted(self, extracts: Sequence[Extract]) -> Iterator[str]:
        finder = Finder([one.field for one in extracts])
        for names, values in _texts_of(self.source, ("iso8859",)):
            for number in finder.find(names):
                by, least = extracts[number].by, extracts[number].least
                for value in values:
                    parts = value.split(by) if by else [value]
                    yield from (one.strip() for one in parts if len(one.strip()) >= least)


def _texts_of(dataset: Dataset, around: Sequence[str]) -> Iterator[tuple[Any, list[str]]]:
    """The text of a header at every depth, each with the names of its element."""
    encodings = encodings_of(dataset, around)
    creators = Creators(dataset, encodings)
    for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset would decode its elements
        element, number = dataset.get_item(tag), int(tag)
        creator = creators.of(number) if is_private(number) else None
        vr = effective_vr(number, element.VR, creator)
        if vr in TEXTS:
            yield names_of(number, vr, creator), texts(element, vr, encodings) or []
        elif vr == "SQ":
            try:
                items = items_of(element, encodings)
            except Refusal:
                continue  # the walk refuses it, if it is kept
            for item in items:
                yield from _texts_of(item, encodings)


def _fitting(values: list[str], vr: str, *, own: bool) -> list[Any]:
    """The values as a VR holds them; none where it cannot."""
    try:
        if vr in _FLOATS:
            return [float(one) for one in values]
        if vr in _INTEGERS:
            return [int(one) for one in values]
    except ValueError:
        return []
    if vr == "UI":
        good = all(len(one) <= _LONGEST_UID and _UID.fullmatch(one) for one in values)
    else:
        good = vr in TEXTS and vr != "AS" and well_formed(values, vr, loose=own)
        good = good or (vr == "AS" and own)
    return values if good else []


def _handed(element: Element, step: Step, encodings: Sequence[str]) -> handed.Element:
    if isinstance(element, RawDataElement):
        decoded = convert_raw_data_element(element._replace(VR=step.vr), encoding=[*encodings])
    else:
        decoded = deepcopy(element)
    return handed.Element(decoded, step.keyword, str(element.tag), is_filemeta=False)


def element_of(tag: BaseTag | int, vr: str, values: list[Any]) -> DataElement:
    """An element with these values."""
    value = values if len(values) > 1 else (values[0] if values else None)
    vr = vr.split(" or ", maxsplit=1)[0]
    return DataElement(tag, vr, value, validation_mode=config.IGNORE)
