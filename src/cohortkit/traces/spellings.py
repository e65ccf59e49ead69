"""The usual spellings of names, identifiers and places. Pure; everything comes back casefolded."""

from __future__ import annotations

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from itertools import permutations

from cohortkit.recipe.text import shipped
from cohortkit.traces.scripts import LOOKALIKES, ROMAN, STROKES, UMLAUTS, weight

_CLAIMED_LATIN: Sequence[str] = tuple(
    """
    utf-8 gb18030 cp932 cp949 big5 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 iso8859-2 iso8859-5
    iso8859-7 iso8859-9 koi8-r cp850 cp852 cp866 cp437
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""What consoles write under the name of Latin-1, or of nothing."""

_JAPANESE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"})

SEPARATORS = (" ", ", ", ",", "^", "_", "-", ".", "")

ORDINARY = frozenset(
    """
    abdomen anonymous anonymized anonymised ankle arm axial baby body brain breast cardiac cervical
    chest child clinic control coronal demo deidentified dev dummy elbow extremity eye face female
    foot hand head heart hip hospital image kidney knee leg liver lumbar lung male mouse name neck
    none null other pancreas patient pelvis phantom plastic prostate qa qc removed research sagittal
    series shoulder skull spine study subject test thorax unknown volunteer water whole wrist xxx
    cr ct cta dx ecg fmri mg mr mra mrcp mri nm ot pet pt px rf rg sc seg sr us xa original primary
    secondary derived
    localizer yes no angio angiography axial cine contrast diffusion dynamic dti dwi flair flow
    gated mag magnitude mprage native perfusion phase recon scout stroke survey tensor trace vessel
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Words of the trade and placeholders: alone they name nobody, so alone they are left out."""

PLACE_WORDS = frozenset(
    """
    abteilung academic advanced alte altes am an and associates at ave avenue bay blvd box
    building campus cancer canton care center central centre centro centrum children childrens
    city clinica clinical clinics clinique coast college community company corp corporation county
    ct das de del della department dept der des diagnosi diagnostic diagnostics diagnostik
    diagnostique die district dr drive du east faculty first floor for foundation france fundacion
    general germany gmbh grosse group haupt haus health healthcare heilkunde highway hill hills
    hopital hospitals house im imagerie imaging in inc innenstadt innere institut institute
    instituto international island istituto italia italy japan kanton kleine klinik kliniken
    klinikum klinische krankenhaus la lab labor laboratories laboratory lake lane le left les
    links llc ln los lower ltd magnetic main man medecine medica medical medicine medico medizin
    medizinische memorial mens metro metropolitan mitte mobile mount nacional national nationale
    nazionale netherlands neue neues neuro neurology neuroradiology new nord north northern
    nuclear nuklearmedizin obere of oncology open ospedale ost outpatient park physicians platz
    plaza policlinico polyclinic postfach practice praxis private province provincia provincial
    public radiologia radiological radiologie radiologische radiology rd rechts regional regionale
    republic republik research resonance right river road room royal saint san sankt santa school
    science sciences services site south southern spital state states station ste stiftung strasse
    street sud sued suisse suite surgery switzerland system systems the trust und uni unit united
    universita universitaet universitaets universitaetsklinikum universitaetsspital universitaire
    universital universite universiteit university untere upper usa valley van veterinary von weg
    west western woman women womens zentral zentrale zentrum ziekenhuis zu
    """.split()  # noqa: SIM905 - the same
)
"""Words that very many institutions and addresses have: alone they name no place."""

TITLES = frozenset(
    """
    dipl doctor frau herr ing jnr jun junior madame mag med miss mister mme mrs phd prof professor
    sen senior sir
    """.split()  # noqa: SIM905 - the same
)
"""What stands before and behind names in their fourth and fifth components."""

_INVISIBLE = dict.fromkeys([0x00AD, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF])
_COMBINING = re.compile(
    "[" + "".join(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.combining(c)) + "]+"
)
_UMLAUT = re.compile("[" + "".join(map(chr, UMLAUTS)) + "]")
_ALIKE = re.compile("[" + "".join(map(chr, {*LOOKALIKES[0], *LOOKALIKES[1]})) + "]")
_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_TWO_LETTERS = re.compile(r"ae|oe|ue")
_HASHES = ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s")
_CUT = 16  # letters of a digest: what those keep who cut it short
_FEW, _LONG, _GLUED = 6, 6, 4
_RUN, _WORTH, _POSTCODE = 5, 4, 5  # digits of a number in an identifier; letters; digits
_NAMED, _GROUPS = 3, 5  # family, given, middle; prefix and suffix (PS3.5 6.2.1)


def fold(text: str) -> str:
    """The form in which everything is compared: NFKC, casefolded, without invisible characters.

    NFKC makes one of what looks alike: full-width letters, ligatures.
    """
    if text.isascii():
        return text.casefold()
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()


def plain(text: str) -> str:
    """A folded text without accents and strokes."""
    if text.isascii():
        return text
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text)).translate(STROKES)


def accents(text: str) -> set[str]:
    """A folded text as it is and in all its variants."""
    return {text} if text.isascii() else set(variants(text))


def variants(text: str) -> tuple[str, ...]:
    """A folded text one by one, equal ones too.

    As it is, without accents, with umlauts as two letters, and with the Latin letters that those
    of other scripts look like, as small letters and as capitals.
    """
    bare = plain(text)
    two = plain(text.translate(UMLAUTS)) if _UMLAUT.search(text) else bare
    if not _ALIKE.search(bare):
        return text, bare, two, bare, bare
    return text, bare, two, *(bare.translate(table) for table in LOOKALIKES)


def misread(raw: str) -> set[str]:
    """A value, and what it is if the file says Latin-1 and its bytes are of another encoding.

    Consoles write the code page of their country under whatever character set they claim. What
    mixes letters of two scripts in a word is no text. The reverse is no text that anyone would
    write: its pieces are single letters, which stand in every other word of another script.
    """
    found = {raw}
    if not raw.isascii():
        with contextlib.suppress(UnicodeError):
            data = raw.encode("latin-1")
            found |= {text for text in map(partial(_decoded, data), _CLAIMED_LATIN) if text}
    return found


def _decoded(data: bytes, encoding: str) -> str:
    """The text, where these bytes are one in this encoding; else nothing."""
    with contextlib.suppress(UnicodeError):
        text = data.decode(encoding)
        letters = all(c.isascii() or unicodedata.category(c)[0] in "LMP" for c in text)
        if letters and all(_of_one_script(word) for word in _WORD.findall(text)):
            return text
    return ""


def _of_one_script(word: str) -> bool:
    """Whether the letters of a word are of one script, by the first word of their Unicode names."""
    scripts = {unicodedata.name(c, "?").partition(" ")[0] for c in word if c.isalpha()}
    return len({"CJK" if one in _JAPANESE else one for one in scripts}) <= 1


def digests(raw: str) -> set[str]:
    """The beginnings of a value's digests in hexadecimal: without a key they are the value.

    Whoever has a list of all patients hashes it and compares.
    """
    data = raw.encode()
    return {hashlib.new(name, data, usedforsecurity=False).hexdigest()[:_CUT] for name in _HASHES}


def _components(group: str) -> list[str]:
    parts = [" ".join(part.split()) for part in group.split("^")[:_NAMED]]
    return [part for part in parts if part]


def _groups(raw: str) -> list[str]:
    """The name in each of its scripts, and Cyrillic and Greek ones in Latin letters as well."""
    found = fold(raw).replace("\0", "").split("=")
    return [*found, *(_roman(group) for group in found if _roman(group) != plain(group))]


def _roman(group: str) -> str:
    if group.isascii():
        return group
    return plain(unicodedata.normalize("NFC", group).translate(ROMAN)).translate(ROMAN)


def _umlauts(word: str) -> set[str]:
    """A word, and with one letter for each that may stand for an umlaut: Mueller is Muller too."""
    return {word, _TWO_LETTERS.sub(lambda two: two[0][0], word)} if len(word) > _GLUED else {word}


def name_in_full(raw: str) -> set[str]:
    """The spellings of a whole person name (PS3.5 6.2.1): orders, separators, accents.

    Its words are written as one too, in any order. Initials alone are not among them; the title
    and suffix are left out.
    """
    found: set[str] = set()
    for group in _groups(raw):
        found |= accents(group.strip("^ "))
        parts = _components(group)
        for count in range(2, len(parts) + 1):
            for order in permutations(parts, count):
                for separator in SEPARATORS:
                    found |= accents(separator.join(order))
        found |= _glued(parts)
    return {text for text in found if text}


def _glued(parts: list[str]) -> set[str]:
    """The words of each component, and of all, without what stands between them."""
    inside = ["".join(words_in(part)) for part in parts]
    every = [word for part in parts for word in words_in(part)]
    found = {"".join(order) for order in permutations(inside, 2)} | {"".join(every)}
    if len(every) <= _GLUED:
        found |= {"".join(order) for n in range(2, 4) for order in permutations(every, n)}
    return {form for text in found for form in accents(text) if len(text) >= _LONG}


def name_parts(raw: str) -> set[str]:
    """The components of a person name and the words in them, each alone."""
    found: set[str] = set()
    for group in _groups(raw):
        for part in _components(group):
            for form in _umlauts(part) | _umlauts("".join(words_in(part))):
                found |= accents(form)
            for word in words_in(part):
                if weight(word) > 2 and not word.isdigit():  # noqa: PLR2004 - initials or a title
                    found |= {form for one in _umlauts(word) for form in accents(one)}
        for part in group.split("^")[_NAMED:_GROUPS]:
            for word in words_in(part):
                if len(word) > _GLUED and not word.isdigit() and word not in TITLES:
                    found |= accents(word)
    return {form for form in found if form}


def with_initials(raw: str) -> set[str]:
    """The family name with the first letter of the given name, as log-in names are made."""
    found: set[str] = set()
    for group in _groups(raw):
        parts = _components(group)
        if len(parts) < 2:  # noqa: PLR2004 - a family name and a given one
            continue
        family, letter = "".join(words_in(parts[0])), parts[1][0]
        if len(family) > _GLUED and letter.isalpha():
            found |= accents(family + letter) | accents(letter + family)
    return found


def words_in(text: str) -> list[str]:
    """The runs of letters and digits in a folded text, in order."""
    return _WORD.findall(text)


def words(text: str) -> set[str]:
    """The runs of letters and digits in a folded text."""
    return set(words_in(text))


def identifier(raw: str) -> set[str]:
    """An identifier as written, with other separators or none, and without leading zeros.

    A number of five digits or more in it is a spelling too: the prefix is often left out.
    """
    text = fold(raw).replace("\0", "").strip()
    runs = _WORD.findall(text)
    found = {text, "".join(runs)}
    if len(runs) <= _FEW:
        found |= {separator.join(runs) for separator in ("-", "_", " ", ".", "/")}
    found |= {run for run in _DIGITS.findall(text) if len(run) >= _RUN}
    for form in tuple(found):
        short = form.lstrip("0")
        if len(short) > 3:  # noqa: PLR2004 - a short rest is any number
            found.add(short)
    return {form for form in found if form}


def _common(word: str) -> bool:
    return word in PLACE_WORDS or word in ORDINARY or plain(word) in shipped().single


def places(raw: str) -> tuple[set[str], set[str]]:
    """An institution or address in full and in pairs of words; and words that it alone has.

    Whatever stands between the words, ``ST_ELSEWHERE`` is St. Elsewhere. Words that every
    hospital or street may have (`PLACE_WORDS`), and words of the trade, are none of its own.
    """
    text = fold(" ".join(raw.split()))
    runs = words_in(text)
    own = [not (_common(run) or run.isdigit()) for run in runs]
    full = {text}
    for separator in SEPARATORS:
        full.add(separator.join(runs))
        pairs = zip(runs, runs[1:], own, own[1:], strict=False)
        full |= {separator.join((one, two)) for one, two, *mine in pairs if any(mine)}
    alone = {run for run, mine in zip(runs, own, strict=True) if mine and weight(run) >= _WORTH}
    alone |= {run for run in runs if run.isdigit() and len(run) >= _POSTCODE}
    return (
        {form for one in full for form in accents(one) if form},
        {form for one in alone for form in accents(one)},
    )
