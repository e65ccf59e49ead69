"""What is told by its form, and what only looks alike; which words are of the trade."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.deidentify.text.cleaner import Cleaner
from cohortkit.deidentify.text.words import Vocabulary
from cohortkit.recipe.text import TextPolicy, Words, shipped
from cohortkit.traces.fields import Kind
from cohortkit.traces.patterns import Pattern, Patterns, Rule

SHIPPED = Cleaner(Patterns(()), Vocabulary(shipped()))
ANYTHING = Cleaner(Patterns(()), Vocabulary(shipped().with_more(["seen", "aged", "kim", "note"])))

TELLING = {
    "date": (
        "12.03.2019", "3/12/2019", "3/12/19", "2019-03-12", "20190312", "2019 03 12", "12.03.19",
        "03/2019", "2019-03", "12 Mar 2019", "12-MAR-19", "Mar 12, 2019", "march 12 2019",
        "12. März 2019", "3rd of March", "March 3rd", "2019 March 12", "12mars2019", "1er mai 2020",
    ),
    "year": ("1948", "2021"),
    "time": ("14:30", "08:05:59", "14h30", "9 Uhr"),
    "age": ("67 yo", "67-year-old", "67 y/o", "067Y", "aged 91", "91F", "67 Jahre alt"),
    "phone": ("+49 8193 71 0", "(030) 123456", "030/1234 567", "tel 4711-23", "call: 4711 22"),
    "number": ("12345", "12-34-56-78", "1234.5678"),
    "personal number": ("123-45-6789", "555-123-4567", "943 476 5919", "121212-1212"),
    "street": ("Lindenallee 4", "Hauptstr. 12", "12 Main Street", "44 rue de Rivoli"),
    "e-mail": ("a.b@c.example",),
    "address": ("http://pacs.example/x?y=1", "www.clinic.example", "pacs01.clinic.org/a"),
    "path": (r"C:\data\x", r"\\server\share", "/mnt/pacs/x.dcm"),
    "uid": ("1.2.840.113619.2", "10.0.0.1"),
    "spelt out": ("V i s t a", "v.i.s.t.a"),
    "title": ("Dr. Kim", "Prof. Head", "Mrs Hand", "Frau Kim"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), [(r, t) for r, texts in TELLING.items() for t in texts])
def test_a_telling_form_goes(rule: str, text: str) -> None:
    """Alone, between other words, and parted by underscores: and the words around it stay."""
    for around in ("CT {} thorax", "{} CT thorax", "CT thorax {}", "CT thorax ({})"):
        cleaned = ANYTHING.clean(around.format(text))

        assert "CT thorax" == cleaned.left
        assert rule in dict(cleaned.rules)


@pytest.mark.parametrize(
    "text",
    [
        "TotalSegmentator(v1.5.6)", "1.5.6", "v1.5.21", "May Gruenwald stain", "March fracture",
        "bVals=0,100,600,800", "384/256 80-100 sec", "1.25 MM", "OCT 2", "MR 3T", "TE 10",
        "2/3", "T2",
        "512x512x30", "1 of 2", "B30f", "3D", "4bval_100/2_600/4_800/8", "0.625",
        "-600 HU", "AP/LAT", "120 kV", "SE 2 IM 40",
        "0,OPL,GE,LSQX,EXPERIMENTAL7,null,na,120,0,0,na",
        "Axial (T1)",
        "Topogram  0.6  T20s", "ReconFilter", "t2_tse_sag", "Schädel nativ", "\uff23\uff34 Thorax",
    ],
)  # fmt: skip
def test_what_only_looks_alike_stays(text: str) -> None:
    """As it is, letter by letter."""
    assert (text, ()) == (SHIPPED.clean(text).left, SHIPPED.clean(text).rules)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT [Schmidt]", "CT"), ("AX_Schmidt_T2", "AX_T2"), ("Schmidt, LUNG 1.25", "LUNG 1.25"),
        ("Thorax Schmidt Hans", ""), ("LUNG (for Schmidt)", "LUNG (for )"), ("for Schmidt", ""),
        ("Mu\u0308ller CT", "CT"), ("李 CT", "CT"), ("CT 🙂", "CT"), ("MaxHead CT", "CT"),
        ("PX1234567 CT", "CT"), ("a1b2c3d4 CT", "CT"), ("May CT", "CT"), ("Gruenwald CT", "CT"),
        ("Gruenwald May CT thorax", "CT thorax"), ("CT ٤٧١١", "CT"),
    ],
)  # fmt: skip
def test_words_that_are_not_of_the_trade_go(text: str, left: str) -> None:
    """With what held them apart; and the whole text where most of it or all that says anything."""
    assert left == SHIPPED.clean(text).left


def test_the_vocabulary_holds_no_months_and_common_names() -> None:
    """What people are called is of the trade in phrases alone."""
    names = """may march april june august smith jones miller brown white gray green black young
        long short stone wolf fox king rose grace mark max lee kim park chan wong schmidt muller
        meyer weber fischer wagner becker martin dubois garcia lopez rossi ferrari jansen"""

    assert set() == shipped().single & set(names.split())
    assert ("may", "gruenwald") in shipped().phrases["may"]
    assert all(word == word.casefold() and word.isascii() for word in shipped().single)


def test_words_of_the_site_stay_together_only_where_they_are_a_phrase() -> None:
    """Of a recipe's words, ISPY2 stays anywhere, Stony Brook as Stony Brook."""
    cleaner = Cleaner(
        Patterns(()), Vocabulary(shipped().with_more(["zyx9", "stony brook"])), TextPolicy()
    )

    assert "CT ZYX9 Stony-Brook" == cleaner.clean("CT ZYX9 Stony-Brook").left
    assert "CT thorax" == cleaner.clean("CT Brook Stony thorax").left


def test_what_cleaning_brings_together_is_looked_at_again() -> None:
    """A name around a name is no way out."""
    patterns = Patterns((Pattern("ct thorax", Kind.NAME, Rule.ANYWHERE),))
    cleaner = Cleaner(patterns, Vocabulary(shipped()))

    assert "axial" == cleaner.clean("axial CT Zorb thorax").left


TEXT = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["CT", "thorax", "May", "12", "03", "2019", ".", "-", " ", "_", "(", ")", "\0", "Zorb", "^",
         "+49", "Dr.", "1.5.6", "ä", "\u0301", "\u200b", "v", "\n", "/", "x"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(TEXT)
def test_cleaning_is_idempotent_and_adds_nothing(text: str) -> None:
    """A cleaned text cleans to itself; no letter or digit is in it that was not there before."""
    left = SHIPPED.clean(text).left

    assert (left, ()) == (SHIPPED.clean(left).left, SHIPPED.clean(left).rules)
    assert {c for c in left if c.isalnum()} <= set(text)
    assert len(left) <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "a@",
        "1.",
        "+1 ",
        "a.b.",
        "/a",
        "12-",
        "Dr. ",
        "(",
        "J. ",
        "12 mar ",
        "ä",
        "-",
        " ",
        "()",
        "a1",
        "T2 ",
        "12,",
    ],
)
def test_a_long_text_costs_little(piece: str) -> None:
    """64 KB of anything are looked through in a second or so: no pattern runs away."""
    text = piece * (65_536 // len(piece))
    begun = time.process_time()
    SHIPPED.clean(text)
    SHIPPED.clean(f"Zorbulax {text} Zorbulax")

    assert time.process_time() - begun < 10


def test_words_may_be_given_by_several_phrases() -> None:
    """Phrases with the same first word do not hide each other."""
    words = Words(frozenset(), {}).with_more(["a b", "a c", "d"])

    assert {"a": (("a", "b"), ("a", "c"))} == dict(words.phrases)
    assert {"d"} == set(words.single)
