"""Measuring: what a file's bytes are, each looked at once, while the caller copies the file to bronze.

What is found decides later whether DuckDB may read the file by itself or a careful reader must.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator

import numpy as np

from aisle.engines.delivery import BOM, LONGEST, SEPARATORS, LineEnd, Measured

_SLICE = 256 << 10  # fits the processor's cache, and is shorter than LONGEST
_HEAD = 64 << 10
_QUOTE = ord('"')


def measure(chunks: Iterable[bytes], *, compressed: bool) -> Measured:
    """Measure a file from its bytes as delivered, in one pass and little memory."""
    digest = hashlib.sha256()
    text = _Text()
    size = 0
    gzip = _Gzip() if compressed else None
    magic, tail = b"", b""
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if len(magic) < 4:
            magic = (magic + chunk[:4])[:4]
        tail = (tail + chunk[-4:])[-4:]
        if magic == b"PAR1":
            continue  # not text: NULs and newlines mean nothing in it
        for part in gzip.feed(chunk) if gzip else (chunk,):
            for start in range(0, len(part), _SLICE):
                text.feed(part[start : start + _SLICE])
    if magic == b"PAR1":
        return Measured(digest.hexdigest(), size, blank=False, parquet=tail == b"PAR1" and size >= 12, around_quotes=None)
    return text.measured(digest.hexdigest(), size, compressed, gzip.verdict() if gzip else None)


class _Gzip:
    """A gzip stream, decompressed in bounded pieces, with a verdict at its end (RFC 1952)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)
        self._fed = False
        self._sound = False  # some of it was decompressed
        self._padding = False
        self._broken: str | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._fed = self._fed or bool(data)
        while data and self._broken is None:
            if self._member.eof or self._padding:
                # Tape-era zero padding after the last member is harmless; anything else is not.
                if not data.strip(b"\0"):
                    self._padding = True
                    return
                if self._padding or not data.startswith(b"\x1f"):
                    self._broken = "carries other bytes behind its gzip stream"
                    return
                self._member = zlib.decompressobj(31)
            try:
                part = self._member.decompress(data, _SLICE)
            except zlib.error:
                self._broken = "is damaged inside its gzip stream" if self._sound else "is not gzip, although its name says so"
                return
            self._sound = self._sound or bool(part) or self._member.eof
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if part:
                yield part

    def verdict(self) -> str | None:
        if self._broken is None and self._fed and not self._member.eof:
            return "is cut off: its gzip stream does not end"
        return self._broken


class _Text:
    """Facts about text, gathered slice by slice."""

    def __init__(self) -> None:
        self._size = self._newlines = self._returns = self._pairs = self._closing = self._run = 0
        self._filled, self._binary, self._long = False, False, False
        self._last = self._first = b""
        self._head = bytearray()
        self._scan: _Quotes | None = _Quotes()

    def feed(self, data: bytes) -> None:
        if not self._size:
            # A byte order mark is not to be torn apart.
            self._first += data
            if len(self._first) < len(BOM):
                return
            data, self._first = self._first, b""
        self._look(data)

    def _look(self, data: bytes) -> None:
        if len(self._head) < _HEAD:
            self._begin(data)
        self._size += len(data)
        newlines = data.count(b"\n")
        self._newlines += newlines
        if b"\r" in data:
            self._returns += data.count(b"\r")
            self._pairs += data.count(b"\r\n")
        if self._last == b"\r" and data.startswith(b"\n"):
            self._pairs += 1
        filled = data.rstrip(b" \t\r\n")
        if filled and (filled != BOM or self._size > len(data)):
            self._filled = True
            self._closing = data.count(b"\n", len(filled))
        else:
            self._closing += newlines
        self._binary = self._binary or b"\0" in data
        # A slice is shorter than the limit: only a line that spans slices can be too long.
        if newlines:
            self._long = self._long or self._run + data.index(b"\n") > LONGEST
            self._run = len(data) - data.rindex(b"\n") - 1
        else:
            self._run += len(data)
        self._last = data[-1:]
        if self._scan:
            self._scan.feed(data)

    def _begin(self, data: bytes) -> None:
        begun = self._filled
        self._head += data[: _HEAD - len(self._head)]
        if not begun and self._head.removeprefix(BOM).lstrip().startswith((b"{", b"[")):
            self._scan = None  # JSON: full of quotes that say nothing about a CSV

    def measured(self, digest: str, size: int, compressed: bool, broken: str | None) -> Measured:
        if self._first:
            self._look(self._first)
        line_end: LineEnd = "mixed"
        if not self._returns:
            line_end = "lf"
        elif self._returns == self._pairs == self._newlines:
            line_end = "crlf"
        head, line, lines = _first_record(bytes(self._head).removeprefix(BOM))
        around = self._scan.finish() if self._scan else None
        return Measured(
            digest,
            size,
            compressed,
            broken,
            newlines=self._newlines,
            ends_with_newline=self._last == b"\n",
            closing=self._closing,
            blank=not self._filled,
            binary=self._binary,
            line_end=line_end,
            long_line=self._long or self._run > LONGEST,
            head=head,
            head_line=line,
            head_lines=lines,
            around_quotes=around,
            newline_in_quotes=self._scan is None or self._scan.newline_inside,
            separators=tuple(self._scan.separators) if self._scan else (0,) * len(SEPARATORS),
        )


class _Quotes:
    """What stands around quotes. If quoting is sound, every other quote opens, and the rest close.

    An escaped quote ("") then counts as one that closes and one that opens. The first quote that
    is out of place has another neighbour than delimiter, line end or quote, so it is found even
    though all that follows is read in the wrong parity.
    """

    def __init__(self) -> None:
        self._before = np.zeros(256, dtype=bool)
        self._after = np.zeros(256, dtype=bool)
        self._carry = b"\n"
        self._start = True
        self._open = 0
        self.newline_inside = False
        self.separators = [0] * len(SEPARATORS)

    def feed(self, data: bytes) -> None:
        if self._start:
            self._start, data = False, data.removeprefix(BOM)
        # One byte on either side of a quote is looked at: the last byte waits for the next slice.
        work = self._carry + data
        self._carry = work[-2:]
        counted = work[1:-1]
        if self._open or b'"' in counted:
            self._look(np.frombuffer(work, dtype=np.uint8))
        for n, separator in enumerate(SEPARATORS):
            self.separators[n] += counted.count(separator)

    def _look(self, work: np.ndarray) -> None:
        quotes = work[1:-1] == _QUOTE
        places = np.flatnonzero(quotes) + 1
        self._before[work[places[self._open :: 2] - 1]] = True
        self._after[work[places[1 - self._open :: 2] + 1]] = True
        inside = work[1:-1][(np.cumsum(quotes, dtype=np.uint8) + self._open) & 1 == 1].tobytes()
        self.newline_inside = self.newline_inside or b"\n" in inside
        for n, separator in enumerate(SEPARATORS):
            self.separators[n] -= inside.count(separator)
        self._open = (self._open + len(places)) & 1

    def finish(self) -> tuple[bytes, bytes]:
        self.feed(b"\n")
        self.newline_inside = self.newline_inside or bool(self._open)
        return bytes(np.flatnonzero(self._before).tolist()), bytes(np.flatnonzero(self._after).tolist())


def _first_record(head: bytes) -> tuple[bytes, int, int]:
    """The first record that is not blank, the line where it starts, and the lines it takes."""
    lines = head.split(b"\n")
    start = next((n for n, line in enumerate(lines) if line.strip(b" \t\r")), 0)
    end = start
    while sum(line.count(b'"') for line in lines[start : end + 1]) % 2 and end < min(len(lines), start + 1000):
        end += 1
    if end >= len(lines) or end >= start + 1000:
        end = start  # a quote that is not closed: the line alone
    return b"\n".join(lines[start : end + 1]).removesuffix(b"\r"), start + 1, end - start + 1
