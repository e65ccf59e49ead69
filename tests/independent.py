"""An independent checker of a release. It imports nothing of cohortkit, on purpose.

    python tests/independent.py RELEASE ARCHIVE [ARCHIVE …] [--also LOG …] [--key KEY]

It reads the identities of every patient in the archives with pydicom alone, and looks for them in
every byte of the release: file and folder names, raw bytes, gzip unpacked, PNG chunks inflated,
Parquet cells as text, DICOM values by their character set. It prints what it searched and each
hit by file and kind, never the value, and exits 1 if there is any.

With the key, cells of type date are not compared with everybody's true dates (a moved one falls on
somebody else's by chance): each is proved to be its own patient's date, moved by that patient's
days, and one that is not is a hit, whatever it is (``tests/recomputed.py``).
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import re
import struct
import sys
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ahocorasick_rs
import polars as pl
import pydicom
from pydicom.datadict import DicomDictionary, dictionary_keyword
from pydicom.dataset import Dataset
from pydicom.uid import UID_dictionary

import recomputed

TEXT = {"LO", "SH", "ST", "LT", "UT", "UC", "UR", "PN", "AE"}
# Text that says who, where, with what device or in whose words: by keyword, outside group 0010.
SAYS_WHO = re.compile(
    r"Name$|ID$|IDs$|Address|Telephone|Phone|Comments?$|Physician|Operator|Institution|Station"
    r"|Serial|Accession|Requesting|Requested|Department|Issuer|Reader|Author|Person|Observer"
    r"|History|Diagnos|Reason|Occupation|Insurance|Account|Location|Description$|URL$|URI$"
)
# ... but these say what kind of thing it is; the values are the maker's, not the patient's.
SAYS_WHAT = {
    "ManufacturerModelName", "SequenceName", "PrivateCreator", "CodingSchemeName", "FilterMaterial",
    "ImplementationVersionName", "ContextGroupExtensionCreatorUID", "MappingResourceName",
    "CodeMeaning", "PulseSequenceName", "ReceiveCoilName", "TransmitCoilName", "ConvolutionKernel",
    "MultiCoilElementName",
    "ContextIdentifier", "DeviceDescription", "PixelSpacingCalibrationDescription", "SegmentLabel",
    "LossyImageCompressionMethod", "DimensionDescriptionLabel", "StackID", "MACParametersSequence",
    "GraphicLayer", "ContentLabel", "WaveformFilterDescription", "ChannelIdentificationCode",
    "SegmentAlgorithmName", "MacroName", "AnatomicStructureDescription",
    "ReformattingOperationType",
    "AlgorithmName", "AlgorithmFamilyName", "DecompositionDescription", "PhotometricInterpretation",
    "ContrastBolusAgent", "TransducerData", "ScanProtocolDescription", "LUTExplanation",
}  # fmt: skip
WORD = re.compile(rb"[A-Za-z0-9]")


@dataclass
class Identities:
    """What must not be found: value → kind. ``long`` anywhere, ``short`` as whole tokens."""

    long: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    files: int = 0

    def add(self, value: str, kind: str) -> None:
        """Plant one value, trimmed; nothing under three characters proves anything."""
        value = value.strip("\0 \t\r\n")
        if len(value) >= 6:
            self.long.setdefault(value, kind)
        elif (len(value) >= 3 and not value.isdigit()) or len(value) == 5:
            self.short.setdefault(value, kind)


def dicom_files(roots: Iterable[Path]) -> Iterator[Path]:
    """Every file below the roots, in order."""
    for root in roots:
        yield from sorted(p for p in root.rglob("*") if p.is_file())


def collect(roots: Iterable[Path]) -> Identities:
    """The identities of every readable object below the roots."""
    found = Identities()
    for path in dicom_files(roots):
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except Exception:  # noqa: BLE001 - an enemy's file may break the reader anyhow
            continue
        found.files += 1
        _walk(dataset, found)
        if hasattr(dataset, "file_meta"):
            _walk(dataset.file_meta, found)
    _forget_common_words(found)
    return found


def _walk(dataset: Dataset, found: Identities) -> None:
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except Exception:  # noqa: BLE001 - a broken element holds no value we can name
            continue
        if element.VR == "SQ":
            for item in element.value or []:
                _walk(item, found)
        elif element.value not in (None, ""):
            if element.keyword in {"Manufacturer", "ManufacturerModelName", "Modality"}:
                found.words.add(str(element.value).strip().lower())
            _take(element, found)


def _take(element: pydicom.DataElement, found: Identities) -> None:
    values = (
        element.value if isinstance(element.value, pydicom.multival.MultiValue) else [element.value]
    )
    for value in values:
        text = str(value)
        if element.VR == "PN":
            _take_name(text, found)
        elif element.VR == "UI" and text not in UID_dictionary and text.count(".") > 3:
            if element.keyword not in {"ImplementationClassUID", "CodingSchemeUID"}:
                found.add(text, "uid")
        elif element.VR in {"DA", "DT"} and len(text) >= 8:
            _take_date(text[:8], found)
        elif element.VR == "TM" and len(text.split(".", maxsplit=1)[0]) == 6 and "." in text:
            found.add(text, "time")
        elif element.VR in TEXT and _who(element):
            found.add(text, "text")


def _who(element: pydicom.DataElement) -> bool:
    if element.tag.is_private:
        return False
    try:
        keyword = dictionary_keyword(element.tag)
    except KeyError:
        return False
    if keyword in SAYS_WHAT:
        return False
    return element.tag.group in {0x0010, 0x0032, 0x0038} or bool(SAYS_WHO.search(keyword))


def _take_name(text: str, found: Identities) -> None:
    for group in text.split("="):
        parts = [p.strip() for p in group.split("^") if p.strip()]
        found.add(group, "name")
        if len(parts) >= 2:
            for spelling in (f"{parts[0]} {parts[1]}", f"{parts[1]} {parts[0]}",
                             f"{parts[0]}, {parts[1]}", f"{parts[0]}{parts[1]}"):  # fmt: skip
                found.add(spelling, "name")
                found.add(spelling.upper(), "name")
        for part in parts:
            if len(part) >= 4:
                found.add(part, "name")


def _take_date(text: str, found: Identities) -> None:
    try:
        day = dt.datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - DICOM dates have no zone
    except ValueError:
        return
    if day.year < 1910:
        return
    for form in ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y"):
        found.add(day.strftime(form), "date")


def _forget_common_words(found: Identities) -> None:
    """Drop values that are words of DICOM or of any report, which prove nothing."""
    common = {"unknown", "anonymous", "anonymized", "none", "test", "brain", "head", "chest",
              "true",
              "siemens", "philips", "hitachi", "removed", "patient", "standard", "default", "name",
              "study", "series", "routine", "image", "axial", "research", "mosaic", "localizer",
              "phantom", "scout", "sagittal", "coronal", "fieldmap", "survey", "magnitude", "phase",
              "segmentation", "original", "abdomen", "thorax", "spine", "pelvis", "none^none",
              "compressed", "uncompressed", "jpeg", "rsna", "dicom", "report", "public", "project",
              "final", "first", "last", "text", "user", "admin", "medical", "system", "generic",
              "demo", "ecg", "voi lut",
              "waveform", "deidentified", "de-identified", "pydicom"}  # fmt: skip
    for row in DicomDictionary.values():
        common |= {row[2].lower(), row[4].lower()}
    common |= found.words  # a hospital that is called as its scanners are
    for table in (found.long, found.short):
        for value in [v for v in table if v.lower() in common]:
            del table[value]


@dataclass
class Searched:
    """What was looked at, and what was found: (file, kind)."""

    files: int = 0
    bytes: int = 0
    hits: set[tuple[str, str, str]] = field(default_factory=set)


def search(
    release: Path,
    identities: Identities,
    also: Iterable[Path] = (),
    moved: recomputed.Moved | None = None,
) -> Searched:
    """Look for the identities in everything below ``release`` and in the files of ``also``.

    With the dates that must have been moved, cells of type date are proved by them.
    """
    result = Searched()
    long = _Finder(identities.long)
    short = _Finder(identities.short)
    for path in [*dicom_files([release]), *also]:
        name = str(path.relative_to(release)) if path.is_relative_to(release) else path.name
        result.files += 1
        if moved is not None and path.suffix == ".parquet":
            for column in moved.unproved(pl.read_parquet(path)):
                result.hits.add((name, f"column {column}", "date that was not moved"))
        for part, data, text in _unpacked(path, name, dates=moved is None):
            result.bytes += len(data)
            for value in long.find(data):
                if part == "samples" and value.isdigit() and len(value) < 12:
                    continue  # among millions of samples any few digits stand somewhere
                result.hits.add((name, part, identities.long[value]))
            if text:
                for value in short.find(data, tokens=True):
                    result.hits.add((name, part, identities.short[value]))
    return result


class _Finder:
    def __init__(self, table: dict[str, str]) -> None:
        self.values = list(table)
        forms: list[tuple[bytes, str]] = []
        for value in self.values:
            for encoding in ("utf-8", "latin-1", "utf-16-le"):
                try:
                    forms.append((value.encode(encoding), value))
                except UnicodeEncodeError:
                    continue
        self.forms = [f for f in forms if f[0]]
        self.machine = (
            ahocorasick_rs.BytesAhoCorasick([f[0] for f in self.forms]) if self.forms else None
        )

    def find(self, data: bytes, *, tokens: bool = False) -> set[str]:
        if self.machine is None:
            return set()
        out = set()
        for index, start, end in self.machine.find_matches_as_indexes(data, overlapping=True):
            if tokens or self.forms[index][1].isalnum():
                before, after = data[start - 1 : start], data[end : end + 1]
                if WORD.match(before) or WORD.match(after):
                    continue
            out.add(self.forms[index][1])
        return out


def _unpacked(path: Path, name: str, *, dates: bool) -> Iterator[tuple[str, bytes, bool]]:
    yield "name", name.encode(), True
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        yield "gzip header", data[:64], True
        data = gzip.decompress(data)
        yield "samples", data, False
        yield "nifti header", data[:352], True
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        yield from _png(data)
    elif data[128:132] == b"DICM":
        yield from _object(path, data)
    elif data[:4] == b"PAR1":
        yield "parquet bytes", data, False
        frame = pl.read_parquet(path)
        if not dates:
            frame = frame.drop(n for n, kind in frame.schema.items() if kind == pl.Date)
        yield (
            "parquet cells",
            frame.cast(pl.String, strict=False).write_csv().encode()
            if not any(d.is_nested() for d in frame.dtypes)
            else frame.write_json().encode(),
            True,
        )
    else:
        yield (
            "bytes",
            data,
            path.suffix
            in {
                ".json",
                ".html",
                ".csv",
                ".txt",
                ".log",
                ".ipynb",
                ".bval",
                ".bvec",
                ".toml",
                ".md",
            },
        )


def _object(path: Path, data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """All bytes but the pixels, and every text by its character set."""
    dataset = pydicom.dcmread(path)
    pixels = dataset.get("PixelData", b"") if "PixelData" in dataset else b""
    at = data.find(pixels) if len(pixels) > 8 else -1
    yield "dicom bytes", data if at < 0 else data[:at] + data[at + len(pixels) :], False
    yield "samples", pixels, False
    texts = list(_texts(dataset)) + list(_texts(dataset.file_meta))
    yield "dicom text", "\n".join(texts).encode("utf-8", "replace"), True


def _texts(dataset: Dataset) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _texts(item)
        elif element.VR not in {"DA", "DT", "TM", "OB", "OW", "OF", "OD", "OL", "OV", "UN"}:
            many = element.value if element.VM > 1 else [element.value]
            yield from (
                str(one) for one in many if isinstance(one, str | pydicom.valuerep.PersonName)
            )


def _png(data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    at, pixels = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IDAT":
            pixels += body
        else:
            yield f"png {kind.decode('latin-1')}", body, True
        at += 12 + length
    yield "samples", zlib.decompress(pixels), False


def main() -> int:  # prints its findings: it is a command
    """Check one release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("release", type=Path)
    parser.add_argument("archive", type=Path, nargs="+")
    parser.add_argument("--also", type=Path, nargs="*", default=[])
    parser.add_argument("--key", type=Path, help="prove moved dates with this key file")
    parser.add_argument("--days", type=int, nargs=2, default=recomputed.DAYS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    identities = collect(given.archive)
    moved = None
    if given.key is not None:
        moved = recomputed.moved(given.archive, recomputed.Secret.read(given.key), *given.days)
    result = search(given.release, identities, given.also, moved)
    print(
        f"identities of {identities.files} objects: "
        f"{len(identities.long)} long, {len(identities.short)} short"
    )
    print(f"searched {result.files} files, {result.bytes} bytes unpacked: {len(result.hits)} hits")
    if moved is not None:
        print(f"proved {moved.cells} dates by the days of their patients")
    for name, part, kind in sorted(result.hits)[:200]:
        print(f"  {kind} in {part} of {name}")
    return 1 if result.hits else 0


if __name__ == "__main__":
    sys.exit(main())
