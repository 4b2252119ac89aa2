"""The page, served: to this machine alone, and made anew when there is a new release."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator

import pytest

from aisle.errors import NothingDelivered
from aisle.report.serving import Server


class Lake:
    """What the server asks: the number of the newest release, and the page; it counts how often that was made."""

    def __init__(self) -> None:
        self.newest, self.made = 1, 0

    def release(self) -> int:
        if not self.newest:
            raise NothingDelivered("The lake has no release yet.")
        return self.newest

    def page(self) -> str:
        self.made += 1
        return f"<p>release {self.newest} - ü</p>"


@pytest.fixture
def lake() -> Lake:
    return Lake()


@pytest.fixture
def server(lake: Lake) -> Iterator[Server]:
    with Server(0, lake.release, lake.page) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def got(server: Server, path: str, host: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_page_follows_the_releases(server: Server, lake: Lake) -> None:
    assert server.address == f"http://127.0.0.1:{server.server_port}"
    assert '<iframe src="/page"' in got(server, "/")[1]
    assert [got(server, "/page") for _ in range(2)] == [(200, "<p>release 1 - ü</p>")] * 2
    assert (got(server, "/release"), lake.made) == ((200, "1"), 1)
    lake.newest = 2
    assert got(server, "/release") == (200, "2")
    assert got(server, "/page?2") == (200, "<p>release 2 - ü</p>")
    assert lake.made == 2


def test_it_is_for_this_machine_alone(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert got(server, "/page", host="elsewhere.example")[0] == 403
    assert got(server, "/page", host=f"localhost:{server.server_port}")[0] == 200
    assert got(server, "/etc/passwd")[0] == 404


def test_what_cannot_be_shown_is_said(server: Server, lake: Lake) -> None:
    lake.newest = 0
    assert got(server, "/page") == (503, "The lake has no release yet.")
