"""Files on a web server that sends parts of them."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import awkward as ak
import pytest

from calotools.errors import InputFileError
from calotools.ntuple import NtupleWriter, read_candidates

pytest.importorskip("aiohttp", reason="fsspec reads http with aiohttp")


@pytest.fixture
def serve():
    """A function: bytes -> URL of a file with them."""
    servers = []

    def start(data):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, *, body):
                asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
                first, last = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
                part = data[first : last + 1] if self.path == "/a.root" else b""
                self.send_response((206 if asked else 200) if self.path == "/a.root" else 404)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(part)))
                if asked:
                    self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
                self.end_headers()
                if body:
                    self.wfile.write(part)

            def do_GET(self):
                self.answer(body=True)

            def do_HEAD(self):
                self.answer(body=False)

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/a.root"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_same_candidates_as_from_disk(serve, tmp_path, make_candidates):
    with NtupleWriter(tmp_path / "a.root") as writer:
        writer.extend("electrons", make_candidates(40))
    url = serve((tmp_path / "a.root").read_bytes())
    assert ak.array_equal(read_candidates(url), read_candidates(tmp_path / "a.root"), equal_nan=True)
    with pytest.raises(InputFileError, match=r"file 'http://.*/b\.root' does not exist"):
        read_candidates(url.replace("a.root", "b.root"))


def test_a_server_that_is_not_there():
    with pytest.raises(InputFileError, match=r"'http://127\.0\.0\.1:1/a\.root' cannot be read: .*is the server up"):
        read_candidates("http://127.0.0.1:1/a.root")
