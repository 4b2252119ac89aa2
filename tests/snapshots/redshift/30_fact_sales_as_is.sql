-- One row for each line of an order.
-- fact_sales beside its dimensions as they are now: the current version of each natural key.

CREATE OR REPLACE VIEW "shop"."fact_sales_as_is" AS
SELECT
    "_fact"."order_id" AS "order_id",
    "_fact"."line_number" AS "line_number",
    "customer"."customer_id" AS "customer_id",
    "customer"."name" AS "customer_name",
    "customer"."email" AS "customer_email",
    "customer"."phone" AS "customer_phone",
    "customer"."company" AS "customer_company",
    "customer"."segment" AS "customer_segment",
    "customer"."current_segment" AS "customer_current_segment",
    "customer"."street" AS "customer_street",
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

COMMENT ON VIEW "shop"."fact_sales_as_is" IS 'One row for each line of an order.
fact_sales beside its dimensions as they are now: the current version of each natural key.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_id" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."line_number" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_id" IS 'dim_customer.customer_id: Natural key of the customer.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_name" IS 'dim_customer.name: The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_email" IS 'dim_customer.email: The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_phone" IS 'dim_customer.phone: The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_company" IS 'dim_customer.company: The newest value, on every version.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_segment" IS 'dim_customer.segment: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_current_segment" IS 'dim_customer.current_segment: The newest segment.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_street" IS 'dim_customer.street: The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_city" IS 'dim_customer.city: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_region" IS 'dim_customer.region: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_postal_code" IS 'dim_customer.postal_code: The newest value, on every version.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_country" IS 'dim_customer.country: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."customer_registered_at" IS 'dim_customer.registered_at: The first value ever, on every version.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_id" IS 'dim_product.product_id: Natural key of the product.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_name" IS 'dim_product.name: The newest value, on every version.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_brand" IS 'dim_product.brand: The newest value, on every version.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_category" IS 'dim_product.category: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_subcategory" IS 'dim_product.subcategory: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_list_price" IS 'dim_product.list_price: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_unit_cost" IS 'dim_product.unit_cost: As it was in this version''s period.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."product_launched_on" IS 'dim_product.launched_on: The first value ever, on every version.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date" IS 'dim_date.date: The day.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_year" IS 'dim_date.year: Calendar year.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_quarter" IS 'dim_date.quarter: Calendar quarter, 1 to 4.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_month" IS 'dim_date.month: Calendar month, 1 to 12.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_month_name" IS 'dim_date.month_name: Name of the month in English.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_day" IS 'dim_date.day: Day of the month.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_day_of_year" IS 'dim_date.day_of_year: Day of the year, from 1.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_day_of_week" IS 'dim_date.day_of_week: ISO weekday: 1 is Monday, 7 is Sunday.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_day_name" IS 'dim_date.day_name: Name of the weekday in English.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_is_weekend" IS 'dim_date.is_weekend: Saturday or Sunday.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_iso_year" IS 'dim_date.iso_year: Year of the ISO 8601 week.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_iso_week" IS 'dim_date.iso_week: ISO 8601 week, 1 to 53.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_fiscal_year" IS 'dim_date.fiscal_year: Fiscal year, named after the calendar year in which it ends.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_fiscal_quarter" IS 'dim_date.fiscal_quarter: Quarter of the fiscal year, 1 to 4.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_fiscal_month" IS 'dim_date.fiscal_month: Month of the fiscal year, 1 to 12.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_retail_year" IS 'dim_date.retail_year: Year of the 4-4-5 calendar, named after the calendar year in which it starts.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_retail_quarter" IS 'dim_date.retail_quarter: Quarter of the 4-4-5 calendar, 1 to 4.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_retail_period" IS 'dim_date.retail_period: Period of the 4-4-5 calendar, 1 to 12: of 4, 4 and 5 weeks.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_retail_week" IS 'dim_date.retail_week: Week of the 4-4-5 calendar, 1 to 53.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_is_holiday" IS 'dim_date.is_holiday: A public holiday of the calendar''s country.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."order_date_holiday_name" IS 'dim_date.holiday_name: Name of the holiday, if it is one.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."channel" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."status" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."ordered_at" IS 'When it happened (UTC).';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."quantity" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."unit_price" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."discount" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."gross_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."net_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."cost_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales_as_is"."margin_amount" IS 'Measure, additive.';
