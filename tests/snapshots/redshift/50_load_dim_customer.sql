-- How dim_customer gets from one release of the lake to the next. `aisle load` does so for all tables in one transaction,
-- writes the manifests before, and compares numbers of rows and checksums before it commits.
-- A first load is the COPY of all files, into the table itself.

BEGIN;

LOCK "shop"."_aisle_lock";

CREATE TEMPORARY TABLE "_aisle_gone" ("customer_key" BIGINT, "customer_id" BIGINT, "name" VARCHAR(1024), "email" VARCHAR(1024), "phone" VARCHAR(1024), "company" VARCHAR(1024), "segment" VARCHAR(11), "current_segment" VARCHAR(11), "street" VARCHAR(1024), "city" VARCHAR(1024), "region" VARCHAR(1024), "postal_code" VARCHAR(1024), "country" VARCHAR(1024), "registered_at" TIMESTAMP, "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "is_deleted" BOOLEAN, "is_inferred" BOOLEAN, "version" BIGINT);

COPY "_aisle_gone"
FROM 's3://your-bucket/lake/_manifests/gone_dim_customer.json'
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

DELETE FROM "shop"."dim_customer" USING "_aisle_gone" WHERE "dim_customer"."customer_key" = "_aisle_gone"."customer_key";

DROP TABLE "_aisle_gone";

CREATE TEMPORARY TABLE "_aisle_came" ("customer_key" BIGINT, "customer_id" BIGINT, "name" VARCHAR(1024), "email" VARCHAR(1024), "phone" VARCHAR(1024), "company" VARCHAR(1024), "segment" VARCHAR(11), "current_segment" VARCHAR(11), "street" VARCHAR(1024), "city" VARCHAR(1024), "region" VARCHAR(1024), "postal_code" VARCHAR(1024), "country" VARCHAR(1024), "registered_at" TIMESTAMP, "valid_from" TIMESTAMP, "valid_to" TIMESTAMP, "is_current" BOOLEAN, "is_deleted" BOOLEAN, "is_inferred" BOOLEAN, "version" BIGINT);

COPY "_aisle_came"
FROM 's3://your-bucket/lake/_manifests/came_dim_customer.json'
IAM_ROLE default
FORMAT AS PARQUET
MANIFEST;

INSERT INTO "shop"."dim_customer" SELECT * FROM "_aisle_came";

DROP TABLE "_aisle_came";

COMMIT;

ANALYZE "shop"."dim_customer";
