"""What all tests share: where real data lie, how hard properties are tried, what may be skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
NO_DATA = "no shared test data"
NO_SERVERS = "no real servers: scripts/test --servers installs and starts them"

# No deadline: the machine is shared, and slowness is measured in the benchmarks.
settings.register_profile(
    "dev", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if IN_CI else "dev")


def _data_dir() -> Path:
    return Path(os.environ.get("COHORTKIT_TEST_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real acquisitions; read only."""
    folder = _data_dir()
    if not folder.is_dir():
        pytest.skip(NO_DATA)
    return folder


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``data`` or ``servers`` where there are none."""
    there = {
        "data": (_data_dir().is_dir(), NO_DATA),
        "servers": (bool(os.environ.get("COHORTKIT_SERVERS")), NO_SERVERS),
    }
    for item in items:
        for name, (here, reason) in there.items():
            if not here and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


def _allowed() -> tuple[str, ...]:
    lines = (ROOT / "tests" / "allowed_skips.txt").read_text("utf-8").splitlines()
    return tuple(line.split("\t")[0] for line in lines if line.strip() and line[0] != "#")


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    detail = report.longrepr
    text = detail[2] if isinstance(detail, tuple) else str(detail)
    return text.removeprefix("Skipped: ")


def unexplained(
    reports: list[pytest.TestReport | pytest.CollectReport], allowed: tuple[str, ...]
) -> list[str]:
    """One line for each skip whose reason is not on the list (an expected failure is no skip)."""
    return [
        f"{report.nodeid}: {reason}"
        for report in reports
        if not hasattr(report, "wasxfail")
        and not (reason := _skip_reason(report)).startswith(allowed)
    ]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, turn an unexplained skip into a failure of the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not IN_CI or reporter is None or hasattr(session.config, "workerinput"):
        return
    lines = unexplained(reporter.stats.get("skipped", []), _allowed())
    for line in lines:
        reporter.write_line(f"skipped without a listed reason: {line}", red=True)
    if lines and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
