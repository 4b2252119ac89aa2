-- How dim_product gets from one release of the lake to the next. `aisle load` does so for all tables in one transaction,
-- writes the manifests before, and compares numbers of rows and checksums before it commits.
-- A first load is the COPY of all files, into the table itself.

BEGIN;

LOCK "shop"."_aisle_lock";

CREATE TEMPORARY TABLE "_aisle_gone" ("product_key" BIGINT, "product_id" VARCHAR(1024), "name" VARCHAR(1024), "brand" VARCHAR(1024), "category" VARCHAR(1024), "subcategory" VARCHAR(1024), "list_price" DECIMAL(18,2), "unit_cost" DECIMAL(18,2), "launched_on" DATE, "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "is_deleted" BOOLEAN, "is_inferred" BOOLEAN, "version" BIGINT);

COPY "_aisle_gone"
FROM 's3://your-bucket/lake/_manifests/gone_dim_product.json'
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

DELETE FROM "shop"."dim_product" USING "_aisle_gone" WHERE "dim_product"."product_key" = "_aisle_gone"."product_key";

DROP TABLE "_aisle_gone";

CREATE TEMPORARY TABLE "_aisle_came" ("product_key" BIGINT, "product_id" VARCHAR(1024), "name" VARCHAR(1024), "brand" VARCHAR(1024), "category" VARCHAR(1024), "subcategory" VARCHAR(1024), "list_price" DECIMAL(18,2), "unit_cost" DECIMAL(18,2), "launched_on" DATE, "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "is_deleted" BOOLEAN, "is_inferred" BOOLEAN, "version" BIGINT);

COPY "_aisle_came"
FROM 's3://your-bucket/lake/_manifests/came_dim_product.json'
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

INSERT INTO "shop"."dim_product" SELECT * FROM "_aisle_came";

DROP TABLE "_aisle_came";

COMMIT;

ANALYZE "shop"."dim_product";
