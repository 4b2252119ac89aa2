-- Lines of orders, each with its newest header and the versions of its time. An order is done anew when anything of it came.
CREATE TABLE IF NOT EXISTS star.fact_sales (
    order_id BIGINT,
    line_number BIGINT,
    customer_key UBIGINT,
    product_key UBIGINT,
    order_date_key INTEGER,
    channel VARCHAR,
    status VARCHAR,
    ordered_at TIMESTAMPTZ,
    quantity BIGINT,
    unit_price DECIMAL(18, 2),
    discount DECIMAL(18, 4),
    gross_amount DECIMAL(18, 2),
    net_amount DECIMAL(18, 2),
    cost_amount DECIMAL(18, 2),
    margin_amount DECIMAL(18, 2)
);

MERGE INTO star.fact_sales
USING (
    WITH came AS (
        SELECT order_id FROM raw.orders WHERE _dlt_load_id = $load
        UNION
        SELECT order_id FROM raw.order_items WHERE _dlt_load_id = $load
    ), header AS (
        SELECT * FROM raw.orders SEMI JOIN came USING (order_id)
        QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC) = 1
    )
    SELECT
        l.order_id,
        l.line_number,
        c.customer_key,
        p.product_key,
        CAST(strftime(timezone('America/New_York', h.ordered_at), '%Y%m%d') AS INTEGER) AS order_date_key,
        h.channel,
        h.status,
        h.ordered_at,
        l.quantity,
        l.unit_price,
        l.discount,
        CAST(l.quantity * l.unit_price AS DECIMAL(18, 2)) AS gross_amount,
        CAST(l.quantity * l.unit_price * (1 - l.discount) AS DECIMAL(18, 2)) AS net_amount,
        CAST(l.quantity * l.unit_cost AS DECIMAL(18, 2)) AS cost_amount,
        net_amount - cost_amount AS margin_amount
    FROM raw.order_items l
    JOIN header h USING (order_id)
    LEFT JOIN star.dim_customer c
        ON c.customer_id = h.customer_id AND h.ordered_at >= c.valid_from AND h.ordered_at < c.valid_to
    LEFT JOIN star.dim_product p
        ON p.product_id = l.product_id AND h.ordered_at >= p.valid_from AND h.ordered_at < p.valid_to
)
USING (order_id, line_number)
WHEN MATCHED THEN UPDATE
WHEN NOT MATCHED THEN INSERT;
