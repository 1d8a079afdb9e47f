"""How do the pages look and behave without the rest of the house? A small server of examples."""

import datetime as dt
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from api.web.rendering import STATIC, render
from tests.web import examples

# As strict as the real one: no inline script or style, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Gallery(ThreadingHTTPServer):
    """The server's memory: what was sent to it, and how it is to answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = Lock()
        self.asked: list[str] = []
        self.saves: list[dict[str, str]] = []
        self.signed: list[dict[str, str]] = []
        self.save_answers: list[int] = []
        self.revision = examples.DRAFT.revision or 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Answers with examples; only the draft remembers anything."""

    server: Gallery

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        with self.server.lock:
            self.server.asked.append(self.path)
        if url.path.startswith("/static/"):
            self._file(url.path.removeprefix("/static/"))
        elif url.path.startswith("/pages/"):
            template, rows = examples.PAGES[url.path.removeprefix("/pages/")]
            self._page(render(template, **rows))
        elif url.path == examples.HREF:
            self._page(client_page(query))
        elif url.path == examples.NOTE_HREF:
            self._page(note_page(query))
        elif url.path == f"/audit/clients/{examples.ANA.id}":
            self._page(replay_page(query))
        elif url.path.startswith("/notes/") and url.path.endswith("/edit"):
            template, rows = examples.PAGES["note-edit"]
            self._page(render(template, **rows))
        else:
            self._page("not in the gallery", 404)

    def do_POST(self) -> None:
        form = self._form()
        if form.get("q") == "fail":
            self._page("not now", 503)
        elif self.path.endswith("/search"):
            self._page(search_page(form, is_part=self.headers.get("HX-Request") == "true"))
        elif self.path.endswith("/draft"):
            self._save(form)
        elif self.path.endswith("/signature"):
            with self.server.lock:
                self.server.signed.append(form)
            self._page(render("notes/show.html", **examples.PAGES["note"][1]))
        else:
            self._page(f"would {self.path}")

    def _form(self) -> dict[str, str]:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/"):
            pairs = parse_qs(body.decode(), keep_blank_values=True)
            return {key: values[0] for key, values in pairs.items()}
        message = message_from_bytes(f"Content-Type: {kind}\n\n".encode() + body)
        parts = [part for part in message.walk() if not part.is_multipart()]
        return {
            str(part.get_param("name", header="content-disposition")): bytes(
                part.get_payload(decode=True) or b""
            ).decode()
            for part in parts
        }

    def _save(self, form: dict[str, str]) -> None:
        with self.server.lock:
            self.server.saves.append(form)
            status = self.server.save_answers.pop(0) if self.server.save_answers else 200
            if status == 200:
                self.server.revision += 1
            revision = self.server.revision
        if status == 409:
            mine = form["subjective"]
            section = replace(examples.CONFLICT.sections[0], mine=mine)
            conflict = replace(examples.CONFLICT, revision=revision, sections=(section,))
            self._page(render("notes/_conflict.html", conflict=conflict), status)
        elif status == 200:
            saved = examples.CLOCK.moment(dt.datetime(2026, 11, 22, 15, 12, tzinfo=dt.UTC))
            draft = replace(examples.DRAFT, revision=revision, saved=saved)
            self._page(render("notes/_saved.html", draft=draft))
        else:
            self._page("no", status)

    def _page(self, text: str, status: int = 200) -> None:
        self._send(text.encode(), "text/html; charset=utf-8", status)

    def _file(self, name: str) -> None:
        kind = mimetypes.guess_type(name)[0] or "font/woff2"
        self._send((STATIC / name).read_bytes(), kind, 200)

    def _send(self, body: bytes, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Say nothing: a test reads what it needs from the server's memory."""


def client_page(query: dict[str, str]) -> str:
    """The chart at a tick: as many notes as there were, so that moments differ."""
    moment = query.get("as_of", "")
    places = [tick.as_of for tick in examples.TICKS]
    here = places.index(moment) if moment in places else len(places) - 1
    template, rows = examples.PAGES["client"]
    if here == len(places) - 1:
        return render(template, **rows)
    notes = examples.NOTES[len(examples.NOTES) - (here + 1) // 2 :] if here else ()
    shown = examples.CLOCK.moment(dt.datetime.fromisoformat(moment))
    chart = replace(
        examples.CHART_THEN, notes=notes, shown=shown, hidden_changes=len(places) - 2 - here
    )
    time = replace(examples.TIME_THEN, here=here, typed=moment[:16])
    return render(template, **{**rows, "chart": chart, "time": time})


def note_page(query: dict[str, str]) -> str:
    """The note with the two versions asked for."""
    template, rows = examples.PAGES["note"]
    pair = examples.NOTE.comparison
    if pair is not None and "left" in query:
        left, right = int(query["left"]), int(query["right"])
        texts = {1: examples.FIRST, 2: examples.SECOND}
        diff = examples.section_diffs(texts[left], texts[right])
        pair = replace(pair, left=left, right=right, sections=diff)
    return render(template, **{**rows, "note": replace(examples.NOTE, comparison=pair)})


def replay_page(query: dict[str, str]) -> str:
    """The replay at the event asked for."""
    number = next(
        (i for i, row in enumerate(examples.EVENTS) if str(row.position) == query.get("at")), 7
    )
    events = tuple(
        replace(row, is_here=index == number) for index, row in enumerate(examples.EVENTS)
    )
    panel = replace(
        examples.PANEL,
        row=events[number],
        number=number + 1,
        earlier=events[number - 1].href if number else "",
        later=events[number + 1].href if number + 1 < len(events) else "",
    )
    template, rows = examples.PAGES["audit-client"]
    return render(
        template, **{**rows, "replay": replace(examples.REPLAY, events=events, panel=panel)}
    )


def search_page(form: dict[str, str], *, is_part: bool) -> str:
    """The people whose name holds what was typed."""
    q = form["q"]
    rows = tuple(row for row in examples.PEOPLE if q.lower() in row.name.lower())
    search = replace(examples.FOUND, q=q, rows=rows)
    if len(q) < 3:
        search = replace(search, state="too_short", rows=())
    elif not rows:
        search = replace(search, state="none")
    if is_part:
        return render("clients/_results.html", search=search)
    template, page = examples.PAGES["clients"]
    return render(template, **{**page, "search": search})


@contextmanager
def gallery() -> Iterator[Gallery]:
    """A running gallery."""
    server = Gallery()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
