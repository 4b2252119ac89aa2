"""The page, served to this machine alone, and made anew when there is a new release."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aisle.errors import AisleError

_LOOPBACK = "127.0.0.1"

_FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><title>aisle report</title>
<style>html,body,iframe{margin:0;border:0;width:100%;height:100%;display:block}</style>
<iframe src="/page" title="The report"></iframe>
<script>
let shown = null;
setInterval(async () => {
  const answer = await fetch("/release").catch(() => null);
  if (!answer || !answer.ok) return;
  const newest = await answer.text();
  if (shown !== null && newest !== shown) document.querySelector("iframe").src = "/page?" + newest;
  shown = newest;
}, 3000);
</script></html>
"""


class Server(ThreadingHTTPServer):
    """Serves the page at `http://127.0.0.1:<port>`.

    Args:
        port: 0 for any that is free; `address` tells which.
        newest: the number of the newest release.
        page: makes the page.
    """

    def __init__(self, port: int, newest: Callable[[], int], page: Callable[[], str]) -> None:
        super().__init__((_LOOPBACK, port), _Handler)
        self._newest, self._page = newest, page
        self._made: tuple[int, str] | None = None
        self._making = threading.Lock()

    @property
    def address(self) -> str:
        """Where it is to be looked at."""
        return f"http://{_LOOPBACK}:{self.server_port}"

    def answer(self, path: str) -> tuple[HTTPStatus, str, str]:
        """Status, kind of content and content."""
        try:
            match path.partition("?")[0]:
                case "/":
                    return HTTPStatus.OK, "text/html", _FRAME
                case "/page":
                    return HTTPStatus.OK, "text/html", self._fresh()
                case "/release":
                    return HTTPStatus.OK, "text/plain", str(self._newest())
        except AisleError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, "text/plain", str(error)
        return HTTPStatus.NOT_FOUND, "text/plain", "There is nothing here but the page: /"

    def _fresh(self) -> str:
        with self._making:
            newest = self._newest()
            if self._made is None or self._made[0] != newest:
                self._made = (newest, self._page())
            return self._made[1]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        # A page of somebody else's, whose name leads here, would have another host.
        if self.headers.get("Host", "").partition(":")[0] not in (_LOOPBACK, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        status, kind, content = self.server.answer(self.path)
        data = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name there)
        """Nothing: who looks at the page sees it."""
