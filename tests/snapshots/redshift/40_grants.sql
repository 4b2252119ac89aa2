-- What lets those read who ask. A view reads with its owner's rights.

GRANT USAGE ON SCHEMA "shop_reader" TO ROLE "shop_reader";

GRANT SELECT ON ALL TABLES IN SCHEMA "shop_reader" TO ROLE "shop_reader";

ALTER DEFAULT PRIVILEGES IN SCHEMA "shop_reader" GRANT SELECT ON TABLES TO ROLE "shop_reader";
