"""A real Orthanc with the DICOMweb plugin, in a namespace without a network. Debian's package."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from urllib3.util import make_headers

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "reader", "secret"


@dataclass(frozen=True)
class Orthanc:
    """A running server, on two ports of the loopback."""

    port: int
    dicom: int

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def location(self) -> str:
        """What ``ck.open_index`` takes."""
        return f"dicomweb+{self.origin}/dicom-web"

    @property
    def dimse(self) -> str:
        """What it takes for the other protocol."""
        return f"dimse://COHORTKIT@127.0.0.1:{self.dicom}/ORTHANC"

    def store(self, files: Iterable[Path]) -> int:
        """Send files; gives how many objects were taken for new."""
        return sum(self._sent(path) for path in files)

    @contextmanager
    def without(self, sop_instance_uid: str) -> Iterator[None]:
        """The server while it has lost an object."""
        _, body = self.request("POST", "/tools/lookup", sop_instance_uid.encode())
        (one,) = json.loads(body)
        assert 200 == self.request("DELETE", one["Path"])[0]
        yield

    def _sent(self, path: Path) -> bool:
        status, body = self.request("POST", "/instances", path.read_bytes())
        return status == 200 and json.loads(body)["Status"] == "Success"

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask Orthanc's own interface."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = make_headers(basic_auth=f"{USER}:{PASSWORD}")
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data


def only_loopback() -> bool:
    """Whether this process sees no other network: Orthanc listens on all addresses."""
    lines = Path("/proc/net/dev").read_text("ascii").splitlines()[2:]
    return ["lo"] == [line.partition(":")[0].strip() for line in lines]


@contextmanager
def running(folder: Path, **more: object) -> Iterator[Orthanc]:
    """Start one that keeps its files in this folder, and end it; ``more`` is of its options."""
    assert only_loopback(), "Orthanc is started where there is only the loopback"
    http, dicom = _free(), _free()
    config = {
        "StorageDirectory": str(folder / "files"),
        "IndexDirectory": str(folder / "index"),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "HttpPort": http,
        "DicomPort": dicom,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowStore": True,
        "DicomCheckCalledAet": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **more,
    }
    (folder / "orthanc.json").write_text(json.dumps(config), "utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log
        )
    try:
        yield _ready(Orthanc(http, dicom), process, folder)
    finally:
        process.terminate()
        process.wait(30)


def _free() -> int:
    """A port that nobody has: two workers of the tests have a server each."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _ready(server: Orthanc, process: subprocess.Popen[bytes], folder: Path) -> Orthanc:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            if server.request("GET", "/system")[0] == 200:
                return server
        except OSError:
            time.sleep(0.02)
    raise AssertionError((folder / "log").read_text("utf-8", "replace")[-2000:])
