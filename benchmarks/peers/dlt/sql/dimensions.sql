-- The dimensions, over the versions that dlt keeps. Its own validity has one time for all of a load; the source knows when each began.
CREATE SCHEMA IF NOT EXISTS star;

CREATE OR REPLACE VIEW star.dim_customer AS
SELECT
    hash(customer_id, updated_at) AS customer_key,
    customer_id, name, email, phone, company, segment, street, city, region, postal_code, country, registered_at,
    CASE WHEN row_number() OVER w = 1 THEN TIMESTAMPTZ '1900-01-01 00:00:00+00' ELSE updated_at END AS valid_from,
    coalesce(lead(updated_at) OVER w, TIMESTAMPTZ '9999-12-31 00:00:00+00') AS valid_to,
    lead(updated_at) OVER w IS NULL AS is_current,
    op = 'D' AS is_deleted
FROM raw.customer_versions
WINDOW w AS (PARTITION BY customer_id ORDER BY updated_at);

CREATE OR REPLACE VIEW star.dim_product AS
SELECT
    hash(product_id, updated_at) AS product_key,
    product_id, name, brand, category, subcategory, list_price, unit_cost, launched_on,
    CASE WHEN row_number() OVER w = 1 THEN TIMESTAMPTZ '1900-01-01 00:00:00+00' ELSE updated_at END AS valid_from,
    coalesce(lead(updated_at) OVER w, TIMESTAMPTZ '9999-12-31 00:00:00+00') AS valid_to,
    lead(updated_at) OVER w IS NULL AS is_current,
    op = 'D' AS is_deleted
FROM raw.product_versions
WINDOW w AS (PARTITION BY product_id ORDER BY updated_at);
