"""Runs the pages of the docs, block by block, in a folder of their own.

    ```python     run; all blocks of a page share one namespace
    ```bash       run as one script that stops at the first error
    ```console    ``$ command`` lines are run, and what is written under each must be its output
    ```text       must be the output of the python block before it
    <!-- file: NAME -->         the block after it is written to NAME
    <!-- run by: FILE::TEST --> the block after it is run by that test instead
    ```{name}     is for whoever builds the pages, and is not code

In expected output, ``...`` stands for anything. A block of any other kind is an error.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:^<!-- (?P<role>file|run by): (?P<what>\S+) -->\n)?"
    r"^```(?P<language>\S*)[^\n]*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    body: str
    role: str
    what: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        if found["language"].startswith("{"):
            continue
        line = text.count("\n", 0, found.start("body")) + 1
        role, what = found["role"] or "", found["what"] or ""
        yield Block(page, line, found["language"], found["body"], role, what)


def agrees(expected: str, actual: str) -> bool:
    """Whether the output is as written, line ends aside; ``...`` stands for anything."""
    parts = [re.escape(part) for part in _trimmed(expected).split("...")]
    return re.fullmatch(".*".join(parts), _trimmed(actual), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


class Runner:
    """Runs the blocks of one page."""

    def __init__(self, page: Path, folder: Path, root: Path) -> None:
        self.page, self.folder, self.root = page, folder, root
        self.names: dict[str, object] = {"__name__": "docs"}
        self.printed = ""

    def run(self) -> int:
        """Run all blocks; the number of them."""
        count = 0
        for block in blocks(self.page):
            count += 1
            if block.role == "file":
                (self.folder / block.what).write_text(block.body, "utf-8")
            elif block.role == "run by":
                self._elsewhere(block)
            else:
                self._block(block)
        return count

    def _block(self, block: Block) -> None:
        kinds = {
            "python": self._python,
            "bash": self._bash,
            "console": self._console,
            "text": self._text,
        }
        if block.language not in kinds:
            raise AssertionError(f"{block.place}: no way to run a block of {block.language!r}")
        kinds[block.language](block)

    def _elsewhere(self, block: Block) -> None:
        file, _, test = block.what.partition("::")
        text = (self.root / file).read_text("utf-8")
        assert f"def {test}(" in text if test else text, f"{block.place}: no such test"

    def _python(self, block: Block) -> None:
        code = compile("\n" * (block.line - 1) + block.body, str(block.page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, self.names)
        self.printed = out.getvalue()

    def _text(self, block: Block) -> None:
        assert agrees(block.body, self.printed), f"{block.place}: printed\n{self.printed}"

    def _bash(self, block: Block) -> None:
        self._shell("set -e\n" + block.body, block.place)

    def _console(self, block: Block) -> None:
        for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            out = self._shell(command, block.place)
            assert agrees(expected, out), f"{block.place}: {command} printed\n{out}"

    def _shell(self, script: str, place: str) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, f"{place}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout
