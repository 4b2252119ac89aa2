-- How fact_sales gets from one release of the lake to the next. `aisle load` does so for all tables in one transaction,
-- writes the manifests before, and compares numbers of rows and checksums before it commits.
-- A first load is the COPY of all files, into the table itself.

BEGIN;

LOCK "shop"."_aisle_lock";

CREATE TEMPORARY TABLE "_aisle_gone" ("order_id" BIGINT, "line_number" BIGINT, "customer_key" BIGINT, "product_key" BIGINT, "order_date_key" BIGINT, "channel" VARCHAR(5), "status" VARCHAR(9), "ordered_at" TIMESTAMP, "quantity" BIGINT, "unit_price" DECIMAL(18,2), "discount" DECIMAL(18,4), "gross_amount" DECIMAL(18,2), "net_amount" DECIMAL(18,2), "cost_amount" DECIMAL(18,2), "margin_amount" DECIMAL(18,2));

COPY "_aisle_gone"
FROM 's3://your-bucket/lake/_manifests/gone_fact_sales.json'
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

DELETE FROM "shop"."fact_sales" USING "_aisle_gone" WHERE "fact_sales"."order_id" = "_aisle_gone"."order_id" AND "fact_sales"."line_number" = "_aisle_gone"."line_number";

DROP TABLE "_aisle_gone";

CREATE TEMPORARY TABLE "_aisle_came" ("order_id" BIGINT, "line_number" BIGINT, "customer_key" BIGINT, "product_key" BIGINT, "order_date_key" BIGINT, "channel" VARCHAR(5), "status" VARCHAR(9), "ordered_at" TIMESTAMP, "quantity" BIGINT, "unit_price" DECIMAL(18,2), "discount" DECIMAL(18,4), "gross_amount" DECIMAL(18,2), "net_amount" DECIMAL(18,2), "cost_amount" DECIMAL(18,2), "margin_amount" DECIMAL(18,2));

COPY "_aisle_came"
FROM 's3://your-bucket/lake/_manifests/came_fact_sales.json'
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

INSERT INTO "shop"."fact_sales" SELECT * FROM "_aisle_came";

DROP TABLE "_aisle_came";

COMMIT;

ANALYZE "shop"."fact_sales";
