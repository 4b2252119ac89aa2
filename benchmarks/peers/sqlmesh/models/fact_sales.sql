/* Lines of orders, each with its newest header and the versions of its time. An order is done anew when anything of it came. */
MODEL (
  name star.fact_sales,
  kind INCREMENTAL_BY_UNIQUE_KEY (
    unique_key (order_id, line_number)
  )
);

WITH came AS (
  SELECT
    order_id
  FROM raw.orders
  WHERE
    loaded_on BETWEEN @start_date AND @end_date
  UNION
  SELECT
    order_id
  FROM raw.order_items
  WHERE
    loaded_on BETWEEN @start_date AND @end_date
), header AS (
  SELECT
    *
  FROM raw.orders
  SEMI JOIN came
    USING (order_id)
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY updated_at DESC) = 1
)
SELECT
  l.order_id,
  l.line_number,
  c.customer_key,
  p.product_key,
  STRFTIME(TIMEZONE('America/New_York', TIMEZONE('UTC', h.ordered_at)), '%Y%m%d')::INT AS order_date_key,
  h.channel,
  h.status,
  h.ordered_at,
  l.quantity,
  l.unit_price,
  l.discount,
  (l.quantity * l.unit_price)::DECIMAL(18, 2) AS gross_amount,
  (l.quantity * l.unit_price * (1 - l.discount))::DECIMAL(18, 2) AS net_amount,
  (l.quantity * l.unit_cost)::DECIMAL(18, 2) AS cost_amount,
  (l.quantity * l.unit_price * (1 - l.discount))::DECIMAL(18, 2) - (l.quantity * l.unit_cost)::DECIMAL(18, 2) AS margin_amount
FROM raw.order_items AS l
JOIN header AS h
  ON h.order_id = l.order_id
LEFT JOIN star.dim_customer AS c
  ON c.customer_id = h.customer_id
  AND h.ordered_at >= c.valid_from
  AND h.ordered_at < COALESCE(c.valid_to, '9999-12-31'::TIMESTAMP)
LEFT JOIN star.dim_product AS p
  ON p.product_id = l.product_id
  AND h.ordered_at >= p.valid_from
  AND h.ordered_at < COALESCE(p.valid_to, '9999-12-31'::TIMESTAMP)
