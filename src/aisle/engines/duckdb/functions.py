"""The named functions of `stages.functions` in DuckDB's SQL."""

# `cleaned` asks first whether there is anything to clean: trimming by a set of characters costs ten times as much.
# `exactly` needs the power of two below a number, which a logarithm may miss by one.
# Every time is computed in UTC: the connection's time zone is set to it. A cast between TIMESTAMP and TIMESTAMPTZ asks the calendar
# of that zone about each value, which takes twenty times as long as to take its microseconds for what they are.
MACROS = r"""
CREATE OR REPLACE TEMP MACRO trimmed(t) AS nullif(trim(t, e' \t\r\n' || chr(160)), '');
CREATE OR REPLACE TEMP MACRO cleaned(t) AS CASE
    WHEN t >= '!' AND NOT (suffix(t, ' ') OR suffix(t, e'\t') OR suffix(t, e'\r') OR suffix(t, e'\n')
                           OR suffix(t, chr(160)) OR prefix(t, chr(160))) THEN t
    ELSE trimmed(t) END;
CREATE OR REPLACE TEMP MACRO spelling(t) AS lower(trim(regexp_replace(t, '[ _-]+', ' ', 'g'), ' '));
CREATE OR REPLACE TEMP MACRO instant(micros) AS make_timestamptz(CAST(micros AS BIGINT));
CREATE OR REPLACE TEMP MACRO in_utc(t) AS make_timestamp(epoch_us(t));
CREATE OR REPLACE TEMP MACRO in_zone(t, zone) AS
    CASE WHEN zone <> 'UTC' THEN timezone(zone, t) WHEN isfinite(t) THEN instant(epoch_us(t)) ELSE CAST(t AS TIMESTAMPTZ) END;
CREATE OR REPLACE TEMP MACRO read_time(t, zone) AS CASE
    WHEN regexp_full_match(t, '[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)?')
        THEN in_zone(TRY_CAST(t AS TIMESTAMP), zone)
    WHEN regexp_full_match(t, '[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)? ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)')
        THEN TRY_CAST(concat(left(t, 16), CASE WHEN substr(t, 17, 1) = ':' THEN '' ELSE ':00' END,
                             replace(substr(t, 17), ' ', '')) AS TIMESTAMPTZ)
    END;
CREATE OR REPLACE TEMP MACRO read_date(t) AS CASE
    WHEN length(t) = 10 AND regexp_full_match(t, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN TRY_CAST(t AS DATE) END;
CREATE OR REPLACE TEMP MACRO read_boolean(t) AS CASE
    WHEN lower(t) IN ('true', 't', 'yes', 'y', '1') THEN true
    WHEN lower(t) IN ('false', 'f', 'no', 'n', '0') THEN false END;
CREATE OR REPLACE TEMP MACRO local_date(t, zone) AS
    CAST(CASE WHEN zone = 'UTC' THEN in_utc(t) ELSE timezone(zone, t) END AS DATE);
CREATE OR REPLACE TEMP MACRO written(number) AS number;
CREATE OR REPLACE TEMP MACRO rounded(number, scale) AS round(number, scale);
CREATE OR REPLACE TEMP MACRO finite(number) AS CASE WHEN number = 0 THEN 0.0::DOUBLE WHEN isfinite(number) THEN number END;
CREATE OR REPLACE TEMP MACRO nearest(number, scale) AS round(number, scale);
CREATE OR REPLACE TEMP MACRO about_power(size) AS CAST(floor(log2(size)) AS INTEGER);
CREATE OR REPLACE TEMP MACRO power_of(size) AS about_power(size)
    + CASE WHEN size >= pow(2, about_power(size) + 1) THEN 1 WHEN size < pow(2, about_power(size)) THEN -1 ELSE 0 END;
CREATE OR REPLACE TEMP MACRO exactly(number) AS CASE
    WHEN NOT isfinite(number) THEN CAST(number AS VARCHAR)
    WHEN number = 0 THEN '0'
    ELSE CAST(number / pow(2, power_of(abs(number))) * 4503599627370496 AS BIGINT) || 'p' || power_of(abs(number)) END;
CREATE OR REPLACE TEMP MACRO shown_time(t) AS CAST(t AS VARCHAR);
CREATE OR REPLACE TEMP MACRO day_number(d) AS year(d) * 10000 + month(d) * 100 + day(d);
CREATE OR REPLACE TEMP MACRO micros_of(t) AS epoch_us(t);
CREATE OR REPLACE TEMP MACRO hash63(t) AS
    CAST(CAST('0x' || substr(md5(t), 1, 16) AS UBIGINT) >> 1 AS BIGINT);
CREATE OR REPLACE TEMP MACRO month_of(t) AS strftime(in_utc(t), '%Y-%m');
"""
