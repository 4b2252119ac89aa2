/* Versions of customers. A deletion is a version that says so. */
MODEL (
  name star.dim_customer,
  kind SCD_TYPE_2_BY_TIME (
    unique_key customer_id,
    batch_size 1 -- a day at a time, as the source has a history of its own
  )
);

SELECT
  HASH(customer_id, updated_at)::UBIGINT AS customer_key,
  customer_id,
  name,
  email,
  phone,
  company,
  segment,
  street,
  city,
  region,
  postal_code,
  country,
  registered_at,
  op = 'D' AS is_deleted,
  updated_at
FROM raw.customers
WHERE
  loaded_on BETWEEN @start_date AND @end_date
QUALIFY
  ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY updated_at DESC) = 1
