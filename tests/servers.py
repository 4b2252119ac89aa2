"""Real servers for the tests, each on a free port of this machine, and stopped when the tests end."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

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
    with _served(command, f"http://127.0.0.1:{port}", {"INITIAL_NO_AUTH_ACTION_COUNT": str(unchecked)}) as address:
        yield address


@contextlib.contextmanager
def _served(command: list[str], address: str, settings: dict[str, str]) -> Iterator[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | settings
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                with contextlib.suppress(urllib.error.HTTPError):  # an answer, too
                    urllib.request.urlopen(address, timeout=1).close()
                break
            assert process.poll() is None, f"{command} ended at once"
            time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
