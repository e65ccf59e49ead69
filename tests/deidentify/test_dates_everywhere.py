"""A patient's dates move together: nested, private, in trees and joined columns, by one shift."""

from __future__ import annotations

import datetime as dt
import io
import re
from dataclasses import replace

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

import planted as plants
from cohortkit.deidentify import dates
from cohortkit.deidentify.engine import deidentify
from cohortkit.deidentify.identities import Keyed
from cohortkit.model import (
    DeidentifiedSeries,
    Facts,
    FileRef,
    Person,
    SourceInstance,
    SourceSeries,
    Task,
)
from cohortkit.recipe.model import (
    Action,
    Basis,
    DatePolicy,
    Label,
    LabelType,
    Option,
    PrivateElement,
    Recipe,
    Rule,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

KEY = Keyed("dates", bytes(range(32)))
SR = "1.2.840.10008.5.1.4.1.1.88.33"
BORN = "19050607"  # before all other days
OFFSETS = st.sampled_from(["", "+0100", "-1130", "+1400"])
ENDS = st.sampled_from([(-1825, -1), (-400, 400), (1, 800)])
BASIC = Recipe(name="t", basis=Basis.GDPR_PSEUDONYMISED)


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def content(kind: str, **values: object) -> Dataset:
    concept = item(CodeValue="x", CodingSchemeDesignator="99X", CodeMeaning="seen on")
    return item(ValueType=kind, RelationshipType="CONTAINS",
                ConceptNameCodeSequence=Sequence([concept]), **values)  # fmt: skip


def report(patient: str, day: str, clock: str, zone: str, syntax: UID) -> Dataset:
    """An object in which one day stands in every place where a date may, read from bytes."""
    moment = f"{day}{clock}{zone}"
    made = item(SOPClassUID=SR, SOPInstanceUID="1.2.3", Modality="SR", PatientID=patient,
                StudyDate=day, StudyTime=clock, AcquisitionDateTime=moment,
                PatientBirthDate=BORN)  # fmt: skip
    made.ReferencedSeriesSequence = Sequence([item(SeriesDate=day, SeriesTime=clock)])
    block = made.private_block(0x0029, "ACME", create=True)
    block.add_new(0x01, "DA", day)
    block.add_new(0x02, "SQ", Sequence([item(FrameAcquisitionDateTime=moment)]))
    tree = [content("DATE", Date=day), content("DATETIME", DateTime=moment),
            content("TIME", Time=clock)]  # fmt: skip
    made.ContentSequence = Sequence([content("CONTAINER", ContentSequence=Sequence(tree))])
    return pydicom.dcmread(io.BytesIO(plants.written(made, syntax)))


def run(header: Dataset, recipe: Recipe, patient: str, joined: dt.date) -> DeidentifiedSeries:
    person = Person("", patient)
    series = SourceSeries(
        person, (SourceInstance(header, None, FileRef("x", 1, 1, "x")),), Facts(instances=())
    )
    task = Task(0, "k", person, "1.2", "1.3", SR, "SR", (), over_89=False,
                labels=(("seen", joined), ("year", joined)))  # fmt: skip
    return deidentify(series, task, recipe, KEY)


def shifting(option: Option | None, ends: tuple[int, int], *, weekday: bool) -> Recipe:
    kept = [PrivateElement(0x0029, "ACME", element) for element in (1, 2)]
    return Recipe(
        name="t",
        basis=Basis.GDPR_PSEUDONYMISED,
        options=frozenset({Option.CLEAN_STRUCTURED_CONTENT, *([option] if option else [])}),
        dates=DatePolicy(*ends, same_weekday=weekday),
        rules=tuple(Rule(one, Action.KEEP, "asked for") for one in kept),
        labels=(Label("seen", LabelType.DATE), Label("year", LabelType.YEAR)),
    )


def days_in(series: DeidentifiedSeries) -> dict[str, str]:
    """The date in each place."""
    ds = series.headers[0]._dataset
    tree = ds.ContentSequence[0].ContentSequence
    seen, private = dict(series.labels)["seen"], ds[0x00291001].value
    return {
        "top": ds.StudyDate,
        "moment": ds.AcquisitionDateTime,
        "nested": ds.ReferencedSeriesSequence[0].SeriesDate,
        "private": private.decode() if isinstance(private, bytes) else private,
        "in private": ds[0x00291002].value[0].FrameAcquisitionDateTime,
        "tree": tree[0].Date,
        "tree moment": tree[1].DateTime,
        "joined": f"{seen:%Y%m%d}" if isinstance(seen, dt.date) else "",
    }


@given(
    st.text("abcdefghij0123456789", min_size=1, max_size=12),
    st.dates(dt.date(1910, 1, 1), dt.date(2030, 1, 1)),
    st.times(),
    OFFSETS,
    ENDS,
    st.booleans(),
    st.sampled_from(plants.SYNTAXES),
)
def test_every_date_moves_by_the_same_days(
    patient: str,
    day: dt.date,
    clock: dt.time,
    zone: str,
    ends: tuple[int, int],
    weekday: bool,  # noqa: FBT001 - drawn
    syntax: UID,
) -> None:
    """Wherever it stands and however encoded; clocks and zones stay, and the birth date goes."""
    recipe = shifting(Option.RETAIN_MODIFIED_DATES, ends, weekday=weekday)
    header = report(patient, f"{day:%Y%m%d}", f"{clock:%H%M%S}", zone, syntax)

    series = run(header, recipe, patient, day)

    places = days_in(series)
    days = {dt.datetime.strptime(str(one)[:8], "%Y%m%d").date() - day for one in places.values()}  # noqa: DTZ007 - a date
    assert 1 == len(days), places
    (moved,) = days
    assert ends[0] <= moved.days <= ends[1]
    assert moved.days
    assert not weekday or moved.days % 7 == 0
    ds = series.headers[0]._dataset
    rest = f"{clock:%H%M%S}{zone}"
    assert [rest] * 3 == [str(places[name])[8:] for name in ("moment", "in private", "tree moment")]
    assert [f"{clock:%H%M%S}"] * 3 == [
        str(ds.StudyTime), str(ds.ReferencedSeriesSequence[0].SeriesTime),
        str(ds.ContentSequence[0].ContentSequence[2].Time),
    ]  # fmt: skip
    assert not ds.PatientBirthDate
    assert dict(series.labels)["year"] is None  # a true year beside moved dates tells the shift


@given(
    st.dates(dt.date(1910, 1, 1), dt.date(2030, 1, 1)),
    st.sampled_from([None, Option.RETAIN_FULL_DATES]),
    st.sampled_from(plants.SYNTAXES),
)
def test_removed_or_true_everywhere(day: dt.date, option: Option | None, syntax: UID) -> None:
    """Without an option no place has the day, and tables its year alone; with the other all do."""
    header = report("P", f"{day:%Y%m%d}", "101112", "", syntax)

    series = run(header, shifting(option, (-10, -1), weekday=False), "P", day)

    ds, written = series.headers[0]._dataset, f"{day:%Y%m%d}".encode()
    if option is None:
        for tag in (0x00291001, 0x00291002):  # a rule keeps these, whatever the option is
            del ds[tag]
        assert written not in plants.written(ds, syntax)
        assert None is dict(series.labels)["seen"]
    else:
        assert {f"{day:%Y%m%d}"} == {str(one)[:8] for one in days_in(series).values()}
    assert not ds.get("PatientBirthDate")
    assert day.year == dict(series.labels)["year"]


@pytest.mark.parametrize("syntax", plants.SYNTAXES)
@pytest.mark.parametrize("value", ["20200229", "20200229101112", "1.2.840.99999.4711"])
def test_under_safe_harbor_no_private_date_or_uid_stays(syntax: UID, value: str) -> None:
    """Whatever a rule says, and also where the file has no VR for it."""
    header = report("P", "20200101", "101112", "", syntax)
    block = header.private_block(0x0029, "ACME")
    del header[0x00291001]
    vr = "UI" if "." in value else "DT" if len(value) > 8 else "DA"
    block.add_new(0x01, "UN" if "Implicit" in syntax.name else vr, value.encode()
                  if "Implicit" in syntax.name else value)  # fmt: skip
    recipe = replace(shifting(None, (-10, -1), weekday=False), basis=Basis.SAFE_HARBOR)

    ds = run(header, recipe, "P", dt.date(2020, 1, 1)).headers[0]._dataset

    assert value.encode() not in plants.written(ds, plants.SYNTAXES[0])


@given(st.dates(dt.date(1900, 1, 1)), st.sampled_from(["", "101112", "101112.5+0100"]))
def test_a_value_of_no_known_vr_that_reads_as_a_day_is_one(day: dt.date, rest: str) -> None:
    """A private element that a rule keeps has no VR in implicit files; other values of it stay."""
    written = f"{day:%Y%m%d}{rest}"

    assert ("DT" if rest else "DA") == dates.form_of([written])
    assert "" == dates.form_of([written, "no day"])
    assert "" == dates.form_of([written[:6]])
    assert "" == dates.form_of([])


@given(st.sampled_from(sorted(dates.BY_VR)), st.text(min_size=1, max_size=26), st.integers(-9, 9))
def test_what_is_no_date_is_not_passed(vr: str, value: str, days: int) -> None:
    """Whatever stands in a date's place: a value in the form of the VR, or nothing at all."""
    forms = {"DA": r"\d{8}", "TM": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?",
             "DT": r"\d{4}(\d{2}){0,5}(\.\d{1,6})?([+-]\d{4})?"}  # fmt: skip

    moved = dates.shift([value], vr, days)

    assert moved is None or re.fullmatch(forms[vr], moved[0], re.ASCII)
