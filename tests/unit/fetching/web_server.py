"""A web server on this machine whose bad habits can be chosen, request by request."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace


@contextmanager
def serving(files):
    """Serve `{path: bytes}`; yields the server's address, what it was asked for, and its habits.

    Habits: `cut` (bytes after which a connection breaks, one entry a request), `ranges` (answer them), `version` (ETag; None
    sends none), `status` (answers that are sent first, one entry a request), `kind` (Content-Type), `moved` (path to address),
    `length` (whether Content-Length is sent).
    """
    server = SimpleNamespace(
        files=dict(files), asked=[], cut=[], ranges=True, version='"one"', status=[], kind="application/gzip", moved={},
        length=True, sent=0,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            server.asked.append((self.path, self.headers.get("Range")))
            if self.path in server.moved:
                return self.answer(302, {"Location": server.moved[self.path]})
            if server.status:
                return self.answer(server.status.pop(0), {})
            if self.path not in server.files:
                return self.answer(404, {})
            content, start, code = server.files[self.path], 0, 200
            headers = {"Content-Type": server.kind}
            if server.version:
                headers["ETag"] = server.version
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range") in (None, server.version)
            if wanted and server.ranges and same:
                start, code = int(wanted[1]), 206
                if start >= len(content):
                    return self.answer(416, {"Content-Range": f"bytes */{len(content)}"})
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(code, headers, content[start:])

        def do_HEAD(self):
            content = server.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()

        def answer(self, code, headers, body=b""):
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            if server.length:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            cut = server.cut.pop(0) if body and server.cut else None
            server.sent += len(body[:cut])  # first: the client may look as soon as it has the last byte
            self.wfile.write(body[:cut])
            self.close_connection = True

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
