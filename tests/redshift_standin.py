"""A stand-in for Redshift: real PostgreSQL and a real S3 server underneath, and in between what Redshift refuses.

What it proves. Each statement that aisle sends is parsed by sqlglot's Redshift dialect, held against the rules below,
and executed: rows arrive, transactions roll back, locks wait, comments and views are there. COPY fetches manifest and
files from S3 by itself, and reads the Parquet files' own schema. The rules are those of the Database Developer Guide, as
far as aisle could break them: names of at most 127 bytes, folded to lower case, quoted ones too; backslashes that escape in
texts; types, lengths and encodings that exist and fit; no ON CONFLICT, index, RETURNING, IS NOT DISTINCT FROM, alias in
DELETE, and other SQL of PostgreSQL alone; CREATE DATABASE outside a transaction; a table that another refers to is not
dropped; COPY with a role, from columns equal in number, place and type, all files there with the lengths that the
manifest says, no text that is too long, no null where there may be none.

What it cannot prove. That Redshift takes these statements: rules here are read, not observed. Speed, encodings,
distribution, sort order, concurrency beyond PostgreSQL's own (Redshift's isolation is serializable or snapshot), limits of
memory, IAM's decisions, the exact words of errors. Names of 64 to 127 bytes, which PostgreSQL would cut, it refuses as its own
limit. For these, run the suite against a workgroup: CONTRIBUTING says how.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import duckdb
import psycopg
import sqlglot
from botocore.exceptions import ClientError
from sqlglot import exp

ROLE = "arn:aws:iam::123456789012:role/copy"

# sqlglot has no syntax tree for these; it passes them through.
_PLAIN_COMMANDS = (
    "GRANT SELECT ON ALL TABLES",
    "GRANT USAGE",
    "ALTER DEFAULT PRIVILEGES",
    "LOCK ",
    "ALTER TABLE",
    "EXPLAIN",
    "SHOW",
)

_TYPES = re.compile(
    r"BIGINT|INT|SMALLINT|BOOLEAN|REAL|DOUBLE( PRECISION)?|DATE|TIMESTAMP|TIMESTAMPTZ|VARCHAR\((\d+)\)|DECIMAL\((\d+), ?(\d+)\)"
)
_NUMBERS_AND_TIMES = ("BIGINT", "INT", "SMALLINT", "DECIMAL", "DATE", "TIMESTAMP")

# A table's type, as PostgreSQL names it, and how a Parquet file must hold it: physical type, and older mark.
_PARQUET = {
    "bigint": ("INT64", None),
    "character varying": ("BYTE_ARRAY", "UTF8"),
    "boolean": ("BOOLEAN", None),
    "double precision": ("DOUBLE", None),
    "date": ("INT32", "DATE"),
    # Not a Timestamp that is not adjusted to UTC: such a one has no older mark, and Spectrum does not read it.
    "timestamp without time zone": ("INT64", "TIMESTAMP_MICROS"),
    "numeric": (None, "DECIMAL"),
}

_SET_UP = """
SET allow_system_table_mods = on;
CREATE FUNCTION pg_catalog.fnv_hash(anyelement) RETURNS bigint IMMUTABLE LANGUAGE sql
    AS $$ SELECT hashtextextended($1::text, 0) $$;
CREATE FUNCTION pg_catalog.fnv_hash(anyelement, bigint) RETURNS bigint IMMUTABLE LANGUAGE sql
    AS $$ SELECT hashtextextended($1::text, $2) $$;
CREATE TABLE pg_catalog.sys_load_error_detail (
    session_id int, start_time timestamp, file_name char(256), line_number bigint, column_name char(127),
    column_type char(10), error_code int, error_message char(512));
CREATE SCHEMA standin;
CREATE TABLE standin.primary_keys (of oid);
CREATE TABLE standin.foreign_keys (child oid, parent oid);
"""


class RefusedError(Exception):
    """What Redshift would say."""


@dataclass(frozen=True)
class Answer:
    columns: tuple[str, ...] = ()
    oids: tuple[int, ...] = ()
    rows: tuple[tuple, ...] = ()
    changed: int = -1


@dataclass
class Workgroup:
    """A workgroup with its databases on a PostgreSQL server.

    `roles` are those that its namespace may assume, `default_role` whether one of them is the default; `sent` is all that was
    asked of it; `before` is called with each statement before it is executed, so that a test can let something happen then.
    """

    server: str
    s3: object = field(default_factory=lambda: boto3.client("s3"))
    name: str = "shop"
    region: str = "us-east-1"
    roles: tuple[str, ...] = (ROLE,)
    default_role: bool = True
    sent: list[str] = field(default_factory=list)
    before: object = staticmethod(lambda sql: None)

    def url(self, database: str) -> str:
        return self.server.replace("/postgres?", f"/{database}?")

    def make(self, database: str) -> None:
        """A database, as it is before aisle comes."""
        with psycopg.connect(self.server, autocommit=True) as con:
            con.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            con.execute(f'CREATE DATABASE "{database}"')
        with psycopg.connect(self.url(database), autocommit=True) as con:
            con.execute(_SET_UP)

    def log(self, database: str, session: int, problem: LoadError) -> None:
        """Into the log of loads, which no rollback empties."""
        with psycopg.connect(self.url(database), autocommit=True) as con:
            con.execute(
                "INSERT INTO pg_catalog.sys_load_error_detail VALUES (%s, now() AT TIME ZONE 'UTC', %s, %s, %s, %s, 1, %s)",
                [session, problem.file[:256], problem.line, problem.column, "", problem.reason],
            )


@dataclass
class LoadError(Exception):
    file: str
    line: int
    column: str
    reason: str


class Session:
    """A session in a database of a workgroup."""

    def __init__(self, workgroup: Workgroup, database: str) -> None:
        self.workgroup, self.database = workgroup, database
        try:
            self.con = psycopg.connect(workgroup.url(database), autocommit=True)
        except psycopg.OperationalError as error:
            raise RefusedError(f'database "{database}" does not exist') from error
        # As Redshift reads texts, and as PostgreSQL would not wait forever in a test.
        self.con.execute("SET standard_conforming_strings = off; SET escape_string_warning = off; SET lock_timeout = '20s'")

    def run(self, sql: str) -> Answer:
        """Run a statement.

        Raises:
            RefusedError: it failed; a transaction that it stood in is spoilt then.
        """
        self.workgroup.sent.append(sql)
        try:
            return self._run(sql)
        except RefusedError:
            if self.con.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
                with contextlib.suppress(psycopg.Error):
                    self.con.execute("SELECT 1/0")
            raise

    def _run(self, sql: str) -> Answer:
        folded = folded_names(sql)
        tree = parsed(folded)
        _check(tree)
        self.workgroup.before(sql)
        try:
            match tree:
                case exp.Copy():
                    return self._copy(folded)
                case exp.Create(kind="DATABASE"):
                    if self.con.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                        raise RefusedError("CREATE DATABASE cannot run inside a transaction block")
                    self.workgroup.make(tree.this.name)
                    return Answer()
                case exp.Create(kind="TABLE"):
                    return self._create_table(tree)
                case exp.Drop(kind="TABLE"):
                    self._assert_not_referenced(tree)
                case exp.Alter() if "ADD FOREIGN KEY" in folded.upper():
                    return self._foreign_key(folded)
                case exp.Delete() if tree.this.args.get("alias"):
                    raise RefusedError(f'syntax error at or near "{tree.this.alias}"')
            return self._execute(re.sub(r"\bTO ROLE\b", "TO", folded))
        except psycopg.Error as error:
            raise RefusedError(str(error).split("\n", maxsplit=1)[0]) from error

    def close(self) -> None:
        self.con.close()

    def _execute(self, sql: str) -> Answer:
        cursor = self.con.execute(sql, prepare=False)
        if cursor.description is None:
            return Answer(changed=cursor.rowcount if re.match(r"\s*(INSERT|DELETE|UPDATE)", sql, re.IGNORECASE) else -1)
        columns, oids = tuple(c.name for c in cursor.description), tuple(c.type_code for c in cursor.description)
        return Answer(columns, oids, tuple(cursor.fetchall()), cursor.rowcount)

    def _create_table(self, tree: exp.Create) -> Answer:
        for column in tree.find_all(exp.ColumnDef):
            _check_column(column)
        keys = list(tree.find_all(exp.PrimaryKey))
        _check_layout(tree)
        # Keys are informational, and where rows lie is nothing to PostgreSQL.
        for node in (*keys, *tree.find_all(exp.EncodeColumnConstraint)):
            (node.parent if isinstance(node.parent, exp.ColumnConstraint) else node).pop()
        for kind in (exp.DistStyleProperty, exp.DistKeyProperty, exp.SortKeyProperty):
            for node in list(tree.find_all(kind)):
                node.pop()
        table = tree.find(exp.Table)
        answer = self._execute(tree.sql(dialect="postgres"))
        if keys:
            self._execute(f"INSERT INTO standin.primary_keys SELECT {_oid(table)}")
        return answer

    def _foreign_key(self, sql: str) -> Answer:
        child, parent = re.fullmatch(r"ALTER TABLE (.+) ADD FOREIGN KEY \(.*\) REFERENCES (.+) \(.*\)", sql, re.DOTALL).groups()
        child, parent = (_oid(sqlglot.to_table(t, dialect="redshift")) for t in (child, parent))
        if not self._execute(f"SELECT 1 FROM standin.primary_keys WHERE of = {parent}").rows:
            raise RefusedError(f"there is no primary key for referenced table {parent}")
        return self._execute(f"INSERT INTO standin.foreign_keys SELECT {child}, {parent}")

    def _assert_not_referenced(self, tree: exp.Drop) -> None:
        if tree.args.get("cascade"):
            return
        table = tree.find(exp.Table)
        oid = f"to_regclass({_text(table)})"
        there = (
            f"SELECT 1 FROM standin.foreign_keys JOIN pg_class ON child = pg_class.oid WHERE parent = {oid} AND child <> parent"
        )
        if self._execute(there).rows:
            raise RefusedError(f"cannot drop table {table.name} because other objects depend on it")

    # COPY

    def _copy(self, sql: str) -> Answer:
        form = re.fullmatch(
            r"""COPY\s+(?P<table>(?:"(?:[^"]|"")+"\.?){1,2})\s+FROM\s+'(?P<manifest>s3://(?:[^']|'')+)'"""
            r"""(?:\s+IAM_ROLE\s+(?P<role>default|'(?:[^']|'')+'))?\s*(?P<options>.*)""",
            sql.strip(),
            re.IGNORECASE | re.DOTALL,
        )
        if form is None:
            raise RefusedError("syntax error in COPY")
        if form["role"] is None:
            raise RefusedError("COPY needs credentials: specify IAM_ROLE")
        self._assume(form["role"].strip("'"))
        options = form["options"].upper().split()
        if sorted(o for o in options if o not in ("AS", "STATUPDATE", "ON", "OFF", "FILLRECORD")) != [
            "FORMAT",
            "MANIFEST",
            "PARQUET",
        ]:
            raise RefusedError(f"COPY from columnar formats does not support: {form['options']}")
        try:
            with tempfile.TemporaryDirectory() as folder:
                files = list(self._fetched(_unescaped(form["manifest"]), Path(folder)))
                return Answer(changed=sum(self._load(form["table"], url, file) for url, file in files))
        except LoadError as problem:
            self.workgroup.log(self.database, self.con.info.backend_pid, problem)
            raise RefusedError("Load into table failed. Check 'sys_load_error_detail' system table for details.") from problem

    def _assume(self, role: str) -> None:
        if role.lower() == "default":
            if not self.workgroup.default_role:
                raise RefusedError("There is no default IAM role associated with the namespace")
        elif role not in self.workgroup.roles:
            raise RefusedError(f"User arn:aws:redshift:us-east-1:123456789012:dbuser is not authorized to assume IAM Role {role}")

    def _fetched(self, manifest: str, folder: Path) -> Iterator[tuple[str, Path]]:
        """The files that a manifest names, fetched."""
        entries = json.loads(self._object(manifest))["entries"]
        for number, entry in enumerate(entries):
            url, length = entry["url"], entry.get("meta", {}).get("content_length")
            if length is None:
                raise RefusedError(f"Manifest entry of {url} lacks meta.content_length, which columnar formats need")
            try:
                data = self._object(url)
            except RefusedError:
                if not entry.get("mandatory"):
                    continue
                raise
            if len(data) != length:
                raise RefusedError(f"{url} has {len(data)} bytes, but content_length in the manifest is {length}")
            file = folder / f"{number}.parquet"
            file.write_bytes(data)
            yield url, file

    def _object(self, url: str) -> bytes:
        place = urlsplit(url, allow_fragments=False)
        try:
            return self.workgroup.s3.get_object(Bucket=place.netloc, Key=url.removeprefix(f"s3://{place.netloc}/"))["Body"].read()
        except ClientError as error:
            raise RefusedError(f"The specified S3 path {url} doesn't exist") from error

    def _load(self, table: str, url: str, file: Path) -> int:
        wanted = self._execute(
            "SELECT attname, format_type(atttypid, NULL), format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
            f"WHERE attrelid = {_oid(sqlglot.to_table(table, dialect='redshift'))} AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ).rows
        with duckdb.connect() as reader:
            reader.execute("SET TimeZone = 'UTC'")
            try:
                held = reader.execute(
                    "SELECT name, type, converted_type, scale, precision FROM parquet_schema(?) WHERE coalesce(num_children, 0) = 0",
                    [str(file)],
                ).fetchall()
                rows = reader.execute("SELECT * FROM read_parquet(?, hive_partitioning = false)", [str(file)]).fetchall()
            except duckdb.Error as error:
                raise LoadError(url, 0, "", f"is not a Parquet file: {error}"[:500]) from error
        if len(held) != len(wanted):
            raise LoadError(
                url,
                0,
                "",
                f"Unmatched number of columns between table and file. Table columns: {len(wanted)}, Data columns: {len(held)}",
            )
        for (name, kind, whole, _), (_, type_, mark, scale, precision) in zip(wanted, held, strict=True):
            _assert_fits(url, name, kind, whole, type_, mark, precision, scale)
        limits = [int(m[1]) if (m := re.search(r"varying\((\d+)\)", whole)) else None for _, _, whole, _ in wanted]
        with self.con.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for line, row in enumerate(rows, 1):
                for value, limit, (name, *_, not_null) in zip(row, limits, wanted, strict=True):
                    if value is None and not_null:
                        raise LoadError(url, line, name, "Missing data for not-null field")
                    if limit is not None and value is not None and len(value.encode()) > limit:
                        raise LoadError(
                            url,
                            line,
                            name,
                            f"The length of the data column {name} is longer than the length defined in the table. Table: {limit}, Data: {len(value.encode())}",
                        )
                copy.write_row([v.replace(tzinfo=None) if getattr(v, "tzinfo", None) else v for v in row])
        return len(rows)


def _assert_fits(url: str, name: str, kind: str, whole: str, type_: str, mark: str | None, precision: int, scale: int) -> None:
    physical, logical = _PARQUET[kind]
    fits = (physical in (None, type_)) and mark in ((None, "INT_64") if logical is None else (logical,))
    if kind == "numeric" and fits:
        fits = whole == f"numeric({precision},{scale})"
    if not fits:
        raise LoadError(
            url,
            0,
            name,
            f"File has an incompatible Parquet schema for column '{name}'. Column type: {whole}, Parquet schema: {type_} [{mark}]",
        )


# What Redshift refuses


def folded_names(sql: str) -> str:
    """ASCII letters of quoted names in lower case, but for names of roles, which keep theirs."""
    pieces = re.split(r"""('(?:[^'\\]|\\.|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/)""", sql, flags=re.DOTALL)
    lower = {n: n + 32 for n in range(65, 91)}
    kept = [before.endswith("ROLE ") for before in ("", *pieces)]
    return "".join(p.translate(lower) if p.startswith('"') and not k else p for p, k in zip(pieces, kept, strict=False))


def parsed(sql: str) -> exp.Expression:
    """The one statement that it is."""
    if sql == "BEGIN READ ONLY":  # "BEGIN", of which sqlglot knows no modes
        sql = "BEGIN"
    try:
        statements = [s for s in sqlglot.parse(sql, dialect="redshift") if s is not None]
    except sqlglot.errors.SqlglotError as error:
        raise RefusedError(f"syntax error: {error}".split("\n", maxsplit=1)[0]) from error
    if len(statements) != 1:
        raise RefusedError("cannot insert multiple commands into a prepared statement")
    (tree,) = statements
    if isinstance(tree, exp.Command) and not sql.lstrip().upper().startswith(_PLAIN_COMMANDS):
        raise RefusedError(f"syntax error at or near {sql.split(maxsplit=1)[0]!r}")
    return tree


def _check(tree: exp.Expression) -> None:
    for kind in (exp.OnConflict, exp.Returning, exp.Index, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Lateral, exp.Array, exp.Filter):
        if (found := tree.find(kind)) is not None:
            raise RefusedError(f"syntax error: {found.sql(dialect='postgres')} is not supported")
    if isinstance(tree, exp.Create) and tree.kind not in ("SCHEMA", "TABLE", "VIEW", "DATABASE"):
        raise RefusedError(f"CREATE {tree.kind} is not supported")
    for name in tree.find_all(exp.Identifier):
        size = len(name.name.encode())
        if size > 127:
            raise RefusedError(f'identifier "{name.name}" exceeds the maximum length of 127 bytes')
        if size > 63:
            raise RefusedError(f'the stand-in cannot hold names longer than 63 bytes, as "{name.name}"')


def _check_column(column: exp.ColumnDef) -> None:
    kind = column.kind.sql(dialect="redshift")
    fits = _TYPES.fullmatch(kind)
    if fits is None or (fits[2] and not 1 <= int(fits[2]) <= 65535) or (fits[3] and not 1 <= int(fits[3]) <= 38):
        raise RefusedError(f'Column "{column.name}" has unsupported type "{kind}"')
    if column.name in ("oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"):
        raise RefusedError(f'column name "{column.name}" conflicts with a system column name')
    for constraint in column.find_all(exp.EncodeColumnConstraint):
        encoding = constraint.this.name.lower()
        if encoding == "az64" and not kind.startswith(_NUMBERS_AND_TIMES):
            raise RefusedError(f'invalid encoding type "az64" specified for column "{column.name}"')
        if encoding not in ("az64", "raw", "zstd", "lzo", "bytedict", "runlength"):
            raise RefusedError(f'invalid encoding type "{encoding}" specified for column "{column.name}"')


def _check_layout(tree: exp.Create) -> None:
    columns = {c.name for c in tree.find_all(exp.ColumnDef)}
    style = tree.find(exp.DistStyleProperty)
    key = tree.find(exp.DistKeyProperty)
    if style is not None and (style.this.name.upper() == "KEY") != (key is not None):
        raise RefusedError("DISTKEY goes with DISTSTYLE KEY")
    named = {
        i.name
        for kind in (exp.DistKeyProperty, exp.SortKeyProperty)
        for p in tree.find_all(kind)
        for i in p.find_all(exp.Identifier)
    }
    if missing := named - columns:
        raise RefusedError(f'column "{min(missing)}" named in key does not exist')


def _text(table: exp.Table) -> str:
    return "'" + table.sql(dialect="postgres").replace("\\", "\\\\").replace("'", "''") + "'"


def _oid(table: exp.Table) -> str:
    return f"{_text(table)}::regclass::oid"


def _unescaped(literal: str) -> str:
    return re.sub(r"\\(.)|''", lambda m: m[1] or "'", literal)
