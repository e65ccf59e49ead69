"""Where identities lie beside plain attributes: reports, private parts, pictures, encodings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

from leak.markers import UID_ROOT, Fate, Kind
from leak.sheet import COLUMNS, ROWS, Sheet, Spot, put
from leak.table import Attribute, name_of

Make = Callable[[Sheet], None]

LEVELS = 8
CREATORS = (
    "SIEMENS CSA HEADER",
    "GEMS_PARM_01",
    "Philips Imaging DD 001",
    "ELSCINT1",
    "ACME 1.1",
)
_PRIVATE = ("LO", "PN", "DA", "UI", "SH", "LT", "UN")
_SCRIPTS = {
    "ISO_IR 100": ("latin-1", "äöüßéèñçøå"),
    "ISO_IR 144": ("iso8859_5", "бвгджзклмнпрстфхцчш"),
    "\\ISO 2022 IR 87": ("iso2022_jp", "山田太郎花子東京病院大阪名古屋"),
    "GB18030": ("gb18030", "王小东张伟李娜刘洋陈静北京上海"),
}
_FEW = tuple(
    Attribute(tag, vr, name_of(tag))
    for tag, vr in (
        (0x00080020, "DA"),  # StudyDate
        (0x00080030, "TM"),  # StudyTime
        (0x00080050, "SH"),  # AccessionNumber
        (0x00080080, "LO"),  # InstitutionName
        (0x00080081, "ST"),  # InstitutionAddress
        (0x00080090, "PN"),  # ReferringPhysicianName
        (0x00081030, "LO"),  # StudyDescription
        (0x00100010, "PN"),  # PatientName
        (0x00104000, "LT"),  # PatientComments
        (0x0020000D, "UI"),  # StudyInstanceUID
    )
)
_NODE = ((0x0040A160, "UT"), (0x0040A123, "PN"), (0x0040A120, "DT"), (0x0040A124, "UI"))
_PIXEL_MODULE = (
    "PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation",
)  # fmt: skip
_PICTURES = "pictures and curves"
_AROUND = Attribute(0x00189346, "SQ", "CTDIPhantomTypeCodeSequence")


def _spot(path: str, vr: str, group: str) -> Spot:
    return Spot(path, vr, Fate.GOES, group)


def _tree(sheet: Sheet) -> None:
    """A report of eight levels: text, name, time and UID at each."""
    where, path = sheet.dataset, ""
    content = Attribute(0x0040A730, "SQ", "ContentSequence")
    for _ in range(LEVELS):
        where = sheet.inside(where, content)
        path = f"{path}/{content.name}" if path else content.name
        for tag, vr in _NODE:
            one = Attribute(tag, vr, name_of(tag))
            sheet.plant(where, one, Fate.GOES, "report tree, eight levels", path)


def _report(sheet: Sheet) -> None:
    """The same in an object that is a report and has no pixels."""
    dataset = sheet.dataset
    for keyword in _PIXEL_MODULE:
        delattr(dataset, keyword)
    dataset.SOPClassUID = sheet.meta.MediaStorageSOPClassUID = ComprehensiveSRStorage
    dataset.Modality = "SR"
    _tree(sheet)


def _private(sheet: Sheet, *, syntax: UID | None = None) -> None:
    """Five creators: seven plain elements at the top, and in an item of a private sequence."""
    if syntax is not None:
        sheet.syntax = syntax
    group = "private, implicit VR" if syntax == ImplicitVRLittleEndian else "private, explicit VR"
    for n, creator in enumerate(CREATORS):
        number = 0x0029 + 2 * n
        item = Dataset()
        for where, path in ((sheet.dataset, ""), (item, f"{number:04X}1020/")):
            put(where, number << 16 | 0x10, "LO", creator)
            for offset, vr in enumerate(_PRIVATE):
                tag = number << 16 | 0x1000 | offset
                attribute = Attribute(tag, vr, f"{tag:08X}")
                sheet.plant(where, attribute, Fate.GOES, group, path.rstrip("/"))
        put(sheet.dataset, number << 16 | 0x1020, "SQ", Sequence([item]))


def _unknown(sheet: Sheet) -> None:
    """Private and standard sequences that some system on the way has written as UN."""
    group = "sequences written as UN"
    for n, creator in enumerate(CREATORS):
        number = 0x0029 + 2 * n
        tag = number << 16 | 0x1020
        put(sheet.dataset, number << 16 | 0x10, "LO", creator)
        put(sheet.dataset, tag, "UN", _implicit_item(sheet, f"{tag:08X}", group))
    for tag in (0x00081140, 0x00189346, 0x00400555):
        put(sheet.dataset, tag, "UN", _implicit_item(sheet, name_of(tag), group))


def _implicit_item(sheet: Sheet, path: str, group: str) -> bytes:
    """One item in implicit VR little endian, as UN must hold it (PS3.5 6.2.2)."""
    name = sheet.word(_spot(f"{path}/PatientName", "PN", group), "{}^Jo").encode()
    comment = sheet.word(_spot(f"{path}/PatientComments", "LT", group), "of {} today").encode()
    elements = b"".join(
        tag.to_bytes(4, "little") + len(value).to_bytes(4, "little") + value
        for tag, value in ((0x00100010, _even(name)), (0x40000010, _even(comment)))
    )
    return b"\xfe\xff\x00\xe0" + len(elements).to_bytes(4, "little") + elements


def _even(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


def _creators(sheet: Sheet) -> None:
    """A name in the creator itself, and elements whose block nobody has reserved."""
    group = "private: in the creator, or without one"
    for number in (0x0033, 0x0035):
        creator = sheet.word(_spot(f"{number:04X}0010", "LO", group))
        put(sheet.dataset, number << 16 | 0x10, "LO", creator)
        put(sheet.dataset, number << 16 | 0x1001, "US", 7)
        path = f"{number:04X}1101"
        homeless = sheet.word(_spot(path, "LO", group))
        put(sheet.dataset, number << 16 | 0x1101, "LO", homeless)


def _meta(sheet: Sheet) -> None:
    """Ten values of the file meta information (PS3.10 7.1)."""
    for tag, vr in (
        (0x00020003, "UI"), (0x00020013, "SH"), (0x00020016, "AE"), (0x00020017, "AE"),
        (0x00020018, "AE"), (0x00020026, "UR"), (0x00020027, "UR"), (0x00020028, "UR"),
        (0x00020100, "UI"), (0x00020102, "OB"),
    ):  # fmt: skip
        sheet.plant(sheet.meta, Attribute(tag, vr, name_of(tag)), Fate.META, "file meta", "(meta)")


def _around(sheet: Sheet) -> None:
    """Before the object and after it."""
    group = "preamble and trailing padding"
    words = sheet.word(_spot("(preamble)", "", group), "from {} by mail")
    sheet.preamble = words.encode().ljust(128, b"\0")
    padding = sheet.word(_spot("DataSetTrailingPadding", "OB", group), "padded by {}")
    put(sheet.dataset, 0xFFFCFFFC, "OB", padding.encode().ljust(64, b"\0"))


def _icon(sheet: Sheet) -> None:
    """A thumbnail whose samples spell a name, and a colour profile that names a device."""
    icon = sheet.inside(sheet.dataset, Attribute(0x00880200, "SQ", "IconImageSequence"))
    for keyword, value in (
        ("SamplesPerPixel", 1), ("PhotometricInterpretation", "MONOCHROME2"), ("Rows", 8),
        ("Columns", 8), ("BitsAllocated", 8), ("BitsStored", 8), ("HighBit", 7),
        ("PixelRepresentation", 0),
    ):  # fmt: skip
        setattr(icon, keyword, value)
    path = "IconImageSequence/PixelData"
    drawn = sheet.word(_spot(path, "OB", _PICTURES))
    put(icon, 0x7FE00010, "OB", drawn.encode().ljust(64, b"\0"))
    profile = sheet.word(_spot("ICCProfile", "OB", _PICTURES), "desc {} scanner")
    put(sheet.dataset, 0x00282000, "OB", profile.encode().ljust(128, b"\0"))


def _groups(sheet: Sheet, base: int, parts: tuple[tuple[int, str], ...]) -> None:
    """The first, second and last of the repeating groups, whole."""
    for number in (0, 2, 0x1E):
        for element, vr in parts:
            tag = base + number << 16 | element
            attribute = Attribute(tag, vr, f"{tag:08X}")
            sheet.plant(sheet.dataset, attribute, Fate.GOES, _PICTURES)


def _overlays(sheet: Sheet) -> None:
    _groups(sheet, 0x6000, ((0x0022, "LO"), (0x0045, "LO"), (0x1500, "LO"), (0x4000, "LT")))
    for number in (0x6000, 0x6002, 0x601E):
        for element, vr, value in (
            (0x10, "US", ROWS), (0x11, "US", COLUMNS), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
            (0x100, "US", 1), (0x102, "US", 0),
        ):  # fmt: skip
            put(sheet.dataset, number << 16 | element, vr, value)
        path = f"{number:04X}3000"
        drawn = sheet.word(_spot(path, "OW", _PICTURES))
        planes = drawn.encode().ljust(ROWS * COLUMNS // 8, b"\0")
        put(sheet.dataset, number << 16 | 0x3000, "OW", planes)


def _curves(sheet: Sheet) -> None:
    _groups(sheet, 0x5000, ((0x0022, "LO"), (0x0040, "SH"), (0x200E, "LT"), (0x2500, "LO")))
    for number in (0x5000, 0x5002, 0x501E):
        path = f"{number:04X}3000"
        drawn = sheet.word(_spot(path, "OW", _PICTURES))
        put(sheet.dataset, number << 16 | 0x3000, "OW", drawn.encode().ljust(32, b"\0"))


def _behind_the_pixels(sheet: Sheet) -> None:
    """Bytes behind the last sample, which no viewer shows."""
    drawn = sheet.word(_spot("PixelData", "OW", "beside the samples"), "{} was here")
    pixels = sheet.dataset.PixelData + _even(drawn.encode())
    put(sheet.dataset, 0x7FE00010, "OW", pixels)


def _in_the_stream(sheet: Sheet) -> None:
    """A comment in a JPEG stream (ITU-T T.81 B.2.4.5)."""
    sheet.syntax = JPEGBaseline8Bit
    for keyword, value in (("BitsAllocated", 8), ("BitsStored", 8), ("HighBit", 7)):
        setattr(sheet.dataset, keyword, value)
    grey = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
    stream = imagecodecs.jpeg8_encode(grey)
    comment = sheet.word(_spot("PixelData", "OB", "beside the samples"), "by {}").encode()
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    put(sheet.dataset, 0x7FE00010, "OB", encapsulate([stream[:2] + segment + stream[2:]]))
    sheet.dataset["PixelData"].is_undefined_length = True
    sheet.dataset.LossyImageCompression = "01"


def _encoded(sheet: Sheet, *, syntax: UID) -> None:
    """The same identity in another transfer syntax, at the top and in an item."""
    sheet.syntax = syntax
    item = sheet.inside(sheet.dataset, _AROUND)
    for attribute in _FEW:
        sheet.plant(sheet.dataset, attribute, Fate.GOES, "transfer syntaxes")
        sheet.plant(item, attribute, Fate.GOES, "transfer syntaxes", _AROUND.name)
    if syntax == ExplicitVRBigEndian:
        pixels = sheet.dataset.PixelData
        swapped = bytes(pixels[i ^ 1] for i in range(len(pixels)))
        put(sheet.dataset, 0x7FE00010, "OW", swapped)


def _scripted(sheet: Sheet, *, charset: str) -> None:
    """Names in another script than Latin, at the top and in an item."""
    codec, letters = _SCRIPTS[charset]
    value = charset.split("\\")
    put(sheet.dataset, 0x00080005, "CS", value if len(value) > 1 else charset)
    item = sheet.inside(sheet.dataset, _AROUND)
    for where, path in ((sheet.dataset, ""), (item, f"{_AROUND.name}/")):
        for attribute in (one for one in _FEW if one.vr in {"PN", "LO", "ST", "LT", "SH"}):
            text = "".join(letters[sheet.maker.below(len(letters))] for _ in range(8))
            put(where, attribute.tag, attribute.vr, text)
            spot = _spot(path + attribute.name, attribute.vr, "character sets")
            sheet.note(Kind.FOREIGN, f"{codec}:{text}", spot, text)


def _odd_values(sheet: Sheet) -> None:
    """Values that break the rules of their VR, as real files do."""
    group, dataset = "values that break their VR", sheet.dataset
    for tag, vr, form in (
        (0x00100010, "PN", "{}^Jo=山田^太郎=Yamada^Taro"),
        (0x00101001, "PN", "A^B\\{}^Jo\\C"),
        (0x00102160, "SH", "../../{}"),
        (0x00104000, "LT", "x" * 10_300 + " {}"),
        (0x00180050, "DS", "{}"),
        (0x00201206, "IS", "12 {}"),
        (0x00185100, "CS", "seen by {} as usual"),
        (0x00081060, "LO", "{}^Reader written as LO"),
        (0x00080032, "TM", "{}"),
        (0x00280A02, "CS", "{}"),
    ):
        text = sheet.word(_spot(name_of(tag), vr, group), form)
        put(dataset, tag, vr, _even(text.encode()))
    dotted = sheet.maker.date(sheet.number)
    text = f"{dotted[:4]}.{dotted[4:6]}.{dotted[6:]}"
    put(dataset, 0x00080020, "DA", text.encode())
    sheet.note(Kind.DATE, dotted, _spot("StudyDate", "DA", group), text)
    stems = [sheet.maker.stem() for _ in range(4)]
    for tag, value, own in (
        (0x00081155, f"{UID_ROOT}.{stems[0]}.1\0\0", stems[:1]),
        (0x00203010, "\\".join(f"{UID_ROOT}.{stem}.2" for stem in stems[1:3]), stems[1:3]),
        (0x00200052, f"{UID_ROOT}.{stems[3]}." + "9" * 60, stems[3:]),
    ):
        put(dataset, tag, "UI", _even(value.encode()))
        for stem in own:
            sheet.note(Kind.UID, stem, _spot(name_of(tag), "UI", group), stem)


def _recipes() -> Iterator[tuple[str, Make]]:
    yield "tree", _tree
    yield "report", _report
    yield "private", _private
    yield "private-implicit", partial(_private, syntax=ImplicitVRLittleEndian)
    yield "unknown", _unknown
    yield "creators", _creators
    yield "meta", _meta
    yield "around", _around
    yield "icon", _icon
    yield "overlays", _overlays
    yield "curves", _curves
    yield "tail", _behind_the_pixels
    yield "stream", _in_the_stream
    yield "big-endian", partial(_encoded, syntax=ExplicitVRBigEndian)
    yield "implicit", partial(_encoded, syntax=ImplicitVRLittleEndian)
    yield "deflated", partial(_encoded, syntax=DeflatedExplicitVRLittleEndian)
    for charset in _SCRIPTS:
        yield "charset", partial(_scripted, charset=charset)
    yield "odd", _odd_values


RECIPES: tuple[tuple[str, Make], ...] = tuple(_recipes())
"""Each kind of file: its name, and what is planted in it."""
