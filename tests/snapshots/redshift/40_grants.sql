-- What lets those read the star who ask it.

GRANT USAGE ON SCHEMA "shop" TO ROLE "shop_reader";

GRANT SELECT ON ALL TABLES IN SCHEMA "shop" TO ROLE "shop_reader";

ALTER DEFAULT PRIVILEGES IN SCHEMA "shop" GRANT SELECT ON TABLES TO ROLE "shop_reader";
