-- Who bought: one row for each version of a customer.

CREATE TABLE "shop"."dim_customer" (
    "customer_key" BIGINT ENCODE az64 NOT NULL,
    "customer_id" BIGINT ENCODE raw,
    "name" VARCHAR(1024) ENCODE zstd,
    "email" VARCHAR(1024) ENCODE zstd,
    "phone" VARCHAR(1024) ENCODE zstd,
    "company" VARCHAR(1024) ENCODE zstd,
    "segment" VARCHAR(11) ENCODE zstd,
    "current_segment" VARCHAR(11) ENCODE zstd,
    "street" VARCHAR(1024) ENCODE zstd,
    "city" VARCHAR(1024) ENCODE zstd,
    "region" VARCHAR(1024) ENCODE zstd,
    "postal_code" VARCHAR(1024) ENCODE zstd,
    "country" VARCHAR(1024) ENCODE zstd,
    "registered_at" TIMESTAMP ENCODE az64,
    "valid_from" TIMESTAMP ENCODE az64 NOT NULL,
    "valid_to" TIMESTAMP ENCODE az64 NOT NULL,
    "is_current" BOOLEAN ENCODE zstd NOT NULL,
    "is_deleted" BOOLEAN ENCODE zstd NOT NULL,
    "is_inferred" BOOLEAN ENCODE zstd NOT NULL,
    "version" BIGINT ENCODE az64 NOT NULL,
    PRIMARY KEY ("customer_key")
)
DISTSTYLE KEY DISTKEY ("customer_key")
COMPOUND SORTKEY ("customer_id", "valid_from");

COMMENT ON TABLE "shop"."dim_customer" IS 'Who bought: one row for each version of a customer.
Primary key: customer_key. Natural key: customer_id.';

COMMENT ON COLUMN "shop"."dim_customer"."customer_key" IS 'Surrogate key of the customer''s version; -1 is the unknown customer.';

COMMENT ON COLUMN "shop"."dim_customer"."customer_id" IS 'Natural key of the customer.';

COMMENT ON COLUMN "shop"."dim_customer"."name" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer"."email" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer"."phone" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer"."company" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_customer"."segment" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer"."current_segment" IS 'The newest segment.';

COMMENT ON COLUMN "shop"."dim_customer"."street" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer"."city" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer"."region" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer"."postal_code" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_customer"."country" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer"."registered_at" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop"."dim_customer"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop"."dim_customer"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop"."dim_customer"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop"."dim_customer"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop"."dim_customer"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop"."dim_customer"."version" IS 'The version''s number within its member, from 1.';
