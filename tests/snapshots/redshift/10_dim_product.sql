-- What was sold: one row for each version of a product.

CREATE TABLE "shop"."dim_product" (
    "product_key" BIGINT ENCODE az64 NOT NULL,
    "product_id" VARCHAR(1024) ENCODE raw,
    "name" VARCHAR(1024) ENCODE zstd,
    "brand" VARCHAR(1024) ENCODE zstd,
    "category" VARCHAR(1024) ENCODE zstd,
    "subcategory" VARCHAR(1024) ENCODE zstd,
    "list_price" DECIMAL(18,2) ENCODE az64,
    "unit_cost" DECIMAL(18,2) ENCODE az64,
    "launched_on" DATE ENCODE az64,
    "valid_from" TIMESTAMP ENCODE az64 NOT NULL,
    "valid_to" TIMESTAMP ENCODE az64 NOT NULL,
    "is_current" BOOLEAN ENCODE zstd NOT NULL,
    "is_deleted" BOOLEAN ENCODE zstd NOT NULL,
    "is_inferred" BOOLEAN ENCODE zstd NOT NULL,
    "version" BIGINT ENCODE az64 NOT NULL,
    PRIMARY KEY ("product_key")
)
DISTSTYLE ALL
COMPOUND SORTKEY ("product_id", "valid_from");

COMMENT ON TABLE "shop"."dim_product" IS 'What was sold: one row for each version of a product.
Primary key: product_key. Natural key: product_id.';

COMMENT ON COLUMN "shop"."dim_product"."product_key" IS 'Surrogate key of the product''s version; -1 is the unknown product.';

COMMENT ON COLUMN "shop"."dim_product"."product_id" IS 'Natural key of the product.';

COMMENT ON COLUMN "shop"."dim_product"."name" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_product"."brand" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_product"."category" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product"."subcategory" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product"."list_price" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product"."unit_cost" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product"."launched_on" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop"."dim_product"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop"."dim_product"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop"."dim_product"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop"."dim_product"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop"."dim_product"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop"."dim_product"."version" IS 'The version''s number within its member, from 1.';
