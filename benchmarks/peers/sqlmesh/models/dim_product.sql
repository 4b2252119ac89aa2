/* Versions of products. A deletion is a version that says so. */
MODEL (
  name star.dim_product,
  kind SCD_TYPE_2_BY_TIME (
    unique_key product_id,
    batch_size 1 -- a day at a time, as the source has a history of its own
  )
);

SELECT
  HASH(product_id, updated_at)::UBIGINT AS product_key,
  product_id,
  name,
  brand,
  category,
  subcategory,
  list_price,
  unit_cost,
  launched_on,
  op = 'D' AS is_deleted,
  updated_at
FROM raw.products
WHERE
  loaded_on BETWEEN @start_date AND @end_date
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY updated_at DESC) = 1
