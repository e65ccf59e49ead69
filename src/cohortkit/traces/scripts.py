"""Letters of one script in the letters of another: accents, look-alikes, transliterations.

All tables are of casefolded letters. Sources: machine-readable travel documents for umlauts (ICAO
9303-3, section 6 A), BGN/PCGN for Cyrillic and ELOT 743 for Greek, both without signs; the
look-alikes are those of Unicode TR 39 that are letters of a living script.
"""

from __future__ import annotations

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})
"""Letters that German, Danish and Norwegian write as two where they have to."""

STROKES = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
        "ə": "e",
        "\u0131": "i",
        "þ": "th",
        "œ": "oe",
        "æ": "ae",
    }
)
"""Letters that no decomposition takes apart."""

_BOTH = dict(zip("аекморстухвнѕіјһԁԛԝӏ", "aekmopctyxbhsijhdqwl", strict=True))
_BOTH |= dict(zip("αβειζκορτχ", "abeizkoptx", strict=True))
_BOTH |= dict(zip("ɑɡɩᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢօ", "agiabcdefghijklmnoprstuvwyzo", strict=True))
LOOKALIKES = (
    str.maketrans({**_BOTH, **dict(zip("ηνυμγ", "nvuuy", strict=True))}),
    str.maketrans({**_BOTH, **dict(zip("ηνυμ", "hnym", strict=True))}),
)
"""Letters of other scripts as the Latin ones that they look like: as small letters, and as capitals
(folding has made one of the two)."""

_LETTERS = "yo|zh|kh|ts|ch|sh|shch|||yu|ya|i|i|ye|g"
ROMAN = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
        **dict(zip("ёжхцчшщъьюяіїєґ", _LETTERS.split("|"), strict=True)),
        **dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True)),
        **dict(zip("θχψ", ("th", "ch", "ps"), strict=True)),
    }
)
"""Cyrillic and Greek letters as they are written in Latin ones."""

_IDEOGRAPHS = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_SYLLABLES = ((0x3041, 0x30FF), (0x1100, 0x11FF), (0xAC00, 0xD7A3))


def weight(text: str) -> int:
    """How many letters of an alphabet a text is worth: an ideograph three, a syllable two."""
    if text.isascii():
        return len(text)
    return sum(_weight(ord(letter)) for letter in text)


def dense(text: str) -> bool:
    """Whether a text is of ideographs and syllables throughout, so that blanks part no words."""
    return bool(text) and all(_weight(ord(letter)) > 1 for letter in text)


def _weight(code: int) -> int:
    if any(low <= code <= high for low, high in _IDEOGRAPHS):
        return 3
    return 2 if any(low <= code <= high for low, high in _SYLLABLES) else 1
