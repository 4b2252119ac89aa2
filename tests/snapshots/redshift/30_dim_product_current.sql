-- The current version of each product, deleted ones and the unknown one included.

CREATE OR REPLACE VIEW "shop"."dim_product_current" AS
SELECT "product_key", "product_id", "name", "brand", "category", "subcategory", "list_price", "unit_cost", "launched_on", "valid_from", "valid_to", "is_current", "is_deleted", "is_inferred", "version"
FROM "shop"."dim_product"
WHERE "is_current";

COMMENT ON VIEW "shop"."dim_product_current" IS 'The current version of each product, deleted ones and the unknown one included.';

COMMENT ON COLUMN "shop"."dim_product_current"."product_key" IS 'Surrogate key of the product''s version; -1 is the unknown product.';

COMMENT ON COLUMN "shop"."dim_product_current"."product_id" IS 'Natural key of the product.';

COMMENT ON COLUMN "shop"."dim_product_current"."name" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_product_current"."brand" IS 'The newest value, on every version.';

COMMENT ON COLUMN "shop"."dim_product_current"."category" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product_current"."subcategory" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product_current"."list_price" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product_current"."unit_cost" IS 'As it was in this version''s period.';

COMMENT ON COLUMN "shop"."dim_product_current"."launched_on" IS 'The first value ever, on every version.';

COMMENT ON COLUMN "shop"."dim_product_current"."valid_from" IS 'Since when this version is true (UTC, inclusive).';

COMMENT ON COLUMN "shop"."dim_product_current"."valid_to" IS 'Until when this version is true (UTC, exclusive; 9999-12-31 while it is current).';

COMMENT ON COLUMN "shop"."dim_product_current"."is_current" IS 'Whether this is the newest version.';

COMMENT ON COLUMN "shop"."dim_product_current"."is_deleted" IS 'Whether the member is deleted in this period.';

COMMENT ON COLUMN "shop"."dim_product_current"."is_inferred" IS 'Whether the member is known only because a fact names it.';

COMMENT ON COLUMN "shop"."dim_product_current"."version" IS 'The version''s number within its member, from 1.';
