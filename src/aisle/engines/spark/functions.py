"""The named functions of `stages.functions` in Spark's SQL, as temporary functions of a session whose time zone is UTC.

They are inlined where they are called, so that no row leaves the JVM.
"""

# Java's `$` also matches before a line's end at the end of the text; `\z` is the end itself.
# Of a local time that a clock shows twice, `convert_timezone` takes the first; `in_zone` takes the second, as DuckDB does:
# it asks whether the offset of a day later gives the same clock. 24:00 is the end of a day, which Spark's casts do not know.
# In `hash63`, base -10 is the signed number of the same 64 bits.
# Spark's own `round` of a float rounds what is written of it, DuckDB's what it is (`nearest`); from 2 to the 52nd on that is whole.
_DEFINED = r"""
cleaned(t STRING) RETURNS STRING RETURN nullif(trim(BOTH ' \t\r\n\u00A0' FROM t), '');
spelling(t STRING) RETURNS STRING RETURN lower(trim(regexp_replace(t, '[ _-]+', ' ')));
clock(t TIMESTAMP, zone STRING) RETURNS TIMESTAMP_NTZ RETURN
    convert_timezone('UTC', zone, CAST(t AS TIMESTAMP_NTZ));
first_instant(t TIMESTAMP_NTZ, zone STRING) RETURNS TIMESTAMP RETURN
    CAST(convert_timezone(zone, 'UTC', t) AS TIMESTAMP);
by_offset_at(t TIMESTAMP_NTZ, at TIMESTAMP, zone STRING) RETURNS TIMESTAMP RETURN
    timestamp_micros(unix_micros(CAST(t AS TIMESTAMP)) + unix_micros(at) - unix_micros(CAST(clock(at, zone) AS TIMESTAMP)));
second_instant(t TIMESTAMP_NTZ, zone STRING) RETURNS TIMESTAMP RETURN
    by_offset_at(t, first_instant(t, zone) + INTERVAL 24 HOURS, zone);
in_zone(t TIMESTAMP_NTZ, zone STRING) RETURNS TIMESTAMP RETURN CASE
    WHEN zone = 'UTC' THEN CAST(t AS TIMESTAMP)
    WHEN clock(second_instant(t, zone), zone) = t THEN second_instant(t, zone)
    ELSE first_instant(t, zone) END;
ends_day(t STRING) RETURNS BOOLEAN RETURN t RLIKE '^.{11}24:00(:00([.]0+)?)?( ?(Z|[+-].*))?\\z';
begins_day(t STRING) RETURNS STRING RETURN CASE WHEN ends_day(t) THEN overlay(t PLACING '00' FROM 12) ELSE t END;
day_over(t STRING) RETURNS INTERVAL DAY RETURN CASE WHEN ends_day(t) THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END;
read_time(t STRING, zone STRING) RETURNS TIMESTAMP RETURN CASE
    WHEN t RLIKE '^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)?\\z'
        THEN in_zone(try_cast(begins_day(t) AS TIMESTAMP_NTZ) + day_over(t), zone)
    WHEN t RLIKE '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)? ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)\\z'
        THEN try_cast(concat(left(begins_day(t), 16), CASE WHEN substr(t, 17, 1) = ':' THEN '' ELSE ':00' END,
                             replace(substr(t, 17), ' ', '')) AS TIMESTAMP) + day_over(t)
    END;
read_date(t STRING) RETURNS DATE RETURN CASE
    WHEN t RLIKE '^[0-9]{4}-[0-9]{2}-[0-9]{2}\\z' THEN try_cast(t AS DATE) END;
read_boolean(t STRING) RETURNS BOOLEAN RETURN CASE
    WHEN lower(t) IN ('true', 't', 'yes', 'y', '1') THEN true
    WHEN lower(t) IN ('false', 'f', 'no', 'n', '0') THEN false END;
local_date(t TIMESTAMP, zone STRING) RETURNS DATE RETURN CAST(clock(t, zone) AS DATE);
finite(number DOUBLE) RETURNS DOUBLE RETURN CASE
    WHEN number = 0 THEN 0.0D
    WHEN abs(number) < DOUBLE('Infinity') THEN number END;
whole(number DOUBLE) RETURNS DOUBLE RETURN CASE
    WHEN number >= 4503599627370496 THEN number
    WHEN number - floor(number) < 0.5D THEN floor(number)
    ELSE floor(number) + 1 END;
nearest(number DOUBLE, scale INT) RETURNS DOUBLE RETURN CASE
    WHEN finite(number * pow(10, scale)) IS NULL THEN number
    ELSE sign(number) * whole(abs(number) * pow(10, scale)) / pow(10, scale) END;
about_power(size DOUBLE) RETURNS INT RETURN CAST(floor(log2(size)) AS INT);
power_of(size DOUBLE) RETURNS INT RETURN about_power(size)
    + CASE WHEN size >= pow(2, about_power(size) + 1) THEN 1 WHEN size < pow(2, about_power(size)) THEN -1 ELSE 0 END;
exactly(number DOUBLE) RETURNS STRING RETURN CASE
    WHEN isnan(number) THEN 'nan'
    WHEN abs(number) = DOUBLE('Infinity') THEN CASE WHEN number > 0 THEN 'inf' ELSE '-inf' END
    WHEN number = 0 THEN '0'
    ELSE CAST(number / pow(2, power_of(abs(number))) * 4503599627370496 AS BIGINT) || 'p' || power_of(abs(number)) END;
shown_time(t TIMESTAMP) RETURNS STRING RETURN concat(CAST(t AS STRING), '+00');
day_number(d DATE) RETURNS BIGINT RETURN CAST(year(d) AS BIGINT) * 10000 + month(d) * 100 + day(d);
micros_of(t TIMESTAMP) RETURNS BIGINT RETURN unix_micros(t);
instant(micros BIGINT) RETURNS TIMESTAMP RETURN timestamp_micros(micros);
hash63(t STRING) RETURNS BIGINT RETURN
    shiftrightunsigned(CAST(conv(substr(md5(encode(t, 'UTF-8')), 1, 16), 16, -10) AS BIGINT), 1);
month_of(t TIMESTAMP) RETURNS STRING RETURN date_format(t, 'yyyy-MM');
"""

FUNCTIONS = [f"CREATE OR REPLACE TEMPORARY FUNCTION {function.strip()}" for function in _DEFINED.split(";\n") if function.strip()]
"""The statements that define them, each after those that it calls."""
