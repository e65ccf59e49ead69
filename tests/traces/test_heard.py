# ruff: noqa: RUF001 - names in other scripts, as they are written
"""A patient's own name in another script, or another spelling of the same; words that are none."""

from __future__ import annotations

import pytest

from cohortkit.traces.own import own_of


def told(header: str, text: str) -> bool:
    """Whether a text holds a name of the header."""
    return own_of([("PatientName", header)]).names_in(text)


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("Kuznetsov^Ivan", "Кузнецов"), ("Petrov^Ivan", "Петров"), ("Shevchenko^Taras", "Шевченко"),
        ("Jovanovic^Ana", "Јовановић"), ("Papadopoulos^Nikos", "Παπαδόπουλος"),
        ("王^偉民", "王伟民"),
        ("張^國華", "张国华"), ("张^国华", "張國華"), ("やまだ^はなこ", "ヤマダ"),
        ("ヤマダ^ハナコ", "やまだ"),
        ("كريم^علي", "کریم"), ("Кузнецов^Иван", "Kusnezow"), ("Кузнецов^Иван", "Kuznetsov"),
        ("Kuznetsova^Anna", "Кузнецовой"), ("齋藤^花子", "斎藤"),
        ("Шевченко^Тарас", "Schewtschenko"),
    ],
)  # fmt: skip
def test_a_name_is_known_in_another_script_and_spelling(header: str, label: str) -> None:
    """Alone and in a sentence."""
    assert told(header, label)
    assert told(header, f"seen {label}, stable")


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("Kuznetsov^Ivan", "Kusine"), ("Petrov^Ivan", "печень"),
        ("Shevchenko^Taras", "чистая киста"),
        ("Papadopoulos^Nikos", "πνεύμονας"), ("Кузнецов^Иван", "contrast enhanced chest"),
        ("張^國華", "肺部"),
        ("やまだ^はなこ", "ノジュール"), ("Stone^Ann", "стенка"),
        ("Иванов^Иван", "invasion of the vein"),
        ("Head^Mark", "голова"),
    ],
)  # fmt: skip
def test_other_words_are_no_name(header: str, label: str) -> None:
    """Words of the trade in the same script."""
    assert not told(header, label)
