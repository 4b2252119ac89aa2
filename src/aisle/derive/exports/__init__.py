"""What other tools read of a star: files for dbt, MetricFlow and Cube, over the tables that a load makes in the warehouse."""
