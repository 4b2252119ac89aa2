"""A prefix of an S3 bucket, or of a store that speaks S3, as a storage (docs/decisions/016).

Credentials, region and endpoint come from the usual AWS chain, as boto3 finds them: environment, profile, role. They
are handed on to DuckDB and deltalake, which find fewer of them by themselves, and are in no file, message or repr.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from aisle.errors import ConfigError, StorageError
from aisle.lake.storage import Entry, plain, writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

try:
    import boto3
    from boto3.exceptions import Boto3Error
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
    from urllib3.exceptions import HTTPError
except ImportError:
    raise ConfigError("An address s3://… needs more than the plain installation. Run: pip install 'aisle[s3]'") from None

T = TypeVar("T")

_TRIES = 8
_PART = 8 << 20  # what is larger goes in parts, some at a time
_SAFE = re.compile(r"[\w!\-.'()=/@,+]*", re.ASCII)
_HINTS = {
    "NoSuchBucket": "There is no such bucket.",
    "InvalidAccessKeyId": "The access key is not known there. Look at AWS_PROFILE, or AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key.",
    "ExpiredToken": "The credentials have expired. Log in again, such as by `aws sso login`.",
    "InvalidToken": "The session token is not valid. Log in again.",
    "AuthorizationHeaderMalformed": "The bucket is in another region than the one that is set: set AWS_REGION to it.",
}
_NOT_FOUND = ("404", "NoSuchKey", "NotFound")


class S3:
    """A prefix of a bucket.

    Args:
        address: `s3://bucket/prefix`.

    Raises:
        ConfigError: the address is not of this form, or its prefix has letters that not every reader of it takes.
    """

    transfers = 16
    tries = _TRIES

    def __init__(self, address: str) -> None:
        self.bucket, _, prefix = address.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        if not self.bucket or not _SAFE.fullmatch(self.bucket + self._prefix):
            raise ConfigError(
                f"{address} is no s3://bucket/prefix, or has letters other than A-Z a-z 0-9 ! - . ' ( ) = / @ , + _: "
                "what reads and writes it would not agree on what they mean."
            )
        self._asked: Counter[str] = Counter()
        self._counting = threading.Lock()

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self._prefix}".rstrip("/")

    @property
    def requests(self) -> Mapping[str, int]:
        return dict(self._asked)

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    @cached_property
    def _session(self) -> Any:
        # AWS_REGION is what AWS sets in its containers and functions, and its command line reads; boto3 does not.
        return boto3.Session(region_name=os.environ.get("AWS_REGION"))

    @cached_property
    def _client(self) -> Any:
        """The client, in the bucket's own region."""
        with self._saying("reached"):
            client = self._connected(self._session.region_name)
            try:
                answer = client.head_bucket(Bucket=self.bucket)["ResponseMetadata"]
            except ClientError as error:
                answer = error.response["ResponseMetadata"]
                if answer["HTTPStatusCode"] == 404:
                    raise ConfigError(f"{self} cannot be reached: {_HINTS['NoSuchBucket']}") from None
                # 403: it may be that only the bucket may not be looked at, but what lies in it.
            region = answer["HTTPHeaders"].get("x-amz-bucket-region")
            return self._connected(region) if region and region != client.meta.region_name else client

    def _connected(self, region: str | None) -> Any:
        config = Config(
            retries={"mode": "standard", "max_attempts": _TRIES},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=2 * self.transfers,
            # Not every store that speaks S3 knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client = self._session.client("s3", region_name=region or "us-east-1", config=config)
        client.meta.events.register("before-send.s3", self._count)
        return client

    def _count(self, event_name: str, **_: Any) -> None:
        with self._counting:
            self._asked[event_name.rpartition(".")[2]] += 1

    @property
    def _endpoint(self) -> str | None:
        """The address of the server, if it is not AWS's own."""
        url = str(self._client.meta.endpoint_url)
        return None if re.search(r"\.amazonaws\.com(\.cn)?$", url) else url

    @property
    def _keys(self) -> tuple[str, str, str | None]:
        """Access key, secret key and session token as they are now; boto3 renews them in time."""
        with self._saying("reached"):
            found = self._session.get_credentials()
            if found is None:
                raise NoCredentialsError
            frozen = found.get_frozen_credentials()
        return frozen.access_key, frozen.secret_key, frozen.token

    @property
    def delta_options(self) -> dict[str, str]:
        key, secret, token = self._keys
        options = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_REGION": self._client.meta.region_name,
            "AWS_CONDITIONAL_PUT": "etag",
        }
        if self._endpoint:
            options |= {
                "AWS_ENDPOINT_URL": self._endpoint,
                "AWS_ALLOW_HTTP": str(self._endpoint.startswith("http:")).lower(),
                "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            }
        return {name: value for name, value in options.items() if value is not None}

    @property
    def spark_options(self) -> dict[str, str]:
        options = {
            "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            # Hadoop's own keys, if it has some, else AWS's whole chain, which Hadoop would take in parts only.
            "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider,"
            "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider,"
            "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
            "fs.s3a.endpoint.region": self._client.meta.region_name,
        }
        if self._endpoint:
            options |= {"fs.s3a.endpoint": self._endpoint, "fs.s3a.path.style.access": "true"}
        return options

    def admit(self, connection: DuckDBPyConnection) -> None:
        key, secret, token = self._keys
        said = {"KEY_ID": key, "SECRET": secret, "SESSION_TOKEN": token, "REGION": self._client.meta.region_name}
        if self._endpoint:
            scheme, _, host = self._endpoint.partition("://")
            said |= {"ENDPOINT": host, "USE_SSL": str(scheme == "https").lower(), "URL_STYLE": "path"}
        said["SCOPE"] = f"s3://{self.bucket}/{self._prefix}"
        listed = ", ".join(f"{name} {_literal(value)}" for name, value in said.items() if value is not None)
        connection.execute(f"LOAD {_literal(_httpfs())}")
        connection.execute("CALL enable_logging('HTTP')")  # in memory, so that requests can be counted
        connection.execute(f"SET http_retries = {_TRIES}; SET enable_http_metadata_cache = true")
        # By name, that a renewed one replaces the former; one that is stored nowhere.
        name = f'"aisle {self.bucket}/{self._prefix}"'
        connection.execute(f"CREATE OR REPLACE TEMPORARY SECRET {name} (TYPE s3, {listed})")

    def assert_exclusive(self) -> None:
        if self._endpoint is None:
            return  # AWS does
        probe = f"_probe.{uuid.uuid4().hex}"
        try:
            alone = self.put_if_absent(probe, b"1") and not self.put_if_absent(probe, b"2") and not self.swap(probe, b"0", b"2")
            alone = alone and self._put(probe, b"3", IfMatch='"0"') is None
        except StorageError as error:
            if "NotImplemented" not in str(error):
                raise
            alone = False
        finally:
            self.delete(probe)
        if not alone:
            raise ConfigError(
                f"{self._endpoint} overwrites a file although it was asked to write only where none is (If-None-Match, If-Match), "
                f"so two runs could destroy each other's work in {self}.\n  Use a store that has conditional writes: AWS S3 does."
            )

    @contextlib.contextmanager
    def _saying(self, done: str, path: str = "") -> Iterator[None]:
        """Say in one sentence what the store refused. What the libraries say is shown, but never what they were given."""
        place = f"{self}/{path}" if path else str(self)
        try:
            yield
        except NoCredentialsError:
            raise ConfigError(
                f"{place} cannot be {done}: there are no AWS credentials.\n"
                "  Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them."
            ) from None
        except ClientError as error:
            code = error.response["Error"].get("Code", "")
            if hint := _HINTS.get(code):
                raise ConfigError(f"{place} cannot be {done}: {hint}") from None
            if code in ("AccessDenied", "403", "Forbidden"):
                raise StorageError(
                    f"{place} cannot be {done}: these credentials may not do {error.operation_name} there.\n"
                    "  Give them the right to, or use others (docs/aws.md lists what is needed)."
                ) from None
            raise StorageError(f"{place} cannot be {done}: {code} ({error.operation_name}).\n  Run again later.") from None
        except (BotoCoreError, Boto3Error, HTTPError) as error:
            raise StorageError(f"{place} cannot be {done}: {plain(str(error))}") from None

    # ── the port ────────────────────────────────────────────────────────────────────────────────

    def url(self, path: str = "") -> str:
        return f"s3://{self.bucket}/{self._prefix}{path}".rstrip("/")

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        for page in self._pages(f"{prefix}/" if prefix else ""):
            for found in page.get("Contents", ()):
                if not found["Key"].endswith("/"):  # what consoles make for a folder
                    stamp = f"{found['Size']}-{found['ETag'].strip(chr(34))}"
                    yield Entry(found["Key"].removeprefix(self._prefix), found["Size"], stamp)

    def names(self, prefix: str) -> list[str]:
        inside = f"{prefix}/" if prefix else ""
        return sorted(self._below(inside, "CommonPrefixes", "Contents"))

    def folders(self) -> list[str]:
        return self._below("", "CommonPrefixes")

    def files(self) -> list[str]:
        return self._below("", "Contents")

    def _below(self, inside: str, *kinds: str) -> list[str]:
        """The names of folders ("CommonPrefixes") or files ("Contents"), or both, by one listing."""
        name = {"CommonPrefixes": "Prefix", "Contents": "Key"}
        pages = self._pages(inside, Delimiter="/")
        keys = [found[name[kind]] for page in pages for kind in kinds for found in page.get(kind, ())]
        return [found for key in keys if (found := key.removeprefix(self._prefix + inside).rstrip("/"))]

    def _pages(self, inside: str, **how: str) -> Iterator[dict[str, Any]]:
        with self._saying("listed", inside):
            pages = self._client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket, Prefix=self._prefix + inside, **how)

    def there(self) -> bool:
        return bool(self._client)

    def exists(self, path: str) -> bool:
        with self._saying("read", path):
            return self._found(lambda: self._client.head_object(**self._at(path))) is not None

    def open(self, path: str) -> BinaryIO:
        with self._saying("read", path):
            answer = self._client.get_object(**self._at(path))
            if answer["ContentLength"] <= _PART:
                return io.BytesIO(self._body(path, answer))
            answer["Body"].close()
            spooled: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  (the caller closes it, and so it is gone)
            self._client.download_fileobj(self.bucket, self._prefix + path, spooled, Config=_transfer())
            spooled.seek(0)
            return spooled

    def local(self, path: str) -> str:
        spooled = self._spool / path
        if not spooled.exists():
            spooled.parent.mkdir(parents=True, exist_ok=True)
            with self._saying("read", path):
                fresh = spooled.with_name(f".{uuid.uuid4().hex}")
                with writing(str(spooled)):
                    self._client.download_file(self.bucket, self._prefix + path, str(fresh), Config=_transfer())
                os.replace(fresh, spooled)
        return str(spooled)

    @cached_property
    def _spool(self) -> Path:
        """A folder of this machine, for what can be read only there; it goes when the storage does."""
        folder = tempfile.mkdtemp(prefix="aisle-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def get(self, path: str) -> bytes | None:
        found = self._read(path)
        return None if found is None else found[0]

    def _read(self, path: str) -> tuple[bytes, str] | None:
        """A small file's bytes and its tag, which changes when they do."""
        with self._saying("read", path):
            answer = self._found(lambda: self._client.get_object(**self._at(path)))
            return None if answer is None else (self._body(path, answer), answer["ETag"])

    def _body(self, path: str, answer: dict[str, Any]) -> bytes:
        """The bytes of an answer. A connection that breaks in their midst is what boto3 does not try again by itself."""
        for attempt in range(_TRIES):
            try:
                return bytes(answer["Body"].read())
            except (BotoCoreError, HTTPClientError, HTTPError):
                if attempt == _TRIES - 1:
                    raise
                time.sleep(0.1 * 2**attempt)
                answer = self._client.get_object(**self._at(path), IfMatch=answer["ETag"])
        raise AssertionError

    def put(self, path: str, data: bytes) -> None:
        self._put(path, data)

    def put_if_absent(self, path: str, data: bytes) -> bool:
        return self._put(path, data, IfNoneMatch="*") is not None

    def swap(self, path: str, former: bytes, data: bytes) -> bool:
        # Emptied, not deleted: conditional deletes are not had everywhere.
        found = self._read(path)
        return found is not None and found[0] == former and self._put(path, data, IfMatch=found[1]) is not None

    def _put(self, path: str, data: bytes, **condition: str) -> dict[str, Any] | None:
        """Put a file under a condition; None if it does not hold."""
        with self._saying("written", path):
            for attempt in range(_TRIES):
                try:
                    return dict(self._client.put_object(**self._at(path), Body=data, **condition))
                except ClientError as error:
                    code, how = error.response["Error"].get("Code"), error.response["ResponseMetadata"]
                    if code in ("ConditionalRequestConflict", "409") and attempt < _TRIES - 1:
                        time.sleep(0.05 * 2**attempt)  # two at once, and none has won yet
                    elif code in ("PreconditionFailed", "412", *_NOT_FOUND):
                        # Tried again, it may have been written by the first try, whose answer was lost.
                        ours = how.get("RetryAttempts", 0) > 0 and self.get(path) == data
                        return {} if ours else None
                    else:
                        raise
        raise AssertionError

    @contextlib.contextmanager
    def receive(self) -> Iterator[_Arriving]:
        arriving = _Arriving(self, self._spool / f".{uuid.uuid4().hex}")
        try:
            yield arriving
        finally:
            arriving.discard()

    def sweep(self) -> None:
        pass  # what is received lies on this machine; parts of uploads that never ended are for the bucket's lifecycle

    def upload(self, file: Path, path: str) -> None:
        with self._saying("written", path):
            if file.stat().st_size > _PART:
                self._client.upload_file(str(file), self.bucket, self._prefix + path, Config=_transfer())
            else:  # without the threads of a transfer: a third less work
                with file.open("rb") as data:
                    self._client.put_object(**self._at(path), Body=data)

    def clear(self, path: str) -> None:
        for entry in list(self.entries(path)):
            self.delete(entry.path)

    def delete(self, path: str) -> None:
        with self._saying("written", path):
            self._client.delete_object(**self._at(path))

    def prune(self, path: str) -> None:
        pass

    def make_folder(self, path: str) -> None:
        pass

    def spooled(self, path: str) -> Path:
        return self._spool / path

    def _at(self, path: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._prefix + path}

    @staticmethod
    def _found(ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except ClientError as error:
            if error.response["Error"].get("Code") in _NOT_FOUND:
                return None
            raise


class _Arriving:
    """A file in the making, on this machine: to keep it is to upload it. Here it stays, to be read."""

    def __init__(self, storage: S3, path: Path) -> None:
        self._storage, self._path = storage, path
        with writing(str(path)):
            self._out = path.open("wb")

    def write(self, data: bytes) -> None:
        with writing(str(self._path)):
            self._out.write(data)

    def keep(self, path: str) -> None:
        with writing(str(self._path)):
            self._out.close()
        self._storage.upload(self._path, path)
        kept = self._storage.spooled(path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._path, kept)

    def discard(self) -> None:
        with contextlib.suppress(OSError):
            self._out.close()
        self._path.unlink(missing_ok=True)


def _transfer() -> TransferConfig:
    return TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, max_concurrency=4)


def _httpfs() -> str:
    """DuckDB's extension for S3: the file that a package brings for just this version, or the name by which DuckDB finds it."""
    import duckdb

    package = importlib.util.find_spec("duckdb_extension_httpfs")
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
        if file.is_file():
            return str(file)
    return "httpfs"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
