"""A witness on the network for tests: a real little server, with the shared rule behind it."""

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from gateways.witness import Refused, Stale, Submission, WitnessUnavailable
from gateways.witness.simulator import SimulatedWitness

STATUS = {"unknown_log": 404, "not_signed": 403, "shrunk": 400, "forked": 422, "spoilt": 500}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    witness: SimulatedWitness


class _Handler(BaseHTTPRequestHandler):
    """The witness's side of c2sp.org/tlog-witness."""

    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        head, _, note = body.partition("\n\n")
        old, *steps = head.split("\n")
        found = re.fullmatch(r"old (0|[1-9]\d*)", old)
        if self.path != "/log/add-checkpoint" or found is None or len(steps) > 63:
            self._answer(404 if found else 400)
            return
        proof = [b64decode(step, validate=True) for step in steps]
        submission = Submission(note.partition("\n")[0], note, int(found[1]), proof)
        try:
            self.server.witness.add(submission)
        except Stale as stale:
            self._answer(409, f"{stale.size}\n", "text/x.tlog.size")
        except Refused as refused:
            # One size with two roots is a conflict, too.
            same_size = note.split("\n")[1] == found[1] and refused.reason == "forked"
            self._answer(409, f"{found[1]}\n") if same_size else self._answer(
                STATUS[refused.reason]
            )
        except WitnessUnavailable:
            self._answer(503)
        else:
            self._answer(200, "— witness.example AAAA\n")

    def _answer(self, status: int, text: str = "", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def witness_server(witness: SimulatedWitness) -> Iterator[str]:
    """Serves a witness on a free port of the loopback, and says where."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.witness = witness
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/log"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
