-- Foreign keys: informational, the lake has proved them.

ALTER TABLE "shop"."fact_sales" ADD FOREIGN KEY ("customer_key") REFERENCES "shop"."dim_customer" ("customer_key");

ALTER TABLE "shop"."fact_sales" ADD FOREIGN KEY ("product_key") REFERENCES "shop"."dim_product" ("product_key");

ALTER TABLE "shop"."fact_sales" ADD FOREIGN KEY ("order_date_key") REFERENCES "shop"."dim_date" ("date_key");
