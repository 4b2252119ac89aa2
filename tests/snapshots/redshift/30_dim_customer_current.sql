-- The current version of each customer, deleted ones and the unknown one included.

CREATE OR REPLACE VIEW "shop"."dim_customer_current" AS
SELECT "customer_key", "customer_id", "name", "email", "phone", "company", "segment", "current_segment", "street", "city", "region", "postal_code", "country", "registered_at", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"
FROM "shop"."dim_customer"
WHERE "is_current";

COMMENT ON VIEW "shop"."dim_customer_current" IS 'The current version of each customer, deleted ones and the unknown one included.';

COMMENT ON COLUMN "shop"."dim_customer_current"."customer_key" IS 'Surrogate key of the customer''s version; -1 is the unknown customer.';

COMMENT ON COLUMN "shop"."dim_customer_current"."customer_id" IS 'Natural key of the customer.';

COMMENT ON COLUMN "shop"."dim_customer_current"."name" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer_current"."email" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer_current"."phone" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer_current"."company" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_customer_current"."segment" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer_current"."current_segment" IS 'The newest segment.';

COMMENT ON COLUMN "shop"."dim_customer_current"."street" IS 'The newest value, on every version. Personal data.';

COMMENT ON COLUMN "shop"."dim_customer_current"."city" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer_current"."region" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer_current"."postal_code" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_customer_current"."country" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_customer_current"."registered_at" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop"."dim_customer_current"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop"."dim_customer_current"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop"."dim_customer_current"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop"."dim_customer_current"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop"."dim_customer_current"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop"."dim_customer_current"."version" IS 'The version''s number within its member, from 1.';
