"""Records: the careful reader's splitting of CSV text, line by line, losing none (RFC 4180).

A record is one physical line, or more if a quoted field holds newlines. Where lines do not make
a record, the first of them alone is malformed and reading resumes at the next one: a quote that
was never closed costs one line, not the rest of the file.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedIOBase
from pathlib import Path

from aisle.engines.delivery import LONGEST, Delivery

_BLOCK = 1 << 20
_SHOWN = 64 << 10

TOO_LONG = f"is longer than {LONGEST >> 20} MiB"
BROKEN_TEXT = "is not valid UTF-8"
NOT_CLOSED = "has a quote that is not closed"
STRAY = "has a quote in the wrong place"


def opened(delivery: Delivery) -> BufferedIOBase:
    """The decompressed content of a drop."""
    return gzip.open(delivery.path, "rb") if delivery.compressed else Path(delivery.path).open("rb")


def shown(record: bytes) -> str:
    """A record as text for a person: broken bytes as U+FFFD, no more than 64 KiB."""
    text = record[:_SHOWN].decode(errors="replace")
    return text if len(record) <= _SHOWN else f"{text} … (cut: only the first 64 KiB are kept)"


@dataclass(frozen=True)
class Malformed:
    """A record that is set aside."""

    line: int
    reason: str
    text: str


@dataclass
class Batch:
    """Some records of a drop, in order: those that are well formed, with their lines, and the others."""

    lines: list[int] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)


@dataclass(frozen=True)
class Dialect:
    """How a drop's records are written: the delimiter, and how many fields its header has."""

    delimiter: bytes
    width: int

    @cached_property
    def _record(self) -> re.Pattern[bytes]:
        bare = rb'[^"\n' + re.escape(self.delimiter) + rb"]*+"
        one = rb'(?:"(?:[^"]++|"")*+"|' + bare + rb")"
        return re.compile(one + rb"(?:" + re.escape(self.delimiter) + one + rb")*+")

    def is_record(self, text: bytes) -> bool:
        return self._record.fullmatch(text) is not None

    def fields(self, record: bytes) -> list[bytes]:
        """The fields of a sound record, as written."""
        if b'"' not in record:
            return record.split(self.delimiter)
        out, start = [], 0
        inside = False
        # Pieces between delimiters belong together while a quote is open.
        pieces = record.split(self.delimiter)
        for n, piece in enumerate(pieces):
            inside ^= piece.count(b'"') % 2 == 1
            if not inside:
                out.append(self.delimiter.join(pieces[start : n + 1]))
                start = n + 1
        return out

    def count(self, record: bytes) -> int:
        """How many fields a sound record has."""
        return (_QUOTED.sub(b"", record) if b'"' in record else record).count(self.delimiter) + 1

    def guarded(self, record: bytes) -> bytes:
        """The same record, with quotes around each field that holds a CR."""
        return self.delimiter.join(b'"%b"' % f if b"\r" in f and not f.startswith(b'"') else f for f in self.fields(record))

    def is_blank(self, line: bytes) -> bool:
        return not line.strip(b" \r" if self.delimiter == b"\t" else b" \t\r") and self.delimiter not in line

    def fault(self, line: bytes) -> str | None:
        """Why a line is no record, or None."""
        if len(line) > LONGEST:
            return TOO_LONG
        try:
            line.decode()
        except UnicodeDecodeError:
            return BROKEN_TEXT
        if b'"' in line and not self.is_record(line):
            sound = self._record.match(line)
            end = sound.end() if sound else 0
            begins_a_field = end == 0 or line.endswith(self.delimiter, 0, end)
            return NOT_CLOSED if begins_a_field and _OPEN.fullmatch(line, end) else STRAY
        count = self.count(line)
        return None if count == self.width else f"has {count} {'field' if count == 1 else 'fields'}, the header {self.width}"


_QUOTED = re.compile(rb'"[^"]*+"')
_OPEN = re.compile(rb'"(?:[^"]++|"")*+')


def lines_of(stream: BufferedIOBase) -> Iterator[list[bytes]]:
    r"""All lines, in batches, without their `\n`. A line over the limit comes cut, but is still over it."""
    carry, skipping = b"", False
    while block := stream.read(_BLOCK):
        if skipping:
            cut = block.find(b"\n")
            if cut < 0:
                continue
            block, skipping = carry + block[cut:], False
        else:
            block = carry + block
        cut = block.rfind(b"\n")
        if cut >= 0:
            yield block[:cut].split(b"\n")
            carry = block[cut + 1 :]
        else:
            carry = block
        if len(carry) > LONGEST:
            carry, skipping = carry[: LONGEST + 1], True
    if carry:
        yield [carry]


def records_of(delivery: Delivery, dialect: Dialect) -> Iterator[Batch]:
    """All records of a CSV drop behind its header."""
    skip = delivery.content.head_line + delivery.content.head_lines - 1
    with opened(delivery) as stream:
        lines: list[bytes] = []
        number = 1  # of the first of `lines`
        for more in lines_of(stream):
            dropped = min(skip, len(more))
            skip, number = skip - dropped, number + dropped
            lines += more[dropped:]
            batch, used = _batch(lines, number, dialect, last=False)
            yield batch
            lines, number = lines[used:], number + used
        batch, _ = _batch(lines, number, dialect, last=True)
        yield batch


def _batch(lines: list[bytes], number: int, dialect: Dialect, *, last: bool) -> tuple[Batch, int]:
    """The records of these lines, and how many lines they used: the rest needs the lines that follow."""
    batch = Batch()
    if _are_plain(lines, dialect):
        batch.lines, batch.records = list(range(number, number + len(lines))), lines
        return batch, len(lines)
    delimiter, wanted = dialect.delimiter, dialect.width - 1
    all_text = _is_text(b"\n".join(lines))
    at = 0
    while at < len(lines):
        line = lines[at]
        quotes = line.count(b'"')
        bare = line.removesuffix(b"\r")
        if not quotes and wanted and bare.count(delimiter) == wanted and (all_text or bare.isascii()) and len(line) <= LONGEST:
            batch.lines.append(number + at)
            batch.records.append(bare)
            at += 1
            continue
        if quotes % 2:
            taken = _span(lines, at)
            if taken == 0 and not last:
                break
            record = b"\n".join(lines[at : at + taken]).removesuffix(b"\r")
            if taken > 1 and dialect.is_record(record) and dialect.count(record) == dialect.width:
                _sort(batch, number + at, record, None if _is_text(record) else BROKEN_TEXT)
                at += taken
                continue
        if len(line) > LONGEST or not dialect.is_blank(bare):
            _sort(batch, number + at, bare, TOO_LONG if len(line) > LONGEST else dialect.fault(bare))
        at += 1
    return batch, at


def _are_plain(lines: list[bytes], dialect: Dialect) -> bool:
    """Whether each line is a record without quotes: told for all of them at once, as most files are like that."""
    if dialect.width == 1 or not lines:
        return False
    whole = b"\n".join(lines)
    if b'"' in whole or b"\r" in whole or not _is_text(whole):
        return False
    delimiter, wanted = dialect.delimiter, dialect.width - 1
    return [line.count(delimiter) for line in lines].count(wanted) == len(lines) and max(map(len, lines)) <= LONGEST


def _span(lines: list[bytes], at: int) -> int:
    """How many lines from here on hold an even number of quotes; 1 if too much to be a record; 0 if unknown."""
    size = len(lines[at])
    for n in range(at + 1, len(lines)):
        size += len(lines[n]) + 1
        if size > LONGEST:
            return 1
        if lines[n].count(b'"') % 2:
            return n - at + 1
    return 0


def _sort(batch: Batch, line: int, record: bytes, fault: str | None) -> None:
    if fault is None:
        batch.lines.append(line)
        batch.records.append(record)
    else:
        batch.malformed.append(Malformed(line, fault, shown(record)))


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
