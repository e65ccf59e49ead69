"""Months by name, folded: English, German, French, Spanish, Italian, Dutch, Portuguese, Roman."""

from __future__ import annotations

from typing import Final

from cohortkit.traces.spellings import accents

_LANGUAGES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "- - - - - - - - sept - - -",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feber mrz - - - - - - okt - dez",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr - avr - - juil - - - - déc",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene - - abr - - - ago set - - dic",
    "gennaio febbraio - aprile maggio giugno luglio - settembre ottobre - dicembre",
    "gen - - - mag giu lug - - ott - -",
    "januari februari maart - mei - - augustus - - - -",
    "- - mrt - - - - - - - - -",
    "janeiro fevereiro março - maio junho julho - setembro outubro novembro dezembro",
    "- fev - - - - - - - out - -",
)
COUNT: Final = 12
ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")


def _names() -> tuple[tuple[str, ...], ...]:
    found: list[set[str]] = [set() for _ in range(COUNT)]
    for language in _LANGUAGES:
        for number, name in enumerate(language.split()):
            if name != "-":
                found[number] |= accents(name)
    return tuple(tuple(sorted(names)) for names in found)


NAMES: Final = _names()
"""For each month its names, with and without accents."""
