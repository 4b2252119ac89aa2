-- When it was sold: one row for each day.

CREATE TABLE "shop"."dim_date" (
    "date_key" BIGINT ENCODE raw NOT NULL,
    "date" DATE ENCODE az64,
    "year" BIGINT ENCODE az64,
    "quarter" BIGINT ENCODE az64,
    "month" BIGINT ENCODE az64,
    "month_name" VARCHAR(9) ENCODE zstd,
    "day" BIGINT ENCODE az64,
    "day_of_year" BIGINT ENCODE az64,
    "day_of_week" BIGINT ENCODE az64,
    "day_name" VARCHAR(9) ENCODE zstd,
    "is_weekend" BOOLEAN ENCODE zstd,
    "iso_year" BIGINT ENCODE az64,
    "iso_week" BIGINT ENCODE az64,
    "fiscal_year" BIGINT ENCODE az64,
    "fiscal_quarter" BIGINT ENCODE az64,
    "fiscal_month" BIGINT ENCODE az64,
    "retail_year" BIGINT ENCODE az64,
    "retail_quarter" BIGINT ENCODE az64,
    "retail_period" BIGINT ENCODE az64,
    "retail_week" BIGINT ENCODE az64,
    "is_holiday" BOOLEAN ENCODE zstd,
    "holiday_name" VARCHAR(1024) ENCODE zstd,
    PRIMARY KEY ("date_key")
)
DISTSTYLE ALL
COMPOUND SORTKEY ("date_key");

COMMENT ON TABLE "shop"."dim_date" IS 'When it was sold: one row for each day.
Primary key: date_key.';

COMMENT ON COLUMN "shop"."dim_date"."date_key" IS 'Key of the day as the number YYYYMMDD; -1 is the unknown day.';

COMMENT ON COLUMN "shop"."dim_date"."date" IS 'The day.';

COMMENT ON COLUMN "shop"."dim_date"."year" IS 'Calendar year.';

COMMENT ON COLUMN "shop"."dim_date"."quarter" IS 'Calendar quarter, 1 to 4.';

COMMENT ON COLUMN "shop"."dim_date"."month" IS 'Calendar month, 1 to 12.';

COMMENT ON COLUMN "shop"."dim_date"."month_name" IS 'Name of the month in English.';

COMMENT ON COLUMN "shop"."dim_date"."day" IS 'Day of the month.';

COMMENT ON COLUMN "shop"."dim_date"."day_of_year" IS 'Day of the year, from 1.';

COMMENT ON COLUMN "shop"."dim_date"."day_of_week" IS 'ISO weekday: 1 is Monday, 7 is Sunday.';

COMMENT ON COLUMN "shop"."dim_date"."day_name" IS 'Name of the weekday in English.';

COMMENT ON COLUMN "shop"."dim_date"."is_weekend" IS 'Saturday or Sunday.';

COMMENT ON COLUMN "shop"."dim_date"."iso_year" IS 'Year of the ISO 8601 week.';

COMMENT ON COLUMN "shop"."dim_date"."iso_week" IS 'ISO 8601 week, 1 to 53.';

COMMENT ON COLUMN "shop"."dim_date"."fiscal_year" IS 'Fiscal year, named after the calendar year in which it ends.';

COMMENT ON COLUMN "shop"."dim_date"."fiscal_quarter" IS 'Quarter of the fiscal year, 1 to 4.';

COMMENT ON COLUMN "shop"."dim_date"."fiscal_month" IS 'Month of the fiscal year, 1 to 12.';

COMMENT ON COLUMN "shop"."dim_date"."retail_year" IS 'Year of the 4-4-5 calendar, named after the calendar year in which it starts.';

COMMENT ON COLUMN "shop"."dim_date"."retail_quarter" IS 'Quarter of the 4-4-5 calendar, 1 to 4.';

COMMENT ON COLUMN "shop"."dim_date"."retail_period" IS 'Period of the 4-4-5 calendar, 1 to 12: of 4, 4 and 5 weeks.';

COMMENT ON COLUMN "shop"."dim_date"."retail_week" IS 'Week of the 4-4-5 calendar, 1 to 53.';

COMMENT ON COLUMN "shop"."dim_date"."is_holiday" IS 'A public holiday of the calendar''s country.';

COMMENT ON COLUMN "shop"."dim_date"."holiday_name" IS 'Name of the holiday, if it is one.';
