-- One row for each line of an order.

CREATE TABLE "shop"."fact_sales" (
    "order_id" BIGINT ENCODE az64 NOT NULL,
    "line_number" BIGINT ENCODE az64 NOT NULL,
    "customer_key" BIGINT ENCODE az64 NOT NULL,
    "product_key" BIGINT ENCODE az64 NOT NULL,
    "order_date_key" BIGINT ENCODE raw NOT NULL,
    "channel" VARCHAR(5) ENCODE zstd NOT NULL,
    "status" VARCHAR(9) ENCODE zstd NOT NULL,
    "ordered_at" TIMESTAMP ENCODE az64 NOT NULL,
    "quantity" BIGINT ENCODE az64,
    "unit_price" DECIMAL(18,2) ENCODE az64,
    "discount" DECIMAL(18,4) ENCODE az64,
    "gross_amount" DECIMAL(18,2) ENCODE az64,
    "net_amount" DECIMAL(18,2) ENCODE az64,
    "cost_amount" DECIMAL(18,2) ENCODE az64,
    "margin_amount" DECIMAL(18,2) ENCODE az64,
    PRIMARY KEY ("order_id", "line_number")
)
DISTSTYLE KEY DISTKEY ("customer_key")
COMPOUND SORTKEY ("order_date_key", "ordered_at");

COMMENT ON TABLE "shop"."fact_sales" IS 'One row for each line of an order.
Grain: order_id, line_number.';

COMMENT ON COLUMN "shop"."fact_sales"."order_id" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales"."line_number" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales"."customer_key" IS 'The customer, as of ordered_at; -1 if the line names none. References dim_customer.customer_key.';

COMMENT ON COLUMN "shop"."fact_sales"."product_key" IS 'The product, as of ordered_at; -1 if the line names none. References dim_product.product_key.';

COMMENT ON COLUMN "shop"."fact_sales"."order_date_key" IS 'The date, the day of ordered_at, in the business''s time zone; -1 if the line names none. References dim_date.date_key.';

COMMENT ON COLUMN "shop"."fact_sales"."channel" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales"."status" IS 'Degenerate dimension.';

COMMENT ON COLUMN "shop"."fact_sales"."ordered_at" IS 'When it happened (UTC).';

COMMENT ON COLUMN "shop"."fact_sales"."quantity" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales"."unit_price" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop"."fact_sales"."discount" IS 'Measure, non-additive.';

COMMENT ON COLUMN "shop"."fact_sales"."gross_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales"."net_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales"."cost_amount" IS 'Measure, additive.';

COMMENT ON COLUMN "shop"."fact_sales"."margin_amount" IS 'Measure, additive.';
