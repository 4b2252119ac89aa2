"""Real servers for the tests, each on a free port of this machine, and stopped when the tests end."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTONLY",
    "AWS_SECRET_ACCESS_KEY": "a/secret+for=tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    # Nothing of the machine's own may be found.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """MiniStack: an S3 server that honours conditional writes, but takes any credentials. Yields its address."""
    port = free_port()
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
        "IOT_MTLS_ENABLED": "0",
        "SERVICES": "s3",
    }
    with _served([sys.executable, "-m", "ministack"], f"http://127.0.0.1:{port}", settings) as address:
        yield address


@contextlib.contextmanager
def strict_s3_server(unchecked: int) -> Iterator[str]:
    """Moto's S3 server, which asks for good credentials from the given number of requests on. Yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    settings = {"INITIAL_NO_AUTH_ACTION_COUNT": str(unchecked)}
    # It counts requests from its first on: to ask whether it is there must not be one.
    with _served(command, f"http://127.0.0.1:{port}", settings, answers=lambda: _listens(port)) as address:
        yield address


@contextlib.contextmanager
def _served(
    command: list[str], address: str, settings: dict[str, str], answers: Callable[[], bool] | None = None
) -> Iterator[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | settings
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if answers() if answers else _answers(address):
                break
            assert process.poll() is None, f"{command} ended at once"
            time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=1).close()
    except urllib.error.HTTPError:  # an answer, too
        return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Asked:
    """A request that passed the proxy: its number from 0, method, path with query, and headers."""

    number: int
    method: str
    path: str
    headers: dict[str, str]

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE")


Verdict = Literal["pass", "slow down", "internal error", "cut"]


class Proxy:
    """Stands before an S3 server and disturbs: refuses as a busy store does, or cuts an answer in its midst.

    Args:
        judge: what becomes of a request; it may change its headers.
    """

    def __init__(self, upstream: str, judge: Callable[[Asked], Verdict]) -> None:
        self.asked: list[Asked] = []
        self.disturbed: list[Asked] = []
        proxy, host = self, upstream.removeprefix("http://")
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    super().handle_one_request()

            def log_message(self, *_: object) -> None:
                pass

            def pass_on(self) -> None:
                with lock:
                    headers = {name.title(): value for name, value in self.headers.items()}
                    asked = Asked(len(proxy.asked), self.command, self.path, headers)
                    proxy.asked.append(asked)
                verdict = judge(asked)
                if asked.headers.get("Expect") == "100-continue":
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if verdict != "pass":
                    proxy.disturbed.append(asked)
                if verdict == "slow down":
                    return self.refuse(503, "SlowDown")
                if verdict == "internal error":
                    return self.refuse(500, "InternalError")
                up = http.client.HTTPConnection(host, timeout=60)
                headers = {k: v for k, v in asked.headers.items() if k not in ("Connection", "Expect")}
                up.request(self.command, self.path, body, headers)
                answer = up.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                # The length of what a HEAD is about is in its answer alone.
                self.send_header(
                    "Content-Length", answer.headers["Content-Length"] if self.command == "HEAD" else str(len(content))
                )
                self.end_headers()
                if verdict == "cut":
                    content = content[: len(content) // 2]
                    self.close_connection = True
                self.wfile.write(content)
                up.close()
                return None

            def refuse(self, status: int, code: str) -> None:
                text = f"<Error><Code>{code}</Code><Message>Please try again.</Message></Error>".encode()
                self.send_response_only(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Content-Type", "application/xml")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on  # noqa: N815  (as http.server names them)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
