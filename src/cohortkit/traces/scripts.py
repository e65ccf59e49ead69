"""Letters of one script in the letters of another: accents, look-alikes, transliterations.

All tables are of casefolded letters. Sources: machine-readable travel documents for umlauts (ICAO
9303-3, section 6 A), BGN/PCGN for Cyrillic and ELOT 743 for Greek, both without signs; the
look-alikes are those of Unicode TR 39 that are letters of a living script.
"""

from __future__ import annotations

import re

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
        **dict(zip("јљњћђџў", ("j", "lj", "nj", "c", "dj", "dz", "u"), strict=True)),
    }
)
"""Cyrillic and Greek letters as they are written in Latin ones."""

_HAN = (
    "張张國国華华偉伟陳陈劉刘黃黄楊杨趙赵吳吴孫孙馬马"
    "鄭郑謝谢許许鄧邓馮冯蕭萧葉叶蔣蒋蘇苏盧卢賈贾鐘钟鍾钟"
    "陸陆鄒邹龍龙萬万湯汤喬乔賀贺賴赖龔龚龐庞顏颜倫伦"
    "羅罗譚谭閻阎齊齐嚴严顧顾錢钱聞闻麗丽麥麦軍军東东蘭兰"
    "鳳凤強强勝胜傑杰靜静紅红豔艳艷艳雲云興兴榮荣寶宝"
    "學学義义銀银鋒锋慶庆飛飞豐丰輝辉鵬鹏軒轩澤泽潔洁濤涛"
    "業业樂乐愛爱貴贵連连遠远達达賢贤瑩莹環环瓊琼瑤瑶"
    "穎颖曉晓暉晖莊庄畢毕單单應应欒栾滿满甯宁寧宁爾尔淵渊"
    "維维綱纲經经純纯紹绍燁烨煒炜瑋玮璽玺鈞钧銘铭錦锦"
    "鎮镇長长門门關关陽阳陰阴際际隨随雙双難难韓韩項项順顺"
    "須须頓顿領领頌颂願愿類类馳驰駿骏騰腾驍骁鴻鸿鶴鹤"
    "鷹鹰麟麟沢泽邊边辺边邉边齋斋斎斋斉齐広广廣广櫻樱桜樱"
    "髙高﨑崎濱滨浜滨眞真惠惠恵惠竜龙"
)
ALIKE = str.maketrans(
    {
        **dict(zip(_HAN[::2], _HAN[1::2], strict=True)),
        **{chr(kana): chr(kana + 0x60) for kana in range(0x3041, 0x3097)},
        **dict(
            zip("\u064a\u0649\u0643\u0629\u06c0", "\u06cc\u06cc\u06a9\u0647\u0647", strict=True)
        ),
    }
)
"""One spelling of a name for several: ideographs as they are simplified (those that most names
have), hiragana as katakana, Arabic letters as Persian ones."""

_SOUNDS = (
    ("shch", "sh"), ("tsch", "ch"), ("tch", "ch"), ("sch", "sh"), ("kh", "h"), ("ch", "h"),
    ("ph", "f"),
    ("th", "t"), ("ou", "u"), ("oy", "u"), ("tz", "z"), ("ts", "z"), ("sh", "z"), ("zh", "z"),
    ("s", "z"),
    ("w", "v"), ("x", "kz"), ("ck", "k"), ("c", "k"), ("q", "k"), ("y", "i"), ("j", "i"),
    ("ie", "e"),
    ("io", "e"), ("ii", "i"),
)  # fmt: skip
_TWICE = re.compile(r"(.)\1")


def roman(text: str) -> str:
    """Cyrillic and Greek letters of a folded text in Latin ones."""
    return text if text.isascii() else text.translate(ROMAN)


def is_foreign(word: str) -> bool:
    """Whether a folded word is of Cyrillic or Greek letters, and so can be read in Latin ones."""
    return not word.isascii() and roman(word).isascii()


def sound(text: str) -> str:
    """What Latin spellings of one name have in common: Kuznetsov, Kusnezow; Petroff is none."""
    for letters, one in _SOUNDS:
        text = text.replace(letters, one)
    return _TWICE.sub(r"\1", text)


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
