"""Cleanse: from delivered text to typed rows, each judged by its source's contract alone.

A row that breaks the contract is set aside whole, with every reason. No other row and no other
table is looked at: else the verdict would depend on the order of arrival (design §3).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import annotated_types as at
import ibis
import ibis.expr.types as ir

from aisle.declare.columns import Bound, Column, Pattern, says, spelled
from aisle.declare.expressions import evaluated
from aisle.declare.source import ABSENT, AS_OF, DELETED, DROP, LINE, SourceSpec
from aisle.stages.functions import cleaned, finite, in_zone, read_boolean, read_date, read_time, spelling
from aisle.stages.time import BEGINNING, LATEST, moment

_WORDS = {"int64": "a whole number", "float64": "a number", "boolean": "true or false", "date": "a date (YYYY-MM-DD)"}
TEXT = "_text"
MALFORMED, REASONS = "_malformed", "_reasons"
REMEMBERED = "_remembered"
"""Of a row whose personal values are erased: the reasons for which it broke the contract as it was, each on a line of its own."""


@dataclass(frozen=True)
class Rule:
    """One way in which a row can break the contract."""

    broken: ir.BooleanValue
    reason: str
    # Whether a row that deletes its key is held to it.
    deletes_too: bool


def judged(raw: ir.Table, source: SourceSpec) -> ir.Table:
    """The rows typed, with `_ok`: whether a row keeps the contract. Columns: silver's, then `_ok`.

    `raw` holds the contract's columns as text (or, of a Parquet drop, as they are typed), `_drop`
    and `_line`; `_as_of` and `_absent` where silver has them; `_remembered` if values of it are erased.
    """
    typed = _typed(raw, source)
    deleted = _deletes(typed, source)
    broken = [rule.broken & ~deleted if not rule.deletes_too else rule.broken for rule in _rules(typed, source)]
    ok = ~functools.reduce(operator.or_, broken)
    # A row that deletes may carry anything but its key, time and operation: what is not typed reads as null.
    return typed.select(*[typed[n] for n in source.said], deleted.name(DELETED), typed[DROP], typed[LINE], ok.name("_ok"))


def present(rows: ir.Table, source: SourceSpec) -> ir.Table:
    """Of judged rows those that break the contract, but whose key and time can be read: key, time and `_drop` (docs/decisions/010)."""
    assert source.changed_at is not None
    at = rows[source.changed_at]
    legible = ~rows["_ok"] & (at >= moment(BEGINNING)) & (at < moment(LATEST))
    for k in source.key:
        legible &= rows[k].notnull()
    return rows.filter(legible).select(*source.key, at, rows[DROP])


def rejected(raw: ir.Table, source: SourceSpec) -> ir.Table:
    """The rows that break the contract: `_drop`, `_line`, `_reasons` (every one) and `_text` (the row as JSON)."""
    typed = _typed(raw, source)
    deleted = _deletes(typed, source)
    reasons = ibis.array(
        [
            ibis.ifelse(rule.broken if rule.deletes_too else rule.broken & ~deleted, rule.reason, ibis.null("string"))
            for rule in _rules(typed, source)
        ]
    ).filter(lambda reason: reason.notnull())
    return typed.select(typed[DROP], typed[LINE], reasons.name(REASONS), typed[TEXT]).filter(lambda t: t[REASONS].length() > 0)


def of_keys(raw: ir.Table, source: SourceSpec, keys: ir.Table, columns: Sequence[str]) -> ir.Table:
    """The rows of `raw` of which one of these columns has a value, and whose key is one of `keys`, which has each key column as text."""
    typed = _typed(raw, source)
    held = functools.reduce(operator.or_, (typed[_given(c)].notnull() for c in columns))
    sought = typed.filter(held).select(DROP, LINE, **{f"_key_{i}": typed[k].cast("string") for i, k in enumerate(source.key)})
    return sought.semi_join(keys, [sought[f"_key_{i}"] == keys[k] for i, k in enumerate(source.key)]).select(DROP, LINE)


def remembered(reasons: Iterable[str]) -> str:
    """Reasons as `_remembered` holds them."""
    return "\n".join(["", *reasons, ""])


def _given(name: str) -> str:
    return f"_given_{name}"


def _typed(raw: ir.Table, source: SourceSpec) -> ir.Table:
    """Each column typed under its name, and as it was given under `_given_<name>`: cleaned text, or its own type."""
    given = raw.select(
        *[(cleaned(raw[c.name]) if raw[c.name].type().is_string() else raw[c.name]).name(_given(c.name)) for c in source.columns],
        *[raw[n] for n in (AS_OF, ABSENT, DROP, LINE, TEXT, REMEMBERED) if n in raw.columns],
    )
    return given.mutate(**{c.name: _value(given[_given(c.name)], c, source) for c in source.columns})


def _value(given: ir.Value, column: Column, source: SourceSpec) -> ir.Value:
    """The value in the column's type; null where it cannot be read."""
    if not given.type().is_string():
        return _from_typed(given, column, source)
    if column.choices:
        word = spelling(given)
        exact = [(given == choice, choice) for choice in column.choices]
        alike = [(word == spelled(choice), choice) for choice in column.choices]
        return ibis.cases(*exact, *alike, else_=ibis.null("string"))
    if column.type == "string":
        return given
    if column.is_time:
        return read_time(given, source.time_zone)
    if column.type == "date":
        return read_date(given)
    if column.type == "boolean":
        return read_boolean(given)
    value = given.try_cast(column.type)
    if column.type == "float64":
        written = given.re_search("^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$")
        return ibis.ifelse(written, finite(value), ibis.null("float64"))
    # The engines read more than plain numbers ("1e3", "12.5" as 13): what does not read back as it
    # was written must be plain digits, or it is refused rather than altered.
    scale = column.digits.scale if column.digits else 0
    plain = (
        "^[+-]?[0-9]+$"
        if column.digits is None
        else f"^[+-]?[0-9]+([.][0-9]{{0,{scale}}}0*)?$|^[+-]?[.][0-9]{{1,{max(scale, 1)}}}0*$"
    )
    return ibis.cases((value.cast("string") == given, value), (given.re_search(plain), value), else_=ibis.null(column.type))


def _from_typed(given: ir.Value, column: Column, source: SourceSpec) -> ir.Value:
    """From a Parquet column's own type: kept where it fits, through its text where it does not."""
    own, wanted = given.type(), ibis.dtype(column.type)
    if column.is_time and own.is_timestamp():
        return given.cast(wanted) if own.timezone else in_zone(given, source.time_zone)
    if own.is_floating() and column.type == "float64":
        return finite(given.cast("float64"))
    if own.is_binary():
        return ibis.null(column.type)
    if own == wanted and not column.choices:
        return given
    if own.is_numeric() and wanted.is_numeric():
        # Kept only where nothing is lost: 12.0 as 12, but not 12.5.
        value = given.try_cast(wanted)
        return ibis.ifelse((value.try_cast(own) == given).fill_null(False), value, ibis.null(column.type))
    return _value(cleaned(given.cast("string")), column, source)


def _deletes(typed: ir.Table, source: SourceSpec) -> ir.BooleanValue:
    if source.deletes is None:
        return ibis.literal(False)
    return evaluated(source.deletes, typed).fill_null(False)


def _operation(source: SourceSpec) -> set[str]:
    """The columns by which `deletes=` tells a deletion."""
    if source.deletes is None:
        return set()
    table = ibis.table(source.schema, name=source.name)
    return {field.name for field in evaluated(source.deletes, table).op().find(ibis.expr.operations.Field)}


def _rules(typed: ir.Table, source: SourceSpec) -> Iterator[Rule]:
    """The rules; of a row whose personal values are erased those on them say what they said before."""
    for column, rule in _rules_by_column(typed, source):
        if column.personal and REMEMBERED in typed.columns:
            told = typed[REMEMBERED]
            broken = ibis.ifelse(told.isnull(), rule.broken, told.contains(remembered([rule.reason])))
            yield replace(rule, broken=broken)
        else:
            yield rule


def _rules_by_column(typed: ir.Table, source: SourceSpec) -> Iterator[tuple[Column, Rule]]:
    always = {*source.key, source.changed_at, source.sequence, *_operation(source)}
    for column in source.columns:
        given, value, deletes_too = typed[_given(column.name)], typed[column.name], column.name in always
        if column.required:
            missing = given.isnull()
            if source.may_be_absent(column.name):
                missing &= ~typed[ABSENT].contains(column.name)
            yield column, Rule(missing, f"{column.name} is missing", deletes_too)
        if column.choices:
            yield (
                column,
                Rule(given.notnull() & value.isnull(), f"{column.name} is none of {', '.join(column.choices)}", deletes_too),
            )
        elif column.type != "string" or not given.type().is_string():
            yield column, Rule(given.notnull() & value.isnull(), f"{column.name} is not {_says_type(column)}", deletes_too)
        for bound in column.bounds:
            yield column, Rule(~_holds(value, bound).fill_null(True), f"{column.name} is not {says(bound)}", deletes_too)
        if column.is_time:
            outside = (value < moment(BEGINNING)) | (value >= moment(LATEST))
            yield column, Rule(outside.fill_null(False), f"{column.name} is before 1900 or after 2199", deletes_too)


def _says_type(column: Column) -> str:
    if column.digits is not None:
        whole = column.digits.precision - column.digits.scale
        return f"a number of at most {whole} digits before the point and {column.digits.scale} after it"
    return "a date and time" if column.is_time else _WORDS.get(column.type, "text")


def _holds(value: ir.Value, bound: Bound) -> ir.BooleanValue:
    match bound:
        case at.Ge(limit):
            return value >= limit
        case at.Gt(limit):
            return value > limit
        case at.Le(limit):
            return value <= limit
        case at.Lt(limit):
            return value < limit
        case at.MultipleOf(step):
            return value % step == 0
        case at.MinLen(length):
            return value.length() >= length
        case at.MaxLen(length):
            return value.length() <= length
        case Pattern(regex, _):
            return value.re_search(f"^(?:{regex})$")
    raise TypeError(bound)
