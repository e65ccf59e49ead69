"""Text that reaches or names somebody by its form; ordinary text of labels that does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortkit.deidentify.labels import released
from cohortkit.deidentify.text.reach import REACHED, TITLED, telling
from cohortkit.recipe.model import Basis, Label, LabelType, Recipe

GOES = [
    "SSN 123-45-6789", "79100 Xyzstadt, Lindenallee 4", "Dr. Fremdname", "Prof. Dr. med. Fremdname",
    "Herr Fremdname", "Frau Müllerin", "Mrs Fremdname", "dr fremdname", "DR MEIER", "Dr.Fremdname",
    "Chest Dr Wackernagel 0761-5554321", "Hauptstr. 12", "Waldstraße 17", "12 Main Street",
    "44 rue de Rivoli", "Via Roma 12", "Calle de Alcalá 12", "ул. Ленина 5", "北京市朝阳路12号",
    "D-79100 Freiburg", "Postfach 12", "123.456.789-09", "1 53 08 75 116 001", "1234 5678 9012",
    "RSSMRA85T10A562S", "19121212-1212", "Dr_Fremdname", "Sra. Fremdname", "Mme Fremdname",
    "Kastanienweg 5", "MS FREMDNAME", "943 476 5919", "a.fremd@klinik.example",
    "\uff10\uff17\uff16\uff11 \uff15\uff15\uff15\uff14\uff13\uff12\uff11",
]  # fmt: skip
STAYS = [
    "Mr Chest", "A. Head", "DR positive", "moderate DR", "mild DR with edema", "DR Thorax",
    "DR: no",
    "MR Schädel", "MS lesions", "MS Lesions", "near miss event", "Frau mit Husten", "Herr",
    "DR grade 2",
    "Gallenweg 5 mm", "Arbeitsplatz 3", "Atemweg 2", "weg 2", "5 mm", "stage 3b", "512 512",
    "120/80",
    "100 200 300", "via port 2", "via MRI 3", "2 left lane", "3 Lower Lobe St", "BI-RADS 4",
    "C34.1",
    "pT2 N0 M0", "ICD-10 C50.9", "dose 120 140 2000 mGy", "1-2-3", "series 3 of 10", "MR angio",
    "DRG 12",
    "Sr 90", "Ring 4", "12345", "2 Coronary Stents", "right St. segment", "ST elevation 2", "2019",
]  # fmt: skip


@pytest.mark.parametrize("text", GOES)
def test_a_label_that_reaches_or_names_somebody_is_empty(text: str) -> None:
    """Whoever it is: nobody of the headers is called so."""
    recipe = Recipe(
        name="r", basis=Basis.GDPR_PSEUDONYMISED, labels=(Label("note", LabelType.TEXT),)
    )
    for sentence in ("{}", "told {} again", "({})"):
        cell = (("note", sentence.format(text)),)

        assert (("note", None),) == released(cell, recipe, 0, over_89=False)


@pytest.mark.parametrize("text", STAYS)
def test_other_text_does_not(text: str) -> None:
    """Grades, devices, ways of access, measures, words of the trade behind a title."""
    assert frozenset() == telling(text)


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    """Labels are input from strangers; what is told is a form that is known."""
    assert telling(text) <= {*REACHED, TITLED}
    assert "e-mail" in telling(f"{text} a.fremd@klinik.example")
