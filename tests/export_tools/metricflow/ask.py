"""Asks MetricFlow several questions in one process, as its command `mf query` asks one: from stdin, answered on stdout, both in JSON."""

from __future__ import annotations

import json
import sys

from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

configuration = CLIConfiguration()
configuration.setup(configure_file_logging=False)
answers = []
for metrics, by in json.load(sys.stdin):
    request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=by or None)
    table = configuration.mf.query(mf_request=request).result_df
    answers.append([dict(zip(table.column_names, map(str, row), strict=True)) for row in table.rows])
sys.stdout.write("\n" + json.dumps(answers) + "\n")
