"""The command line, run for real on a small generated shop: what people and machines read, and the exit codes."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from aisle.cli import EXIT_CODES, main
from aisle.cli.generate import DEFAULTS
from aisle.errors import AisleError

COMMANDS = sorted(main.commands)


def aisle(folder: Path, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["-C", str(folder), *arguments], input=stdin, prog_name="aisle")


def answer(folder: Path, *arguments: str) -> dict:
    """What a command says with --json: one object on stdout, nothing else there, nor on stderr."""
    result = aisle(folder, *arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="session")
def generated(tmp_path_factory) -> Path:
    """A project with a week of a small shop in its landing."""
    folder = tmp_path_factory.mktemp("cli") / "shop"
    assert aisle(folder.parent, "init", "shop").exit_code == 0
    made = answer(
        folder, "generate", "--days", "7", "--customers", "80", "--products", "30", "--orders-per-day", "20", "--mess", "0.02"
    )
    assert made["days"] == 7
    assert made["facts"] > 0
    assert set(made["rows"]) == {"customers", "products", "orders", "order_items"}
    return folder


@pytest.fixture(scope="session")
def released(generated, tmp_path_factory) -> Path:
    """The same, run and loaded."""
    folder = tmp_path_factory.mktemp("cli-released") / "shop"
    shutil.copytree(generated, folder)
    ran = answer(folder, "run")
    assert ran["release"] == 1
    assert answer(folder, "load")["mode"] == "full"
    return folder


@pytest.fixture
def project(tmp_path) -> Path:
    """A new project, with nothing in its landing."""
    assert aisle(tmp_path, "init", "shop").exit_code == 0
    return tmp_path / "shop"


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_each_commands_help_shows_an_example_that_parses(command):
    help_text = CliRunner().invoke(main, [command, "--help"], prog_name="aisle").stdout
    assert "--json" in help_text
    example = main.commands[command].example
    assert example.splitlines()[0].strip() in help_text
    assert f"aisle {command}" in example


def test_the_help_says_each_exit_code_that_an_error_has():
    kinds = [AisleError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert {kind.exit_code for kind in kinds} <= set(EXIT_CODES)
    help_text = CliRunner().invoke(main, ["--help"], prog_name="aisle").stdout
    for code, meaning in EXIT_CODES.items():
        assert f"{code} " in help_text
        assert meaning.split(";")[0].split()[0] in help_text


def test_help_imports_nothing_heavy():
    heavy = ("ibis", "duckdb", "deltalake", "numpy", "faker", "holidays", "rich", "pyarrow", "sqlglot")
    script = (
        "import sys\nfrom aisle.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print('heavy:', [m for m in {heavy!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert out.splitlines()[-1] == "heavy: []"


def test_generates_defaults_are_the_generators():
    from aisle.retail.generate import generate

    parameters = inspect.signature(generate).parameters
    assert dict(DEFAULTS) == {name: parameters[name].default for name in DEFAULTS}


# A project


def test_init_writes_a_project_that_works_and_refuses_a_folder_in_use(project):
    assert sorted(f.name for f in project.iterdir()) == [".gitignore", "README.md", "aisle.toml", "star.py"]
    assert "{name}" not in (project / "README.md").read_text()
    again = aisle(project.parent, "init", "shop")
    assert again.exit_code == 2
    assert "not empty" in again.stderr
    assert aisle(project, "sql", "dim_customer").exit_code == 0


def test_init_says_the_next_commands(tmp_path):
    said = aisle(tmp_path, "init", "shop").stdout
    assert [word for word in ("cd shop", "aisle generate", "aisle run", "aisle load") if word not in said] == []


def test_a_project_is_found_from_its_sub_folders(project):
    inside = project / "landing" / "customers"
    inside.mkdir(parents=True)
    assert answer(inside, "status")["release"] is None


@pytest.mark.parametrize("command", [["run"], ["load"], ["status"], ["check"], ["sql"], ["query", "select 1"], ["generate"]])
def test_without_a_project_each_command_says_how_to_make_one(tmp_path, command):
    result = aisle(tmp_path, *command)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "no aisle.toml" in result.stderr
    assert "aisle init" in result.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('landnig = "here"', "did you mean 'landing'?"),
        ('lake = "lake', "is not TOML"),
        ("lake = 3", "lake is 3, not text"),
        ('star = "nowhere.py:star"', "nowhere.py cannot be read"),
        ('star = "star.py:sar"', 'Set star = "star.py:star"'),
        ('star = "star.py:date"', "is a type, not a Star"),
        ('star = "no_such_module:star"', "there is no module 'no_such_module'"),
    ],
)
def test_wrong_settings(project, settings, said):
    (project / "aisle.toml").write_text(settings)
    result = aisle(project, "run")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_setting_is_overridden_by_the_environment(project, monkeypatch):
    monkeypatch.setenv("AISLE_LANDING", "elsewhere")
    assert f"{project}/elsewhere" in aisle(project, "run").stderr


def test_a_star_may_be_in_a_module(project, monkeypatch):
    (project / "aisle.toml").write_text('star = "aisle.retail.star:star"')
    assert aisle(project, "sql", "fact_sales").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    city: Track\n", "    town: Track\n", "DimCustomer.town: Customers has no column 'town'"),
        ('key="customer_id", changed_at="updated_at"', 'key="customer_id", changed_at="updated"', "did you mean 'updated_at'?"),
        ("    quantity: Sum[int]\n", "    quantity: Sum[str]\n", "FactSales.quantity: a measure is a whole number"),
        ("at=Orders.ordered_at", "at=Orders.orderd_at", "Orders has no column 'orderd_at': did you mean 'ordered_at'?"),
        ("dimensions=[DimCustomer, ", "dimensions=[", "looks up dim_customer, which is not in the star"),
        ("class DimProduct(Dimension, source=Products):", "class DimProduct(Dimension, source=Products)", "expected ':'"),
    ],
)
def test_a_wrong_declaration_is_shown_with_its_line_before_any_data_is_read(project, old, new, said):
    star = project / "star.py"
    text = star.read_text()
    assert old in text
    star.write_text(text.replace(old, new))
    result = aisle(project, "run")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    place = result.stderr.split(f"{star}:")[1].split(":")[0]
    line = star.read_text().splitlines()[int(place) - 1]
    declared = new.strip() if "looks up" not in said else "star = Star("
    assert declared in line or line.strip().startswith(("class ", declared))
    assert not (project / "lake").exists()


# The way of the data


def test_an_empty_landing_says_where_files_are_expected(project):
    result = aisle(project, "run")
    assert result.exit_code == 3
    assert f"{project}/landing/customers/*.csv" in result.stderr
    assert "aisle generate" in result.stderr


def test_before_the_first_release(project):
    state = answer(project, "status")
    assert (state["release"], state["loaded"], state["behind"]) == (None, None, False)
    assert "aisle generate" in aisle(project, "status").stdout
    assert aisle(project, "load").exit_code == 3
    assert aisle(project, "check").exit_code == 3
    asked = aisle(project, "query", "select 1")
    assert asked.exit_code == 7
    assert "aisle load" in asked.stderr
    assert not (project / "lake").exists()
    assert not (project / "warehouse.duckdb").exists()


def test_a_run_is_summed_up_in_one_glance(generated, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(generated, folder)
    waiting = answer(folder, "status")
    drops = sum(len(s["waiting"]) for s in waiting["sources"].values())
    assert drops > 20
    result = aisle(folder, "run")
    assert result.exit_code == 0
    assert "Release 1" in result.stdout
    assert f"{drops - len(_refused(folder))} drops" in result.stdout
    assert "In quarantine, by reason:" in result.stdout
    assert "fact_sales" in result.stdout
    assert "silver" in result.stderr  # the quiet lines of a pipe
    again = aisle(folder, "run")
    assert again.exit_code == 0, again.output
    assert "Nothing new in the landing: release 1 stands" in again.stdout
    state = answer(folder, "status")
    assert sum(len(s["waiting"]) for s in state["sources"].values()) == 0


def _refused(folder: Path) -> list[str]:
    return [drop for s in answer(folder, "status")["sources"].values() for drop in s["refused"]]


def test_a_run_accounts_for_every_row(released):
    sources = answer(released, "status")["sources"]
    for source in sources.values():
        assert source["rows"] == source["silver"] + source["duplicates"] + source["quarantined"]
    assert sum(source["quarantined"] for source in sources.values()) > 0


def test_status_says_what_is_where(released):
    said = aisle(released, "status").stdout
    for text in ("Release 1", "customers", "fact_sales", "Nothing waits in the landing", "holds release 1, the newest"):
        assert text in said
    state = answer(released, "status")
    assert state["tables"]["fact_sales"] > 0
    assert not state["behind"]


def test_status_needs_no_lease(released):
    lease = released / "lake" / "_lease.json"
    lease.write_text(json.dumps({"token": "x", "host": "elsewhere", "pid": 7, "since": "2025-01-01T00:00:00+00:00"}))
    try:
        assert "process 7 on elsewhere" in aisle(released, "status").stdout
        held = aisle(released, "run")
        assert held.exit_code == 5
        assert "--break-lease" in held.stderr
    finally:
        lease.unlink()


def test_a_second_load_has_nothing_to_do(released):
    assert answer(released, "load")["mode"] == "up to date"
    assert "nothing to do" in aisle(released, "load").stdout


def test_a_full_run_makes_a_release_that_the_warehouse_lacks(released, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(released, folder)
    before = answer(folder, "query", "select * from fact_sales order by order_id, line_number")["rows"]
    assert answer(folder, "run", "--full")["release"] == 2
    assert answer(folder, "status")["behind"]
    assert "holds release 1: aisle load" in aisle(folder, "status").stdout
    assert answer(folder, "load")["release"] == 2
    assert answer(folder, "query", "select * from fact_sales order by order_id, line_number")["rows"] == before


def test_a_changed_declaration_is_said(released, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(released, folder)
    star = folder / "star.py"
    star.write_text(star.read_text().replace("    city: Track\n", "    city: Overwrite\n"))
    assert "aisle plan" in aisle(folder, "status").stdout
    run = aisle(folder, "run")
    assert run.exit_code == 4
    assert "table dim_customer, attribute city: track string → overwrite string" in run.stderr
    assert "--accept-changes" in run.stderr


def test_a_drop_under_a_known_name_with_other_content_is_held(released, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(released, folder)
    drop = min((folder / "landing" / "customers").iterdir())
    drop.write_bytes(drop.read_bytes() + drop.read_bytes().splitlines(keepends=True)[-1])
    result = aisle(folder, "run")
    assert result.exit_code == 0
    assert "Held, until a person decides:" in result.stdout
    assert f"customers/{drop.name}" in result.stdout
    assert answer(folder, "status")["sources"]["customers"]["held"].keys() == {drop.name}


def test_check_says_each_law_as_a_sentence(released):
    result = aisle(released, "check")
    assert result.exit_code == 0, result.output
    assert "✗" not in result.stdout
    for law in ("balance", "timeline", "integrity"):
        assert f"✓ {law}: " in result.stdout
    assert answer(released, "check")["holds"] is True


def test_check_with_rebuild_proves_that_order_does_not_matter(released):
    assert {f["law"] for f in answer(released, "check", "--rebuild")["findings"]} >= {"confluence", "balance"}


def test_a_broken_law_is_shown_with_its_rows_and_exit_code_6(released, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(released, folder)
    _forget_a_version(folder)
    result = aisle(folder, "check")
    assert result.exit_code == 6
    assert "✗ " in result.stdout
    assert "Not so for:" in result.stdout
    machine = aisle(folder, "check", "--json")
    assert machine.exit_code == 6
    broken = [f for f in json.loads(machine.stdout)["findings"] if not f["holds"]]
    assert broken
    assert broken[0]["offenders"]


def _forget_a_version(folder: Path) -> None:
    """Make a release whose dim_customer lacks the versions of one member that facts point to."""
    import ibis

    from aisle.engines.duckdb.engine import DuckDBEngine
    from aisle.lake.lake import Lake
    from aisle.project import open_project

    star = open_project(folder).star
    lake = Lake(folder / "lake", star)
    dimension, fact = lake.gold["dim_customer"], lake.gold["fact_sales"]
    with lake.writing(), DuckDBEngine() as engine:
        facts = engine.bind("facts", fact)
        used = facts.filter(ibis._["customer_key"] != -1).select("customer_key").limit(1)
        engine.rewrite(dimension, gone=engine.keep("gone", used), metadata={"step": "broken on purpose"})
        lake.publish({})


def test_interrupting_a_run_leaves_the_last_release(generated, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(generated, folder)
    command = [sys.executable, "-c", "from aisle.cli import main; main(prog_name='aisle')", "-C", str(folder), "run"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (folder / "lake" / "_lease.json").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    try:
        _, said = process.communicate(timeout=60)  # not a matter of speed: one that hangs must not hang the tests
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "The last release stands" in said
    assert "Traceback" not in said
    assert answer(folder, "status")["release"] is None
    assert answer(folder, "run")["release"] == 1


# Questions

QUESTION = """
    select 1 as number, cast(12.50 as decimal(9, 2)) as money, 'a,b' as word, cast(null as varchar) as nothing,
        true as flag, date '2025-01-31' as day, timestamp '2025-01-31 10:20:30' as moment
"""


def test_a_query_as_a_table(released):
    lines = aisle(released, "query", QUESTION).stdout.splitlines()
    assert lines[0].split() == ["number", "money", "word", "nothing", "flag", "day", "moment"]
    assert lines[2].split() == ["1", "12.50", "a,b", "NULL", "true", "2025-01-31", "2025-01-31", "10:20:30"]
    assert lines[2].index("1") == lines[0].index("number") + len("number") - 1  # to the right
    assert lines[-1] == "(1 row)"


def test_a_query_as_csv(released):
    said = aisle(released, "query", "--csv", QUESTION).stdout
    assert said == 'number,money,word,nothing,flag,day,moment\n1,12.50,"a,b",,true,2025-01-31,2025-01-31T10:20:30\n'


def test_a_query_as_json(released):
    said = answer(released, "query", QUESTION)
    assert said["columns"][:2] == ["number", "money"]
    assert said["rows"] == [[1, 12.5, "a,b", None, True, "2025-01-31", "2025-01-31T10:20:30"]]


def test_a_long_answer_is_limited_for_people_and_whole_for_machines(released):
    many = "select * from generate_series(1, 250) as t(n)"
    said = aisle(released, "query", many).stdout.splitlines()
    assert said[-1] == "(100 rows of 250; --limit 0 shows all)"
    assert len(said) == 103
    assert aisle(released, "query", many, "--limit", "0").stdout.splitlines()[-1] == "(250 rows)"
    assert len(answer(released, "query", many)["rows"]) == 250
    assert len(aisle(released, "query", many, "--csv").stdout.splitlines()) == 251
    assert answer(released, "query", many, "--limit", "3")["left_out"] == 247


def test_a_question_may_come_from_stdin(released):
    assert "(1 row)" in aisle(released, "query", "-", stdin="select 1 as one").stdout


@pytest.mark.parametrize("question", ["select * from no_such_table", "selekt 1", "drop table fact_sales"])
def test_a_wrong_question(released, question):
    result = aisle(released, "query", question)
    assert result.exit_code == 7
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_csv_and_json_at_once_are_refused(released):
    assert aisle(released, "query", "--csv", "--json", "select 1").exit_code == 2


# SQL


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_sql_prints_every_stage(project, dialect):
    stages = answer(project, "sql", "--dialect", dialect)["stages"]
    assert [s["makes"] for s in stages if s["step"] in ("history", "conform")] == ["dim_customer", "dim_product", "fact_sales"]
    assert {s["step"] for s in stages} == {"cleanse", "settle", "history", "conform"}
    assert all(s["sql"].lstrip().startswith(("SELECT", "WITH")) for s in stages)


def test_sql_of_one_table(project):
    said = aisle(project, "sql", "fact_sales").stdout
    assert said.startswith("-- conform: the rows of fact_sales\n")
    wrong = aisle(project, "sql", "fact_sale")
    assert wrong.exit_code == 2
    assert "did you mean 'fact_sales'?" in wrong.stderr


def test_the_ddl_runs_in_an_empty_duckdb(project):
    import duckdb

    statements = answer(project, "sql", "--ddl")["statements"]
    with duckdb.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'shop'").fetchall()
    assert {name for (name,) in tables} >= {"dim_customer", "dim_product", "dim_date", "fact_sales"}


# Errors, for machines and developers


def test_with_json_an_error_is_an_object_too(project):
    result = aisle(project, "run", "--json")
    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["exit_code"], result.exit_code) == ("NothingDelivered", 3, 3)
    assert error["message"] in result.stderr


def test_a_developer_may_see_the_traceback(project):
    result = CliRunner().invoke(main, ["-C", str(project), "--traceback", "run"])
    assert type(result.exception).__name__ == "NothingDelivered"


def test_what_nobody_foresaw_is_said_in_plain_lines(project, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is made of cheese")

    monkeypatch.setattr(main.commands["status"], "callback", fail)
    result = aisle(project, "status")
    assert result.exit_code == 1
    assert "aisle itself failed: RuntimeError: the disk is made of cheese" in result.stderr
    assert "--traceback" in result.stderr


def test_a_wrong_option_exits_with_2(project):
    result = aisle(project, "run", "--fulll")
    assert result.exit_code == 2
    assert "--full" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_of_ours(command):
    assert isinstance(main.commands[command], click.Command)
    assert hasattr(main.commands[command], "exits")


# The README


README = Path(__file__).parents[1] / "README.md"


def test_the_declaration_in_the_readme_is_a_star(tmp_path):
    declaration = README.read_text(encoding="utf-8").split("## The declaration")[1].split("```python\n")[1].split("```")[0]
    (tmp_path / "star.py").write_text(declaration)
    (tmp_path / "aisle.toml").write_text("")
    assert "fact_sales" in {stage["makes"] for stage in answer(tmp_path, "sql")["stages"]}


def test_the_readme_says_each_exit_code_as_the_help_does():
    text = README.read_text(encoding="utf-8")
    assert [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items() if f"| {code} | {meaning} |" not in text] == []


def test_each_command_that_readmes_name_is_one():
    template = Path(inspect.getfile(main.commands["init"].callback)).parents[1] / "templates" / "README.md"
    for text in (README.read_text(encoding="utf-8"), template.read_text(encoding="utf-8")):
        named = set(re.findall(r"^ +(?:\$ )?aisle (\w+)", text, re.MULTILINE))
        assert named
        assert named <= set(COMMANDS)


def test_the_set_up_of_a_warehouse_is_written_for_review(project, tmp_path):
    said = answer(project, "sql", "--to", "redshift", "--out", str(tmp_path / "made" / "here"))
    written = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "made" / "here").iterdir()}
    assert sorted(said["files"]) == sorted(written)
    assert 'CREATE DATABASE "shop";' in written["00_database.sql"]
    assert 'TO ROLE "shop_reader"' in written["40_grants.sql"]
    (tmp_path / "taken").write_text("")
    assert aisle(project, "sql", "--out", str(tmp_path / "taken")).exit_code == 2
    role = "arn:aws:iam::123456789012:role/copy"
    where = f"redshift://shop.123456789012.eu-west-1/dwh?copy_role={role}&reader_role=Analysts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISLE_WAREHOUSE", where)
        patch.setenv("AISLE_LAKE", "s3://ours/lake")
        answer(project, "sql", "--to", "redshift", "--out", str(tmp_path / "made" / "here"))
    load = (tmp_path / "made" / "here" / "50_load_fact_sales.sql").read_text(encoding="utf-8")
    assert f"FROM 's3://ours/lake/_manifests/came_fact_sales.json'\nIAM_ROLE '{role}'" in load
    assert 'CREATE DATABASE "dwh";' in (tmp_path / "made" / "here" / "00_database.sql").read_text(encoding="utf-8")
    assert 'TO ROLE "Analysts"' in (tmp_path / "made" / "here" / "40_grants.sql").read_text(encoding="utf-8")
