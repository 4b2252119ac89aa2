"""The job that people write today, as eight notebooks for Spark with Delta: what aisle on Spark is measured against.

    landing → bronze (01) → silver (02 to 05) → dim_customer, dim_product (06, 07) → fact_sales (08)

Written as it is done well: schemas given, the day's files read by name, each layer's rows of the batch alone taken further, MERGE where
a key may be there already, versions of a dimension by one window and one MERGE, the fact partitioned by month. What it does not do, as
such jobs do not: keep what does not fit, take late versions of a dimension or correct the facts of their period, tie the tables
together in a release, check that no row was lost. The fact is joined and overwritten as a whole, since a header's change and a new
version may touch any of its rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as f
from pyspark.sql.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CUSTOMERS = (
    "customer_id BIGINT, op STRING, name STRING, email STRING, phone STRING, company STRING, segment STRING, street STRING, city STRING, "
    "region STRING, postal_code STRING, country STRING, registered_at TIMESTAMP, updated_at TIMESTAMP"
)
PRODUCTS = (
    "product_id STRING, op STRING, name STRING, brand STRING, category STRING, subcategory STRING, list_price DECIMAL(18,2), "
    "unit_cost DECIMAL(18,2), launched_on DATE, updated_at TIMESTAMP"
)
ORDER_ITEMS = (
    "order_id BIGINT, line_number BIGINT, product_id STRING, quantity BIGINT, unit_price DECIMAL(18,2), discount DECIMAL(18,4), "
    "unit_cost DECIMAL(18,2)"
)
ZONE = "America/New_York"


class Notebooks:
    """The notebooks, over one lake; `batch` names what is new, and the files of `landing` that it brings.

    Args:
        batch: a day, whose files alone are read; or "first", of which all are.
    """

    def __init__(self, spark: SparkSession, landing: Path, lake: Path, batch: str) -> None:
        self._spark, self._landing, self._lake, self._batch = spark, landing, lake, batch

    def run(self) -> None:
        self.land()
        self.customers()
        self.products()
        self.orders()
        self.order_items()
        self.dim_customer()
        self.dim_product()
        self.fact_sales()

    def land(self) -> None:
        """01: the files of the batch, as they are, into bronze."""
        for source, read in {
            "customers": self._spark.read.schema(CUSTOMERS).option("header", "true").csv,
            "products": self._spark.read.schema(PRODUCTS).json,
            "orders": self._spark.read.parquet,
            "order_items": self._spark.read.schema(ORDER_ITEMS).option("header", "true").csv,
        }.items():
            files = f"*{'' if self._batch == 'first' else self._batch}*"
            if not any((self._landing / source).glob(files)):
                continue
            landed = read(f"{self._landing}/{source}/{files}")
            landed = landed.withColumn("_file", f.input_file_name()).withColumn("_batch", f.lit(self._batch))
            landed.write.format("delta").mode("append").partitionBy("_batch").save(self._path(f"bronze/{source}"))

    def customers(self) -> None:
        """02: customers cleansed; a change that was delivered before is not taken again."""
        text = ("name", "email", "phone", "company", "segment", "street", "city", "region", "postal_code", "country")
        rows = trimmed(self._new("bronze/customers"), text).where("customer_id IS NOT NULL AND updated_at IS NOT NULL")
        self._insert("silver/customers", rows.dropDuplicates(["customer_id", "updated_at"]), "customer_id", "updated_at")

    def products(self) -> None:
        """03: products cleansed."""
        rows = trimmed(self._new("bronze/products"), ("product_id", "name", "brand", "category", "subcategory"))
        rows = rows.where("product_id IS NOT NULL AND updated_at IS NOT NULL AND list_price >= 0 AND unit_cost >= 0")
        self._insert("silver/products", rows.dropDuplicates(["product_id", "updated_at"]), "product_id", "updated_at")

    def orders(self) -> None:
        """04: the newest row of each order."""
        rows = trimmed(self._new("bronze/orders"), ("channel", "status")).where("order_id IS NOT NULL AND ordered_at IS NOT NULL")
        newest = Window.partitionBy("order_id").orderBy(f.desc("updated_at"))
        rows = rows.withColumn("_rank", f.row_number().over(newest)).where("_rank = 1").drop("_rank")
        if not self._there("silver/orders"):
            self._save("silver/orders", rows)
            return
        rows.createOrReplaceTempView("newest_orders")
        self._spark.sql(
            f"MERGE INTO delta.`{self._path('silver/orders')}` t USING newest_orders s ON t.order_id = s.order_id "
            "WHEN MATCHED AND s.updated_at >= t.updated_at THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        )

    def order_items(self) -> None:
        """05: the lines of orders."""
        rows = trimmed(self._new("bronze/order_items"), ("product_id",))
        rows = rows.where("order_id IS NOT NULL AND line_number >= 1 AND quantity BETWEEN 1 AND 10000 AND unit_price >= 0")
        self._insert("silver/order_items", rows.dropDuplicates(["order_id", "line_number"]), "order_id", "line_number")

    def dim_customer(self) -> None:
        """06: versions of customers."""
        self._versions("customer", "customers", "customer_id", ("segment", "city", "region", "country"))

    def dim_product(self) -> None:
        """07: versions of products."""
        self._versions("product", "products", "product_id", ("category", "subcategory", "list_price", "unit_cost"))

    def fact_sales(self) -> None:
        """08: each line with its header, and the versions of their time; written anew."""
        lines, orders = self._read("silver/order_items").alias("l"), self._read("silver/orders").alias("o")
        at = "o.ordered_at >= {0}.valid_from AND o.ordered_at < {0}.valid_to"
        rows = (
            lines.join(orders, "order_id")
            .join(
                self._read("gold/dim_customer").alias("c"), f.expr(f"o.customer_id = c.customer_id AND {at.format('c')}"), "left"
            )
            .join(self._read("gold/dim_product").alias("p"), f.expr(f"l.product_id = p.product_id AND {at.format('p')}"), "left")
        )
        rows = rows.selectExpr(
            "order_id",
            "l.line_number",
            "coalesce(c.customer_key, -1) AS customer_key",
            "coalesce(p.product_key, -1) AS product_key",
            f"CAST(date_format(from_utc_timestamp(o.ordered_at, '{ZONE}'), 'yyyyMMdd') AS INT) AS order_date_key",
            "o.channel",
            "o.status",
            "o.ordered_at",
            "l.quantity",
            "l.unit_price",
            "l.discount",
            "CAST(l.quantity * l.unit_price AS DECIMAL(18,2)) AS gross_amount",
            "CAST(l.quantity * l.unit_price * (1 - l.discount) AS DECIMAL(18,2)) AS net_amount",
            "CAST(l.quantity * l.unit_cost AS DECIMAL(18,2)) AS cost_amount",
            "date_format(o.ordered_at, 'yyyy-MM') AS month",
        ).withColumn("margin_amount", f.expr("CAST(net_amount - cost_amount AS DECIMAL(18,2))"))
        writer = rows.repartition("month").write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer.partitionBy("month").save(self._path("gold/fact_sales"))

    def _versions(self, name: str, source: str, key: str, tracked: tuple[str, ...]) -> None:
        """The batch's changes and the current versions of their keys make versions; one MERGE closes the former and adds the others."""
        table = f"gold/dim_{name}"
        changes = self._new(f"silver/{source}").withColumn("is_deleted", f.expr("op = 'D'")).drop("op", "_file", "_batch")
        changes = changes.withColumn("_since", f.col("updated_at"))
        if there := self._there(table):
            current = self._read(table).where("is_current").join(changes.select(key).distinct(), key, "left_semi")
            current = current.withColumn("_since", f.col("valid_from")).select(*changes.columns)
            changes = current.unionByName(changes)
        by_time = Window.partitionBy(key).orderBy("_since")
        state = f.struct(*tracked, "is_deleted")
        made = changes.withColumn("_was", f.lag(state).over(by_time)).where(~state.eqNullSafe(f.col("_was"))).drop("_was")
        first = f.lag("_since").over(by_time).isNull()
        made = made.withColumn(
            "valid_from", f.when(first & f.lit(not there), f.lit("1900-01-01").cast("timestamp")).otherwise(f.col("_since"))
        )
        made = made.withColumn("valid_to", f.coalesce(f.lead("_since").over(by_time), f.lit("9999-12-31").cast("timestamp")))
        made = made.withColumn("is_current", f.expr("valid_to = TIMESTAMP '9999-12-31'")).drop("_since")
        made = made.withColumn(f"{name}_key", f.xxhash64(key, "valid_from"))
        if not there:
            self._save(table, made)
            return
        made.createOrReplaceTempView("made")
        overwritten = ", ".join(
            f"t.{c} = s.{c}" for c in made.columns if c not in (f"{name}_key", key, "valid_from", *tracked, "is_deleted")
        )
        self._spark.sql(
            f"MERGE INTO delta.`{self._path(table)}` t USING made s ON t.{key} = s.{key} AND t.valid_from = s.valid_from "
            f"WHEN MATCHED THEN UPDATE SET {overwritten} WHEN NOT MATCHED THEN INSERT *"
        )

    def _insert(self, table: str, rows: DataFrame, *key: str) -> None:
        """Add the rows whose key is not there yet."""
        if not self._there(table):
            self._save(table, rows)
            return
        rows.createOrReplaceTempView("arrived")
        on = " AND ".join(f"t.{k} = s.{k}" for k in key)
        self._spark.sql(f"MERGE INTO delta.`{self._path(table)}` t USING arrived s ON {on} WHEN NOT MATCHED THEN INSERT *")

    def _new(self, table: str) -> DataFrame:
        return self._read(table).where(f.col("_batch") == self._batch)

    def _read(self, table: str) -> DataFrame:
        return self._spark.read.format("delta").load(self._path(table))

    def _save(self, table: str, rows: DataFrame) -> None:
        rows.write.format("delta").save(self._path(table))

    def _there(self, table: str) -> bool:
        return (self._lake / table / "_delta_log").exists()

    def _path(self, table: str) -> str:
        return str(self._lake / table)


def trimmed(rows: DataFrame, columns: tuple[str, ...]) -> DataFrame:
    """Text without blanks at its ends; empty text is none."""
    return rows.withColumns({name: f.expr(f"nullif(trim({name}), '')") for name in columns})
