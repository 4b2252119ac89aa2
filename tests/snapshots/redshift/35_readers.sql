-- What readers see: the tables and views of the star under their names, without its personal columns.

CREATE SCHEMA IF NOT EXISTS "shop_reader";

CREATE OR REPLACE VIEW "shop_reader"."dim_customer" AS
SELECT "customer_key", "customer_id", "company", "segment", "current_segment", "city", "region", "postal_code", "country", "registered_at", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"
FROM "shop"."dim_customer";

COMMENT ON VIEW "shop_reader"."dim_customer" IS 'Who bought: one row for each version of a customer.
Primary key: customer_key. Natural key: customer_id.
Without its personal data: name, email, phone, street.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."customer_key" IS 'Surrogate key of the customer''s version; -1 is the unknown customer.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."customer_id" IS 'Natural key of the customer.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."company" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."segment" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."current_segment" IS 'The newest segment.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."city" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."region" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."postal_code" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."country" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."registered_at" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop_reader"."dim_customer"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop_reader"."dim_customer"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop_reader"."dim_customer"."version" IS 'The version''s number within its member, from 1.';

CREATE OR REPLACE VIEW "shop_reader"."dim_product" AS
SELECT "product_key", "product_id", "name", "brand", "category", "subcategory", "list_price", "unit_cost", "launched_on", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"
FROM "shop"."dim_product";

COMMENT ON VIEW "shop_reader"."dim_product" IS 'What was sold: one row for each version of a product.
Primary key: product_key. Natural key: product_id.';

COMMENT ON COLUMN "shop_reader"."dim_product"."product_key" IS 'Surrogate key of the product''s version; -1 is the unknown product.';

COMMENT ON COLUMN "shop_reader"."dim_product"."product_id" IS 'Natural key of the product.';

COMMENT ON COLUMN "shop_reader"."dim_product"."name" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_product"."brand" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_product"."category" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product"."subcategory" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product"."list_price" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product"."unit_cost" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product"."launched_on" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_product"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop_reader"."dim_product"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop_reader"."dim_product"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop_reader"."dim_product"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop_reader"."dim_product"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop_reader"."dim_product"."version" IS 'The version''s number within its member, from 1.';

CREATE OR REPLACE VIEW "shop_reader"."dim_date" AS
SELECT "date_key", "date", "year", "quarter", "month", "month_name", "day", "day_of_year", "day_of_week", "day_name", "is_weekend", "iso_year", "iso_week", "fiscal_year", "fiscal_quarter", "fiscal_month", "retail_year", "retail_quarter", "retail_period", "retail_week", "is_holiday", "holiday_name"
FROM "shop"."dim_date";

COMMENT ON VIEW "shop_reader"."dim_date" IS 'When it was sold: one row for each day.
Primary key: date_key.';

COMMENT ON COLUMN "shop_reader"."dim_date"."date_key" IS 'Key of the day as the number YYYYMMDD; -1 is the unknown day.';

COMMENT ON COLUMN "shop_reader"."dim_date"."date" IS 'The day.';

COMMENT ON COLUMN "shop_reader"."dim_date"."year" IS 'Calendar year.';

COMMENT ON COLUMN "shop_reader"."dim_date"."quarter" IS 'Calendar quarter, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."dim_date"."month" IS 'Calendar month, 1 to 12.';

COMMENT ON COLUMN "shop_reader"."dim_date"."month_name" IS 'Name of the month in English.';

COMMENT ON COLUMN "shop_reader"."dim_date"."day" IS 'Day of the month.';

COMMENT ON COLUMN "shop_reader"."dim_date"."day_of_year" IS 'Day of the year, from 1.';

COMMENT ON COLUMN "shop_reader"."dim_date"."day_of_week" IS 'ISO weekday: 1 is Monday, 7 is Sunday.';

COMMENT ON COLUMN "shop_reader"."dim_date"."day_name" IS 'Name of the weekday in English.';

COMMENT ON COLUMN "shop_reader"."dim_date"."is_weekend" IS 'Saturday or Sunday.';

COMMENT ON COLUMN "shop_reader"."dim_date"."iso_year" IS 'Year of the ISO 8601 week.';

COMMENT ON COLUMN "shop_reader"."dim_date"."iso_week" IS 'ISO 8601 week, 1 to 53.';

COMMENT ON COLUMN "shop_reader"."dim_date"."fiscal_year" IS 'Fiscal year, named after the calendar year in which it ends.';

COMMENT ON COLUMN "shop_reader"."dim_date"."fiscal_quarter" IS 'Quarter of the fiscal year, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."dim_date"."fiscal_month" IS 'Month of the fiscal year, 1 to 12.';

COMMENT ON COLUMN "shop_reader"."dim_date"."retail_year" IS 'Year of the 4-4-5 calendar, named after the calendar year in which it starts.';

COMMENT ON COLUMN "shop_reader"."dim_date"."retail_quarter" IS 'Quarter of the 4-4-5 calendar, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."dim_date"."retail_period" IS 'Period of the 4-4-5 calendar, 1 to 12: of 4, 4 and 5 weeks.';

COMMENT ON COLUMN "shop_reader"."dim_date"."retail_week" IS 'Week of the 4-4-5 calendar, 1 to 53.';

COMMENT ON COLUMN "shop_reader"."dim_date"."is_holiday" IS 'A public holiday of the calendar''s country.';

COMMENT ON COLUMN "shop_reader"."dim_date"."holiday_name" IS 'Name of the holiday, if it is one.';

CREATE OR REPLACE VIEW "shop_reader"."fact_sales" AS
SELECT "order_id", "line_number", "customer_key", "product_key", "order_date_key", "channel", "status", "ordered_at", "quantity", "unit_price", "discount", "gross_amount", "net_amount", "cost_amount", "margin_amount"
FROM "shop"."fact_sales";

COMMENT ON VIEW "shop_reader"."fact_sales" IS 'One row for each line of an order.
Grain: order_id, line_number.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."order_id" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."line_number" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."customer_key" IS 'The customer, as of ordered_at; -1 if the line names none. References dim_customer.customer_key.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."product_key" IS 'The product, as of ordered_at; -1 if the line names none. References dim_product.product_key.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."order_date_key" IS 'The date, the day of ordered_at, in the business''s time zone; -1 if the line names none. References dim_date.date_key.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."channel" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."status" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."ordered_at" IS 'When it happened (UTC).';

COMMENT ON COLUMN "shop_reader"."fact_sales"."quantity" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."unit_price" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."discount" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."gross_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."net_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."cost_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales"."margin_amount" IS 'Measure, additive.';

CREATE OR REPLACE VIEW "shop_reader"."dim_customer_current" AS
SELECT "customer_key", "customer_id", "company", "segment", "current_segment", "city", "region", "postal_code", "country", "registered_at", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"
FROM "shop"."dim_customer"
WHERE "is_current";

COMMENT ON VIEW "shop_reader"."dim_customer_current" IS 'The current version of each customer, deleted ones and the unknown one included.
Without its personal data: name, email, phone, street.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."customer_key" IS 'Surrogate key of the customer''s version; -1 is the unknown customer.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."customer_id" IS 'Natural key of the customer.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."company" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."segment" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."current_segment" IS 'The newest segment.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."city" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."region" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."postal_code" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."country" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."registered_at" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop_reader"."dim_customer_current"."version" IS 'The version''s number within its member, from 1.';

CREATE OR REPLACE VIEW "shop_reader"."dim_product_current" AS
SELECT "product_key", "product_id", "name", "brand", "category", "subcategory", "list_price", "unit_cost", "launched_on", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"
FROM "shop"."dim_product"
WHERE "is_current";

COMMENT ON VIEW "shop_reader"."dim_product_current" IS 'The current version of each product, deleted ones and the unknown one included.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."product_key" IS 'Surrogate key of the product''s version; -1 is the unknown product.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."product_id" IS 'Natural key of the product.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."name" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."brand" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."category" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."subcategory" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."list_price" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."unit_cost" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."launched_on" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop_reader"."dim_product_current"."version" IS 'The version''s number within its member, from 1.';

CREATE OR REPLACE VIEW "shop_reader"."fact_sales_as_was" AS
SELECT
    "_fact"."order_id" AS "order_id",
    "_fact"."line_number" AS "line_number",
    "customer"."customer_id" AS "customer_id",
    "customer"."company" AS "customer_company",
    "customer"."segment" AS "customer_segment",
    "customer"."current_segment" AS "customer_current_segment",
    "customer"."city" AS "customer_city",
    "customer"."region" AS "customer_region",
    "customer"."postal_code" AS "customer_postal_code",
    "customer"."country" AS "customer_country",
    "customer"."registered_at" AS "customer_registered_at",
    "product"."product_id" AS "product_id",
    "product"."name" AS "product_name",
    "product"."brand" AS "product_brand",
    "product"."category" AS "product_category",
    "product"."subcategory" AS "product_subcategory",
    "product"."list_price" AS "product_list_price",
    "product"."unit_cost" AS "product_unit_cost",
    "product"."launched_on" AS "product_launched_on",
    "order_date"."date" AS "order_date",
    "order_date"."year" AS "order_date_year",
    "order_date"."quarter" AS "order_date_quarter",
    "order_date"."month" AS "order_date_month",
    "order_date"."month_name" AS "order_date_month_name",
    "order_date"."day" AS "order_date_day",
    "order_date"."day_of_year" AS "order_date_day_of_year",
    "order_date"."day_of_week" AS "order_date_day_of_week",
    "order_date"."day_name" AS "order_date_day_name",
    "order_date"."is_weekend" AS "order_date_is_weekend",
    "order_date"."iso_year" AS "order_date_iso_year",
    "order_date"."iso_week" AS "order_date_iso_week",
    "order_date"."fiscal_year" AS "order_date_fiscal_year",
    "order_date"."fiscal_quarter" AS "order_date_fiscal_quarter",
    "order_date"."fiscal_month" AS "order_date_fiscal_month",
    "order_date"."retail_year" AS "order_date_retail_year",
    "order_date"."retail_quarter" AS "order_date_retail_quarter",
    "order_date"."retail_period" AS "order_date_retail_period",
    "order_date"."retail_week" AS "order_date_retail_week",
    "order_date"."is_holiday" AS "order_date_is_holiday",
    "order_date"."holiday_name" AS "order_date_holiday_name",
    "_fact"."channel" AS "channel",
    "_fact"."status" AS "status",
    "_fact"."ordered_at" AS "ordered_at",
    "_fact"."quantity" AS "quantity",
    "_fact"."unit_price" AS "unit_price",
    "_fact"."discount" AS "discount",
    "_fact"."gross_amount" AS "gross_amount",
    "_fact"."net_amount" AS "net_amount",
    "_fact"."cost_amount" AS "cost_amount",
    "_fact"."margin_amount" AS "margin_amount"
FROM "shop"."fact_sales" AS "_fact"
LEFT JOIN "shop"."dim_customer" AS "customer" ON "_fact"."customer_key" = "customer"."customer_key"
LEFT JOIN "shop"."dim_product" AS "product" ON "_fact"."product_key" = "product"."product_key"
LEFT JOIN "shop"."dim_date" AS "order_date" ON "_fact"."order_date_key" = "order_date"."date_key";

COMMENT ON VIEW "shop_reader"."fact_sales_as_was" IS 'One row for each line of an order.
fact_sales beside its dimensions as they were at the time of each lookup.
Without its personal data: customer_name, customer_email, customer_phone, customer_street.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_id" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."line_number" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_id" IS 'dim_customer.customer_id: Natural key of the customer.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_company" IS 'dim_customer.company: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_segment" IS 'dim_customer.segment: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_current_segment" IS 'dim_customer.current_segment: The newest segment.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_city" IS 'dim_customer.city: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_region" IS 'dim_customer.region: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_postal_code" IS 'dim_customer.postal_code: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_country" IS 'dim_customer.country: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."customer_registered_at" IS 'dim_customer.registered_at: The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_id" IS 'dim_product.product_id: Natural key of the product.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_name" IS 'dim_product.name: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_brand" IS 'dim_product.brand: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_category" IS 'dim_product.category: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_subcategory" IS 'dim_product.subcategory: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_list_price" IS 'dim_product.list_price: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_unit_cost" IS 'dim_product.unit_cost: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."product_launched_on" IS 'dim_product.launched_on: The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date" IS 'dim_date.date: The day.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_year" IS 'dim_date.year: Calendar year.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_quarter" IS 'dim_date.quarter: Calendar quarter, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_month" IS 'dim_date.month: Calendar month, 1 to 12.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_month_name" IS 'dim_date.month_name: Name of the month in English.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_day" IS 'dim_date.day: Day of the month.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_day_of_year" IS 'dim_date.day_of_year: Day of the year, from 1.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_day_of_week" IS 'dim_date.day_of_week: ISO weekday: 1 is Monday, 7 is Sunday.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_day_name" IS 'dim_date.day_name: Name of the weekday in English.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_is_weekend" IS 'dim_date.is_weekend: Saturday or Sunday.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_iso_year" IS 'dim_date.iso_year: Year of the ISO 8601 week.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_iso_week" IS 'dim_date.iso_week: ISO 8601 week, 1 to 53.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_fiscal_year" IS 'dim_date.fiscal_year: Fiscal year, named after the calendar year in which it ends.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_fiscal_quarter" IS 'dim_date.fiscal_quarter: Quarter of the fiscal year, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_fiscal_month" IS 'dim_date.fiscal_month: Month of the fiscal year, 1 to 12.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_retail_year" IS 'dim_date.retail_year: Year of the 4-4-5 calendar, named after the calendar year in which it starts.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_retail_quarter" IS 'dim_date.retail_quarter: Quarter of the 4-4-5 calendar, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_retail_period" IS 'dim_date.retail_period: Period of the 4-4-5 calendar, 1 to 12: of 4, 4 and 5 weeks.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_retail_week" IS 'dim_date.retail_week: Week of the 4-4-5 calendar, 1 to 53.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_is_holiday" IS 'dim_date.is_holiday: A public holiday of the calendar''s country.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."order_date_holiday_name" IS 'dim_date.holiday_name: Name of the holiday, if it is one.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."channel" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."status" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."ordered_at" IS 'When it happened (UTC).';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."quantity" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."unit_price" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."discount" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."gross_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."net_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."cost_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_was"."margin_amount" IS 'Measure, additive.';

CREATE OR REPLACE VIEW "shop_reader"."fact_sales_as_is" AS
SELECT
    "_fact"."order_id" AS "order_id",
    "_fact"."line_number" AS "line_number",
    "customer"."customer_id" AS "customer_id",
    "customer"."company" AS "customer_company",
    "customer"."segment" AS "customer_segment",
    "customer"."current_segment" AS "customer_current_segment",
    "customer"."city" AS "customer_city",
    "customer"."region" AS "customer_region",
    "customer"."postal_code" AS "customer_postal_code",
    "customer"."country" AS "customer_country",
    "customer"."registered_at" AS "customer_registered_at",
    "product"."product_id" AS "product_id",
    "product"."name" AS "product_name",
    "product"."brand" AS "product_brand",
    "product"."category" AS "product_category",
    "product"."subcategory" AS "product_subcategory",
    "product"."list_price" AS "product_list_price",
    "product"."unit_cost" AS "product_unit_cost",
    "product"."launched_on" AS "product_launched_on",
    "order_date"."date" AS "order_date",
    "order_date"."year" AS "order_date_year",
    "order_date"."quarter" AS "order_date_quarter",
    "order_date"."month" AS "order_date_month",
    "order_date"."month_name" AS "order_date_month_name",
    "order_date"."day" AS "order_date_day",
    "order_date"."day_of_year" AS "order_date_day_of_year",
    "order_date"."day_of_week" AS "order_date_day_of_week",
    "order_date"."day_name" AS "order_date_day_name",
    "order_date"."is_weekend" AS "order_date_is_weekend",
    "order_date"."iso_year" AS "order_date_iso_year",
    "order_date"."iso_week" AS "order_date_iso_week",
    "order_date"."fiscal_year" AS "order_date_fiscal_year",
    "order_date"."fiscal_quarter" AS "order_date_fiscal_quarter",
    "order_date"."fiscal_month" AS "order_date_fiscal_month",
    "order_date"."retail_year" AS "order_date_retail_year",
    "order_date"."retail_quarter" AS "order_date_retail_quarter",
    "order_date"."retail_period" AS "order_date_retail_period",
    "order_date"."retail_week" AS "order_date_retail_week",
    "order_date"."is_holiday" AS "order_date_is_holiday",
    "order_date"."holiday_name" AS "order_date_holiday_name",
    "_fact"."channel" AS "channel",
    "_fact"."status" AS "status",
    "_fact"."ordered_at" AS "ordered_at",
    "_fact"."quantity" AS "quantity",
    "_fact"."unit_price" AS "unit_price",
    "_fact"."discount" AS "discount",
    "_fact"."gross_amount" AS "gross_amount",
    "_fact"."net_amount" AS "net_amount",
    "_fact"."cost_amount" AS "cost_amount",
    "_fact"."margin_amount" AS "margin_amount"
FROM "shop"."fact_sales" AS "_fact"
LEFT JOIN "shop"."dim_customer" AS "_was_customer" ON "_fact"."customer_key" = "_was_customer"."customer_key"
LEFT JOIN "shop"."dim_customer" AS "customer" ON "customer"."is_current" AND ("customer"."customer_id" = "_was_customer"."customer_id" OR ("customer"."customer_id" IS NULL AND "_was_customer"."customer_id" IS NULL))
LEFT JOIN "shop"."dim_product" AS "_was_product" ON "_fact"."product_key" = "_was_product"."product_key"
LEFT JOIN "shop"."dim_product" AS "product" ON "product"."is_current" AND ("product"."product_id" = "_was_product"."product_id" OR ("product"."product_id" IS NULL AND "_was_product"."product_id" IS NULL))
LEFT JOIN "shop"."dim_date" AS "order_date" ON "_fact"."order_date_key" = "order_date"."date_key";

COMMENT ON VIEW "shop_reader"."fact_sales_as_is" IS 'One row for each line of an order.
fact_sales beside its dimensions as they are now: the current version of each natural key.
Without its personal data: customer_name, customer_email, customer_phone, customer_street.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_id" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."line_number" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_id" IS 'dim_customer.customer_id: Natural key of the customer.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_company" IS 'dim_customer.company: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_segment" IS 'dim_customer.segment: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_current_segment" IS 'dim_customer.current_segment: The newest segment.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_city" IS 'dim_customer.city: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_region" IS 'dim_customer.region: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_postal_code" IS 'dim_customer.postal_code: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_country" IS 'dim_customer.country: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."customer_registered_at" IS 'dim_customer.registered_at: The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_id" IS 'dim_product.product_id: Natural key of the product.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_name" IS 'dim_product.name: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_brand" IS 'dim_product.brand: The newest value, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_category" IS 'dim_product.category: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_subcategory" IS 'dim_product.subcategory: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_list_price" IS 'dim_product.list_price: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_unit_cost" IS 'dim_product.unit_cost: As it was in this version''s period.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."product_launched_on" IS 'dim_product.launched_on: The first value ever, on every version.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date" IS 'dim_date.date: The day.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_year" IS 'dim_date.year: Calendar year.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_quarter" IS 'dim_date.quarter: Calendar quarter, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_month" IS 'dim_date.month: Calendar month, 1 to 12.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_month_name" IS 'dim_date.month_name: Name of the month in English.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_day" IS 'dim_date.day: Day of the month.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_day_of_year" IS 'dim_date.day_of_year: Day of the year, from 1.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_day_of_week" IS 'dim_date.day_of_week: ISO weekday: 1 is Monday, 7 is Sunday.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_day_name" IS 'dim_date.day_name: Name of the weekday in English.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_is_weekend" IS 'dim_date.is_weekend: Saturday or Sunday.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_iso_year" IS 'dim_date.iso_year: Year of the ISO 8601 week.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_iso_week" IS 'dim_date.iso_week: ISO 8601 week, 1 to 53.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_fiscal_year" IS 'dim_date.fiscal_year: Fiscal year, named after the calendar year in which it ends.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_fiscal_quarter" IS 'dim_date.fiscal_quarter: Quarter of the fiscal year, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_fiscal_month" IS 'dim_date.fiscal_month: Month of the fiscal year, 1 to 12.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_retail_year" IS 'dim_date.retail_year: Year of the 4-4-5 calendar, named after the calendar year in which it starts.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_retail_quarter" IS 'dim_date.retail_quarter: Quarter of the 4-4-5 calendar, 1 to 4.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_retail_period" IS 'dim_date.retail_period: Period of the 4-4-5 calendar, 1 to 12: of 4, 4 and 5 weeks.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_retail_week" IS 'dim_date.retail_week: Week of the 4-4-5 calendar, 1 to 53.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_is_holiday" IS 'dim_date.is_holiday: A public holiday of the calendar''s country.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."order_date_holiday_name" IS 'dim_date.holiday_name: Name of the holiday, if it is one.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."channel" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."status" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."ordered_at" IS 'When it happened (UTC).';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."quantity" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."unit_price" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."discount" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."gross_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."net_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."cost_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop_reader"."fact_sales_as_is"."margin_amount" IS 'Measure, additive.';

CREATE OR REPLACE VIEW "shop_reader"."aisle_release" AS
SELECT "release", "made_at", "star", "structure", "definition", "table_name", "version", "row_count", "checksum"
FROM "shop"."aisle_release";

COMMENT ON VIEW "shop_reader"."aisle_release" IS 'The release of the lake that the warehouse holds.';
