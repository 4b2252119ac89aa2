-- The star shop, and the table that says which release of the lake it holds.

CREATE SCHEMA IF NOT EXISTS "shop";

CREATE TABLE IF NOT EXISTS "shop"."_aisle_lock" (locked BOOLEAN);

CREATE TABLE "shop"."aisle_release" ("release" BIGINT NOT NULL, "made_at" VARCHAR(1024) NOT NULL, "star" VARCHAR(1024) NOT NULL, "structure" VARCHAR(1024) NOT NULL, "definition" VARCHAR(1024) NOT NULL, "table_name" VARCHAR(1024) NOT NULL, "version" BIGINT NOT NULL, "row_count" BIGINT NOT NULL, "checksum" BIGINT NOT NULL);

COMMENT ON TABLE "shop"."aisle_release" IS 'The release of the lake that this schema holds. Written by `aisle load`: do not change it.';

COMMENT ON COLUMN "shop"."aisle_release"."release" IS 'Number of the lake''s release that is loaded.';

COMMENT ON COLUMN "shop"."aisle_release"."made_at" IS 'When the lake made the release (ISO 8601, UTC).';

COMMENT ON COLUMN "shop"."aisle_release"."star" IS 'Fingerprint of the star''s declaration that made it.';

COMMENT ON COLUMN "shop"."aisle_release"."structure" IS 'Fingerprint of the statements that made tables and views here, and of the function that made the checksums.';

COMMENT ON COLUMN "shop"."aisle_release"."definition" IS 'Fingerprint of those, of the comments, and of the grants.';

COMMENT ON COLUMN "shop"."aisle_release"."table_name" IS 'A table of the star.';

COMMENT ON COLUMN "shop"."aisle_release"."version" IS 'Version of the lake''s Delta table that is loaded; -1 if the release has none.';

COMMENT ON COLUMN "shop"."aisle_release"."row_count" IS 'Rows loaded.';

COMMENT ON COLUMN "shop"."aisle_release"."checksum" IS 'Sum of the hashes of the rows loaded, modulo 2^63.';
