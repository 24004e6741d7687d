"""Files on a real xrootd server on this machine: read, listed, inspected, and lost in the middle."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from calotools.errors import BadFileWarning, ConfigError, InputFileError
from calotools.ntuple import (
    NtupleWriter,
    expand_files,
    fingerprint,
    inspect_files,
    iterate_candidates,
    read_candidates,
    read_sample,
)

pytest.importorskip("fsspec_xrootd", reason="calotools[xrootd] is not installed")

# The client waits for a lost server; here it need not wait long.
LIMITS = {"CONNECTIONWINDOW": 1, "CONNECTIONRETRY": 1, "REQUESTTIMEOUT": 5, "STREAMERRORWINDOW": 1}
ROWS = 40_000


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    with socket.socket() as one:
        one.settimeout(0.2)
        return one.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """An xrootd that serves a folder on the loopback interface."""

    def __init__(self, folder):
        self.folder = folder
        # the port may have been taken since it was free, and a busy machine is slow to start a server
        for _ in range(3):
            self.port = free_port()
            self.process = self._start()
            if self._answers_within(60):
                return
            self.stop()
        raise AssertionError("xrootd does not answer: " + self._log())

    def _start(self):
        (self.folder / "server.cfg").write_text(
            f"xrd.port {self.port}\nxrd.network nodnr\nall.export /data\noss.localroot {self.folder}\n"
            f"all.adminpath {self.folder}/admin\nall.pidpath {self.folder}/admin\n"
        )
        (self.folder / "admin").mkdir(exist_ok=True)
        (self.folder / "admin").chmod(0o777)
        # the server refuses to run as root
        user = ["-R", "xrootd"] if getpass.getuser() == "root" else []
        command = ["xrootd", *user, "-c", str(self.folder / "server.cfg"), "-l", str(self.folder / "admin" / "log")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def _answers_within(self, seconds):
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            if answers(self.port):
                return True
            time.sleep(0.1)
        return False

    def _log(self):
        logs = (path for path in (self.folder / "admin").rglob("log") if path.is_file())
        return "\n".join(path.read_text()[-2000:] for path in logs)

    def url(self, name):
        return f"root://127.0.0.1:{self.port}//data/{name}"

    def stop(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait(timeout=10)


@pytest.fixture(scope="module")
def folder():
    """A folder that the server's user can read."""
    if shutil.which("xrootd") is None:
        pytest.skip("no xrootd server on this machine (Debian: apt-get install xrootd-server)")
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # noqa: PTH101
        (Path(name) / "data").mkdir(mode=0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def long_file(folder):
    """Many baskets, so that a reader comes back for more: rows of 2 kB that do not compress."""
    rng = np.random.default_rng(1)
    with uproot.recreate(folder / "data" / "long.root", compression=None) as file:
        columns = {"run": "u4", "event": "u8", "candidate": "i4", "e": "f4", "eta": "f4", "phi": "f4", "mu": "f4"}
        file.mktree("electrons", columns)
        for first in range(0, ROWS, 500):
            rows = np.arange(first, first + 500)
            drawn = {name: rng.uniform(0.1, 0.2, 500).astype("f4") for name in ("eta", "phi", "mu")}
            numbers = {"run": np.ones(500, "u4"), "event": rows.astype("u8"), "candidate": np.zeros(500, "i4")}
            file["electrons"].extend(numbers | drawn | {"e": rng.uniform(3e4, 6e4, 500).astype("f4")})
    return folder / "data" / "long.root"


@pytest.fixture
def server(folder, monkeypatch):
    for name, seconds in LIMITS.items():
        monkeypatch.setenv(f"XRD_{name}", str(seconds))
    one = Server(folder)
    yield one
    if one.process.poll() is None:
        one.stop(signal.SIGTERM)


@pytest.fixture
def sample(folder, make_candidates):
    paths = [folder / "data" / f"{name}.root" for name in "ab"]
    for number, path in enumerate(paths):
        with NtupleWriter(path, overwrite=True) as writer:
            writer.extend("electrons", make_candidates(50, seed=number, first=100 * number))
    return paths


def test_the_same_candidates_as_from_disk(server, sample):
    urls = [server.url(path.name) for path in sample]
    assert ak.array_equal(read_candidates(urls), read_candidates(sample), equal_nan=True)


def test_globs(server, sample):
    assert expand_files(server.url("[ab].root")) == [server.url("a.root"), server.url("b.root")]
    assert len(read_candidates(server.url("[ab]*.root"))) == 100
    with pytest.raises(InputFileError, match=r"no file matches 'root://.*//data/z\*\.root'"):
        expand_files(server.url("z*.root"))


def test_inspect(server, sample):
    good, absent = inspect_files([server.url("a.root"), server.url("absent.root")])
    assert (good.error, good.n_candidates) == (None, 50)
    with pytest.raises(InputFileError, match=r"absent\.root' cannot be read: .*no such file.*is the server up"):
        raise absent.error


def test_a_file_that_changes_has_another_fingerprint(server, sample, make_candidates):
    before = fingerprint(server.url("a.root"))
    assert before[1] == sample[0].stat().st_size
    with NtupleWriter(sample[0], overwrite=True) as writer:
        writer.extend("electrons", make_candidates(60))
    assert fingerprint(server.url("a.root")) != before


def test_a_server_that_dies_in_the_middle_of_a_file(server, long_file):
    url = server.url(long_file.name)
    chunks = iterate_candidates(url, step=2000)
    assert len(next(chunks).candidates) == 2000
    server.stop()
    with pytest.raises(
        InputFileError, match=r"long\.root', tree 'electrons', entries from \d+: .*the server went away"
    ):
        list(chunks)
    with pytest.raises(InputFileError, match=r"long\.root' cannot be read: .*; is the server up, and the file there\?"):
        read_candidates(url)


def test_a_file_of_a_dead_server_is_skipped_whole(server, sample, long_file, monkeypatch):
    """The server dies while its second file is read: nothing of that file is used, and the files on disk are."""
    url = server.url(long_file.name)
    read, seen = iterate_candidates, []

    def deadly(path, **options):
        for chunk in read(path, step=2000, **options):
            yield chunk
            seen.append(chunk.file)
            if seen.count(url) == 2 and server.process.poll() is None:
                server.stop()

    monkeypatch.setattr("calotools.ntuple.sample.iterate_candidates", deadly)
    with pytest.warns(BadFileWarning, match=r"long\.root', tree 'electrons', entries from"):
        found = read_sample([sample[0], url, sample[1]], fields=["e"], skip_bad_files=True)
    assert list(found.counts.values()) == [50, 50]
    assert [one["file"] for one in found.bad] == [url]
    assert ak.array_equal(found.candidates, read_candidates(sample, fields=["e"]))


def test_a_server_that_is_not_there(server, sample, monkeypatch):
    server.stop()
    with pytest.raises(InputFileError, match=r"'root://.*\*\.root' cannot be listed: .*is the server up"):
        expand_files(server.url("*.root"))
    with pytest.raises(InputFileError, match=r"file 'root://.*a\.root' cannot be read"):
        fingerprint(server.url("a.root"))
    monkeypatch.setenv("XRD_REQUESTTIMEOUT", "soon")
    with pytest.raises(ConfigError, match="XRD_REQUESTTIMEOUT = 'soon'; a whole number of seconds"):
        fingerprint(server.url("a.root"))


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec_xrootd", None)
    with pytest.raises(ConfigError, match=r"needs the xrootd client: pip install 'calotools\[xrootd\]'"):
        read_candidates("root://127.0.0.1//data/a.root")


def test_a_protocol_that_does_not_exist():
    with pytest.raises(ConfigError, match=r"'foo://host/\*\.root': .*root://, http:// and https:// are known"):
        expand_files("foo://host/*.root")
    with pytest.raises(ConfigError, match=r"'foo://host/a\.root': .*root://, http:// and https:// are known"):
        read_candidates("foo://host/a.root")
