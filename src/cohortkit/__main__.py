"""The command, also as ``python -m cohortkit``: nothing is loaded before Ctrl-C is heeded."""

from __future__ import annotations

import sys

_STOPPED = 130  # 128 and SIGINT, as shells have it


def main() -> int:
    """Run one command and answer with its exit code."""
    try:
        from cohortkit.cli import main as run  # noqa: PLC0415 - it loads for a second

        return run()
    except KeyboardInterrupt:
        print("cohortkit: stopped", file=sys.stderr)
        return _STOPPED


if __name__ == "__main__":
    sys.exit(main())
