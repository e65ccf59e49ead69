"""The command ``cohortkit``: the same verbs as the library.

Exit codes: 0 all written or refused by name; 2 wrong use, a recipe with faults, a key or place
that cannot be used; 3 some of it failed (the same command tries again); 4 nothing was written;
1 a fault in cohortkit itself; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from cyclopts import App, CycloptsError, Parameter

from cohortkit.cli_index import describe, scan, search
from cohortkit.cli_keys import ids_app, key_app
from cohortkit.cli_recipe import recipe_app
from cohortkit.cli_release import crosswalk, inventory, verify
from cohortkit.cli_run import export, plan, run_, status
from cohortkit.cli_words import FAILED, FAULT, OK, STOPPED, USAGE, Json, complain, demand_words, say
from cohortkit.errors import CohortkitError, UsageError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
TRACEBACK = "COHORTKIT_TRACEBACK"
"""Set this variable to see the traceback of a fault. It may show values: not for sharing."""

_AS_JSON = "--json"

app = App(
    name="cohortkit",
    help="From a hospital's imaging archive to a de-identified research data set.",
    version=lambda: version("cohortkit"),
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer with its exit code. No error shows a traceback.

    Args:
        argv: the words after ``cohortkit``; default: those of the process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        demand_words(words)
        code = app(words)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, as in ``| head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (CohortkitError, CycloptsError) as error:
        code = USAGE if isinstance(error, UsageError | CycloptsError) else FAILED
        if _AS_JSON in words:
            say("", {"error": str(error), "exit_code": code}, as_json=True)
        return complain(str(error), code)
    except KeyboardInterrupt:
        return complain("stopped; the same command goes on where it was", STOPPED)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM:
            # of no file by name, and files of ours have errors of their own: standard output
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return complain("standard output cannot be written: no space left", FAILED)
        if os.environ.get(TRACEBACK):
            raise
        what = f"a fault in cohortkit ({type(error).__name__}); set {TRACEBACK}=1 to see where"
        return complain(what, FAULT)
    return code if isinstance(code, int) else OK


@app.command
def demo(folder: Path = Path("demo"), *, json: Json = False) -> int:
    """Run the main job on the real DICOM that ships inside pydicom, and say where to look.

    Args:
        folder: Where to put index, recipe, key and export: a new folder, or that of a demo.
    """
    from cohortkit.demo import run  # noqa: PLC0415 - the other commands do not need it

    made = run(folder, progress=not json)
    say(made.words(), made.facts(), json)
    return made.export.exit_code


app.command(scan)
app.command(search)
app.command(describe)
app.command(key_app)
app.command(ids_app)
app.command(recipe_app)
app.command(plan)
app.command(export)
app.command(run_, name="run")
app.command(status)
app.command(verify)
app.command(crosswalk)
app.command(inventory)
