"""The corpus: files that hold one marker for every way in which an identity can lie in a header.

Deterministic: the same seed gives the same bytes. The answer key says of every marker where it
was planted and what must become of it, of every number and sequence that it must be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydicom.uid import UID, ExplicitVRLittleEndian

from leak import oddities
from leak.markers import Fate, Maker, Useful
from leak.sheet import Key, Sheet
from leak.table import BYTE_VRS, DATE_VRS, NUMBER_VRS, TEXT_VRS, Attribute, Table, name_of

SEED = 20_260_101
TOP_FILES, ROTATED_FILES, NESTED_EACH = 10, 8, 24
INSIDE = tuple(
    Attribute(tag, vr, name_of(tag))
    for tag, vr in (
        (0x00100010, "PN"),  # PatientName
        (0x00100020, "LO"),  # PatientID
        (0x00080050, "SH"),  # AccessionNumber
        (0x00080080, "LO"),  # InstitutionName
        (0x00080020, "DA"),  # StudyDate
        (0x00100030, "DA"),  # PatientBirthDate
        (0x00081155, "UI"),  # ReferencedSOPInstanceUID
    )
)
"""What lies in an item of every sequence of the dictionary."""
DEEPER = tuple(
    Attribute(tag, vr, name_of(tag))
    for tag, vr in (
        (0x00100010, "PN"),  # PatientName
        (0x00080090, "PN"),  # ReferringPhysicianName
        (0x00080022, "DA"),  # AcquisitionDate
        (0x0020000E, "UI"),  # SeriesInstanceUID
    )
)
"""What lies another level down."""
SEALED = frozenset({0x04000500, 0x4FFE0001})
"""EncryptedAttributesSequence and MACParametersSequence: outside the table, but sealed copies of
what was taken away; neither asked for nor held against anyone who keeps it empty of markers."""

_PLAIN = frozenset({"top", "nested", "rotated", "tree", "report", "private"})
_Planted = tuple[Attribute, Fate, str]


def build(
    folder: Path, standard: Path, seed: int = SEED, encoding: UID = ExplicitVRLittleEndian
) -> Key:
    """Write the corpus into an empty folder.

    Args:
        folder: where to.
        standard: Table E.1-1 as a CSV (``tag``, ``vr``, ``basic``).
        seed: of everything that is chosen.
        encoding: transfer syntax of the files that are not about an encoding.

    Returns:
        The answer key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = Key()
    maker, table = Maker(seed), Table(standard)
    for number, (name, make) in enumerate(_recipes(table), 1):
        sheet = Sheet(number, name, maker, key)
        if name in _PLAIN:
            sheet.syntax = encoding
        make(sheet)
        sheet.write(folder)
    return key


def _recipes(table: Table) -> Iterator[tuple[str, oddities.Make]]:
    numbers = table.of(NUMBER_VRS, listed=False)
    planted = list(_planted(table))
    for n in range(TOP_FILES):
        yield "top", partial(_at_top, planted[n::TOP_FILES], numbers[n::TOP_FILES])
    sequences = table.sequences
    around = [one for one, outside in sequences if outside]
    for start in range(0, len(sequences), NESTED_EACH):
        yield "nested", partial(_nested, sequences[start : start + NESTED_EACH], around, start)
    rotated = [one for one in planted if one[1] is not Fate.CODE]
    for n in range(ROTATED_FILES):
        yield "rotated", partial(_at_both_depths, rotated[n::ROTATED_FILES], around, n)
    yield from oddities.RECIPES


def _planted(table: Table) -> Iterator[_Planted]:
    """Every attribute that is planted at the top, and once more at each of two depths."""
    for attribute in table.listed:
        group = _listed_group(attribute.vr)
        if group:
            yield attribute, Fate.GOES, group
    for attribute in (*table.of(DATE_VRS, listed=False), *table.things):
        yield attribute, Fate.GOES, "outside the table: dates, times, UIDs of things"
    for attribute in table.of(TEXT_VRS, listed=False):
        yield attribute, Fate.TEXT, attribute.vr
    for attribute in table.of(("CS",), listed=False):
        yield attribute, Fate.CODE, "CS"
    for attribute in table.of(BYTE_VRS, listed=False):
        yield attribute, Fate.BYTES, attribute.vr


def _listed_group(vr: str) -> str:
    if vr in TEXT_VRS or vr == "CS":
        return "table: text"
    if vr in DATE_VRS or vr == "AS":
        return "table: dates, times, ages"
    if vr == "UI":
        return "table: UIDs"
    if vr in NUMBER_VRS:
        return "table: numbers"
    return "" if vr == "SQ" else "table: bytes"


def _at_top(planted: list[_Planted], numbers: list[Attribute], sheet: Sheet) -> None:
    for attribute in numbers:
        sheet.number_at(attribute)
    for attribute, fate, group in planted:
        sheet.plant(sheet.dataset, attribute, fate, f"{group}, at the top")


def _nested(
    sequences: list[tuple[Attribute, bool]], around: list[Attribute], start: int, sheet: Sheet
) -> None:
    """Every sequence of the dictionary with an identity in its item, and one level deeper."""
    for n, (sequence, outside) in enumerate(sequences):
        item = sheet.inside(sheet.dataset, sequence)
        if outside and sequence.tag not in SEALED:
            sheet.key.sequences.append(Useful(sheet.number, sequence.name, "SQ"))
        for attribute in INSIDE:
            kind = {"UI": "UIDs", "DA": "dates"}.get(attribute.vr, "text")
            sheet.plant(item, attribute, Fate.GOES, f"in every sequence: {kind}", sequence.name)
        inner = _another(around, sequence, (start + n) * 7 + 3)
        deeper = sheet.inside(item, inner)
        path = f"{sequence.name}/{inner.name}"
        for attribute in DEEPER:
            sheet.plant(deeper, attribute, Fate.GOES, "in every sequence, a level deeper", path)


def _at_both_depths(planted: list[_Planted], around: list[Attribute], n: int, sheet: Sheet) -> None:
    """Every attribute once in an item, and once in an item of an item."""
    outer = around[(n * 97 + 11) % len(around)]
    inner = _another(around, outer, n * 89 + 23)
    item = sheet.inside(sheet.dataset, outer)
    deeper = sheet.inside(item, inner)
    for attribute, fate, group in planted:
        sheet.plant(item, attribute, fate, f"{group}, in an item", outer.name)
        path = f"{outer.name}/{inner.name}"
        sheet.plant(deeper, attribute, fate, f"{group}, two levels down", path)


def _another(around: list[Attribute], than: Attribute, start: int) -> Attribute:
    found = around[start % len(around)]
    return around[(start + 1) % len(around)] if found.tag == than.tag else found
