"""Words in descriptions: whole words, whatever their case and accents."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.cohort import Cohort
from cohortkit.errors import QueryError, UnknownKeyword
from fake_index import FakeIndex, row, troubled


def described(*texts: str | None) -> FakeIndex:
    return FakeIndex.of(*(row(n, f"p{n}", SeriesDescription=text) for n, text in enumerate(texts)))


def found(index: FakeIndex, *texts: str, **more: str) -> list[int]:
    kept = Cohort.start(index).text(*texts, **more).identified()["series_key"]
    return sorted(int(key.removeprefix("key")) for key in kept)


def bare(text: str) -> str:
    """Without case and accents, by Python alone."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


LETTERS = st.sampled_from("aAbBéÉüÜß_-/ 1.oÖø")
TEXTS = st.text(LETTERS, max_size=8)
WORDS = st.text(st.sampled_from("aAbBéÉ1oO"), min_size=1, max_size=2)


@given(st.lists(st.one_of(st.none(), TEXTS), max_size=6), st.lists(WORDS, min_size=1, max_size=2))
def test_all_words_of_a_text_have_to_be_there(texts: list[str | None], words: list[str]) -> None:
    """As a loop over folded words finds them; a row without a description is unknown."""
    cohort = Cohort.start(described(*texts)).text(" ".join(words))
    expected = []
    for number, text in enumerate(texts):
        there = set(re.findall(r"[^\W_]+", bare(text or "").replace("ø", "o")))
        if all(bare(word) in there for word in words):
            expected.append(f"key{number:04d}")

    # an umlaut may be two letters as well: more may be found, never less
    kept = set(cohort.identified()["series_key"])
    assert set(expected) <= kept
    for key in kept - set(expected):
        assert set(texts[int(key[3:])] or "") & set("üÜÖø")
    (loss,) = cohort.steps[-1].losses
    assert sum(not (text or "").strip() for text in texts) == loss.unknown.series


@given(st.lists(TEXTS, max_size=6), WORDS, WORDS)
def test_of_several_texts_one_is_enough(texts: list[str], one: str, two: str) -> None:
    """Any of them is what each finds, together; both in one is what both find."""
    index = described(*texts)

    assert sorted({*found(index, one), *found(index, two)}) == found(index, one, two)
    assert sorted({*found(index, one)} & {*found(index, two)}) == found(index, f"{one} {two}")


@pytest.mark.parametrize(
    ("asked", "hits"),
    [
        ("schädel", [0, 1, 2]),
        ("SCHADEL", [0, 1]),
        ("Schaedel", [0, 1, 2]),
        ("thorax", [3, 4]),
        ("lung", [4]),
        ("lung*", [4, 5]),
        ("ct thorax", [3]),
        ("axial 5mm", [6]),
        ("axiale", []),
        ("肺", [7]),
        ("straße", [8]),
        ("STRASSE", [8]),
        ("a\u0301rtica", [9]),
        ("artica", [9]),
    ],
)
def test_words_as_people_write_them(asked: str, hits: list[int]) -> None:
    """Umlauts, accents of their own, underscores, scripts without blanks, beginnings of words."""
    texts = ["Schädel nativ", "SCHA\u0308DEL", "Schaedel ct", "CT_THORAX", "thorax/lung", "Lungen"]
    texts += ["AXIAL-5mm", "胸部肺CT", "Strasse", "Ártica"]

    assert hits == found(described(*texts), asked)


def test_words_may_stand_in_several_columns() -> None:
    """The study says the region, the series the window; the columns can be chosen."""
    index = FakeIndex.of(
        row(0, "a", "1", StudyDescription="CT Thorax", SeriesDescription="Lung 1.0"),
        row(1, "b", "2", StudyDescription="CT Thorax", SeriesDescription="Bone 1.0"),
    )

    assert [0] == found(index, "thorax lung")
    assert [] == found(index, "thorax lung", where="SeriesDescription")


def test_what_was_looked_for_is_told_where_it_is_of_the_trade() -> None:
    """A name is not told; in a release nothing is unless every column looked into is kept."""
    index = troubled()
    lung, name = (Cohort.start(index).text(word) for word in ("lung", "achterberg"))

    assert "'lung'" in str(lung.steps[-1])
    assert "1 given text in StudyDescription" in str(name.steps[-1])
    kept = {"StudyDescription"}
    assert "lung" not in str(lung.told(lambda column: column in kept).steps[-1])
    assert "lung" in str(lung.told(lambda _: True).steps[-1])


@pytest.mark.parametrize(
    "asked",
    [
        "1953",
        "17.8.1953",
        "17 8",
        "4711",
        "chest 4711",
        "Jg 53",
        "A12",
        "b1000",
        "achter*",
        "Young",
    ],
)
def test_figures_and_names_that_were_looked_for_are_not_told(asked: str) -> None:
    """In no view of a step, and no pattern for descriptions."""
    index = FakeIndex.of(row(0, "a", PatientName="Young^A", StudyDescription="Young, 1953"))
    whole = Cohort.start(index)
    for cohort in (whole.text(asked), whole.search(StudyDescription=f"*{asked.strip('*')}*")):
        views = (
            repr(cohort), str(cohort), cohort._repr_html_(), str(cohort.flow()),
            cohort.flow().svg(), "".join(cohort.asked()), cohort.flow().to_polars().write_json(),
        )  # fmt: skip

        assert [] == [view for view in views if asked.strip("*") in view]


@pytest.mark.parametrize(
    "asked", ["lung nodule", "T2 flair", "Thorax", "LUNG", "chest ct", "lung*"]
)
def test_ordinary_words_that_were_looked_for_are_told(asked: str) -> None:
    """However they are written."""
    assert f"{asked!r} in StudyDescription" in str(Cohort.start(troubled()).text(asked).steps[-1])


@pytest.mark.parametrize("texts", [(), ("",), ("  -",), (3,), (None,), ("lung", "*")], ids=str)
def test_no_word_is_refused(texts: tuple[str, ...]) -> None:
    """Nothing would be found, or all."""
    with pytest.raises(QueryError):
        Cohort.start(troubled()).text(*texts)


def test_a_column_that_is_none_or_holds_no_text_is_refused() -> None:
    """By name."""
    cohort = Cohort.start(troubled())
    with pytest.raises(UnknownKeyword):
        cohort.text("lung", where="SeriesDescripton")
    with pytest.raises(QueryError, match="Rows"):
        cohort.text("lung", where=["SeriesDescription", "Rows"])
    bare_index = FakeIndex(troubled().rows.drop("StudyDescription", "SeriesDescription"))
    with pytest.raises(QueryError, match="where="):
        Cohort.start(bare_index).text("lung")
