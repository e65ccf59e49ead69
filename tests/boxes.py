"""Tar and zip files of the files of a folder, as several programs make them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path


class _Line(io.RawIOBase):
    """Where one can only go on writing, so that a zip has its sizes behind what is packed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def stored(folder: Path, box: Path) -> None:
    """A zip that packs nothing."""
    _zip(folder, box, zipfile.ZIP_STORED)


def deflated(folder: Path, box: Path) -> None:
    """A usual zip."""
    _zip(folder, box, zipfile.ZIP_DEFLATED)


def streamed(folder: Path, box: Path) -> None:
    """A zip that was written on the way."""
    with _Line(box) as line:
        _zip(folder, line, zipfile.ZIP_DEFLATED)


def tarred(folder: Path, box: Path) -> None:
    """A tar as ``tar cf`` makes it, with the folder itself."""
    with tarfile.open(box, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(folder, ".")


def posix(folder: Path, box: Path) -> None:
    """A tar with extended heads, and long names in them."""
    files = _files(folder)
    with tarfile.open(box, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in files:
            tar.add(path, f"{'long' * 60}/{path.relative_to(folder)}")


def _zip(folder: Path, box: Path | io.RawIOBase, method: int) -> None:
    files = _files(folder)  # before: the box may come to lie among them
    with zipfile.ZipFile(box, "w", method) as packed:  # type: ignore[arg-type]
        for path in files:
            packed.write(path, path.relative_to(folder))


BOXES: dict[str, Callable[[Path, Path], None]] = {
    "stored.zip": stored,
    "deflated.zip": deflated,
    "streamed.zip": streamed,
    "gnu.tar": tarred,
    "pax.tar": posix,
}
