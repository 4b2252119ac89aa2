"""Provisioning on AWS: what the template promises, what `aisle provision` says, and what it makes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aisle.cli import main
from aisle.provision.template import Template
from cloud import ACCOUNT, REASONS, REGION, cloud

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "aws.md").read_text()
TEMPLATE = ROOT / "deploy" / "aws" / "aisle.yaml"
RESOURCES = Template().document["Resources"]
DATA = ["Bucket", "Namespace"]

# Every action that the template allows, and what it is for. No other is allowed, and none is here in vain.
NEEDED = {
    "s3:ListBucket": "to find drops and releases; to be told 404, not 403, of what is not there; COPY asks it too",
    "s3:GetBucketLocation": "to find the bucket's region",
    "s3:GetObject": "to read landing and lake; COPY reads what it loads",
    "s3:PutObject": "to write the lake, put-if-absent too",
    "s3:DeleteObject": "to give the lease back, and to sweep staging",
    "s3:AbortMultipartUpload": "to leave no half of a large file",
    "s3:ListMultipartUploadParts": "to end a large file's upload",
    "redshift-serverless:GetWorkgroup": "to find the workgroup's address",
    "redshift-serverless:GetCredentials": "to log in without a password of one's own",
    "redshift-data:ExecuteStatement": "to ask through the Data API",
    "redshift-data:BatchExecuteStatement": "to load in one transaction through the Data API",
    "redshift-data:DescribeStatement": "to see whether a statement is done",
    "redshift-data:GetStatementResult": "to read its rows",
    "redshift-data:CancelStatement": "to stop it at Ctrl-C",
    "sts:AssumeRole": "to take a role, in the roles' own terms",
}


def statements(resource: str | None = None) -> list[dict]:
    """The statements of all policies, or of a resource's; actions and resources as lists."""
    found = []
    for name, body in RESOURCES.items():
        if resource not in (None, name):
            continue
        properties = body["Properties"]
        documents = [properties[k] for k in ("PolicyDocument", "AssumeRolePolicyDocument") if k in properties]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in documents:
            for statement in document["Statement"]:
                listed = {k: v if isinstance(v, list) else [v] for k, v in statement.items() if k in ("Action", "Resource")}
                found.append({**statement, **listed})
    return found


ALLOWED = [statement for statement in statements() if statement["Effect"] == "Allow"]


def text(resource: object) -> str:
    """An ARN of the template as text: `${Bucket.Arn}/lake/*`."""
    if isinstance(resource, dict):
        ((function, argument),) = resource.items()
        return argument if function == "Fn::Sub" else "${" + ".".join(argument) + "}"
    return str(resource)


# The template


def test_the_template_has_nothing_that_cfn_lint_minds():
    command = [
        Path(sys.executable).with_name("cfn-lint"),
        "--include-checks",
        "I",
        "--regions",
        "eu-central-1",
        "us-east-1",
        "--template",
        str(TEMPLATE),
    ]
    linted = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout


def test_readers_and_the_command_have_one_template():
    assert TEMPLATE.samefile(Template().path)
    assert len(TEMPLATE.read_bytes()) < 51_200  # what CloudFormation takes without a bucket to fetch it from


def test_no_action_is_allowed_that_is_not_needed():
    assert {action for statement in ALLOWED for action in statement["Action"]} == set(NEEDED)


def test_everything_is_allowed_on_named_resources_only_but_for_what_iam_cannot_narrow():
    specifications = json.loads((files("cfnlint.data") / "AdditionalSpecs" / "Policies.json").read_text())
    for statement in ALLOWED:
        if "*" not in [text(resource) for resource in statement.get("Resource", [])]:
            continue
        assert statement["Condition"], statement
        for action in statement["Action"]:
            service, _, name = action.lower().partition(":")
            assert not specifications[service]["Actions"][name].get("Resources"), action


def test_nobody_outside_the_account_is_trusted():
    for statement in ALLOWED:
        for kind, who in statement.get("Principal", {}).items():
            if kind == "Service":
                assert set(who if isinstance(who, list) else [who]) <= {
                    "redshift.amazonaws.com",
                    "redshift-serverless.amazonaws.com",
                    "emr-serverless.amazonaws.com",
                }
            else:
                assert text(who) == "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"


def test_copy_reads_what_is_loaded_and_neither_bronze_nor_landing():
    own = [s for s in statements("CopyRole") if "Principal" not in s]
    assert {action for s in own for action in s["Action"]} == {"s3:GetObject", "s3:ListBucket"}
    (read,) = (s for s in own if s["Action"] == ["s3:GetObject"])
    readable = [text(resource).replace("${Bucket.Arn}", "bucket") for resource in read["Resource"]]

    def reads(path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in readable)

    assert reads("bucket/lake/gold/fact_sales/part-0.parquet")
    assert reads("bucket/lake/_manifests/a.manifest")
    assert not [
        path
        for path in ("landing/customers/a.csv", "lake/bronze/customers/a", "lake/_releases/1.json")
        if reads(f"bucket/{path}")
    ]


def test_the_landing_is_only_read():
    writes = {"s3:PutObject", "s3:DeleteObject"}
    places = [text(resource) for s in ALLOWED if writes & set(s["Action"]) for resource in s["Resource"]]
    assert places == ["${Bucket.Arn}/lake/*", "${Bucket.Arn}/spark/logs/*"]


def test_old_versions_are_nobodys_to_delete():
    assert RESOURCES["Bucket"]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not [s for s in ALLOWED for action in s["Action"] if fnmatchcase("s3:DeleteObjectVersion", action)]


def test_nothing_is_public_and_all_is_encrypted():
    bucket, workgroup = RESOURCES["Bucket"]["Properties"], RESOURCES["Workgroup"]["Properties"]
    closed = bucket["PublicAccessBlockConfiguration"]
    assert set(closed) == {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
    assert all(value is True for value in closed.values())
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (by_tls,) = statements("BucketPolicy")
    assert (by_tls["Effect"], by_tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert workgroup["PubliclyAccessible"] is False
    assert {"ParameterKey": "require_ssl", "ParameterValue": "true"} in workgroup["ConfigParameters"]


def test_no_password_is_in_the_template_or_asked_for():
    namespace = RESOURCES["Namespace"]["Properties"]
    assert namespace["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in namespace
    assert not [name for name in Template().document["Parameters"] if re.search("password|secret|key", name, re.IGNORECASE)]


@pytest.mark.parametrize("name", DATA)
def test_data_outlives_the_stack(name):
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_only_litter_expires():
    rules = RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    litter = {"lake/_staging/", "lake/_manifests/", "lake/bronze/_incoming/", "lake/_check/"}
    assert {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule} == litter
    assert [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]


def test_each_resource_that_can_be_tagged_is():
    schemas = files("cfnlint.data") / "schemas"
    named = json.loads((schemas / "providers" / "us-east-1.json").read_text())
    for name, resource in RESOURCES.items():
        schema = json.loads((schemas / "resources" / f"{named[resource['Type']]}.json").read_text())
        assert ("Tags" in resource["Properties"]) == schema["tagging"]["taggable"], name


# What would be made


def aisle(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["provision", *arguments], env=env, prog_name="aisle")


def dry(*arguments: str) -> dict:
    result = aisle("--dry-run", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_dry_run_says_each_resource_in_a_sentence():
    said = aisle("--dry-run", "--name", "kiosk", "--set", "BaseRpus=16").stdout
    made = dry("--name", "kiosk", "--set", "BaseRpus=16")["resources"]
    assert [r["name"] for r in made] == [name for name, body in RESOURCES.items() if "Condition" not in body]
    for resource in made:
        assert re.fullmatch(r"[A-Z][^${}]+\.", resource["says"]), resource
        assert resource["says"] in said
    assert "workgroup kiosk: 16 RPUs, at most 32" in said
    assert "Nothing was made." in said


def test_spark_comes_when_its_release_is_said():
    with_spark = [r["name"] for r in dry("--set", "SparkRelease=emr-spark-8.0")["resources"]]
    assert [name for name in with_spark if name not in [r["name"] for r in dry()["resources"]]] == ["SparkRole", "Spark"]


def test_the_commands_by_hand_say_what_was_said():
    deploy, cap, admit = dry("--name", "kiosk", "--region", "eu-west-1", "--set", "RpuHoursPerMonth=7")["commands"]
    words = shlex.split(deploy)
    assert words[:3] == ["aws", "cloudformation", "deploy"]
    assert Path(words[words.index("--template-file") + 1]).samefile(TEMPLATE)
    assert words[words.index("--parameter-overrides") + 1 :] == ["RpuHoursPerMonth=7", "Name=kiosk"]
    assert "--amount 7 --period monthly --breach-action deactivate" in cap
    assert 'grant create on database aisle to "IAMR:kiosk-aisle"' in shlex.split(admit)
    assert all("--region eu-west-1" in command for command in (deploy, cap, admit))


def test_the_commands_by_hand_are_understood_by_a_shell(tmp_path):
    """Each is run with an `aws` that only notes how it was called."""
    noted = tmp_path / "noted"
    (tmp_path / "aws").write_text(
        f'#!{sys.executable}\nimport json, sys\nopen({str(noted)!r}, "a").write(json.dumps(sys.argv[1:]) + "\\n")\nprint("arn")\n'
    )
    (tmp_path / "aws").chmod(0o755)
    for command in dry()["commands"]:
        subprocess.run(
            ["sh", "-c", command], check=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, stdout=subprocess.DEVNULL
        )
    calls = [json.loads(line) for line in noted.read_text().splitlines()]
    assert [call[1] for call in calls] == [
        "deploy",
        "describe-stacks",
        "create-usage-limit",
        "get-namespace",
        "batch-execute-statement",
    ]
    assert "Stacks[0].Outputs[?OutputKey==`WorkgroupArn`].OutputValue" in calls[1]
    assert calls[2][-2:] == ["--resource-arn", "arn"]
    assert calls[4][-2:] == ["--secret-arn", "arn"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "Rpus=8"], "no parameter 'Rpus'"),
        (["--set", "BaseRpus=9"], "must be one of 4, 8, 16"),
        (["--set", "RpuHoursPerMonth=0"], "a whole number from 1 to 1000000"),
        (["--set", "RpuHoursPerMonth=many"], "a whole number from 1 to 1000000"),
        (["--set", "BaseRpus"], "write PARAMETER=VALUE"),
        (["--set", "Name=x"], "the name is said by --name"),
        (["--set", 'Database=a"; drop'], "small letters, digits and underscores"),
        (["--name", "Shop"], "small letters, digits and single hyphens"),
        (["--name", "s" * 31], "3 to 30 small letters"),
    ],
)
def test_what_cannot_be_is_said_before_aws_is_asked(arguments, said):
    for more in ([], ["--dry-run"]):
        result = aisle(*arguments, *more)
        assert result.exit_code == 2
        assert said in result.stderr


def test_without_boto3_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    result = aisle("--region", REGION)
    assert result.exit_code == 2
    assert "pip install 'aisle[redshift]'" in result.stderr
    assert aisle("--dry-run").exit_code == 0


# What is made


@pytest.fixture(scope="module")
def aws() -> dict[str, str]:
    with cloud() as environment:
        yield environment


@pytest.fixture
def sent(aws, monkeypatch):
    """AWS's environment, and a way to look at the cloud from outside."""
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        **aws,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "none",
        "AWS_SHARED_CREDENTIALS_FILE": "none",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("aisle.provision.stack.WAIT", 0.05)
    monkeypatch.setattr("aisle.provision.warehouse.WAIT", 0.01)
    return lambda service: boto3.client(service, region_name=REGION)


def made(*arguments: str) -> dict[str, str]:
    result = aisle(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout)["outputs"]


def test_it_makes_the_stack_and_answers_the_settings(sent):
    result = aisle("--name", "shop")
    assert result.exit_code == 0, result.output
    settings = dict(re.findall(r'^    (\w+) = "(.+)"$', result.stdout, re.MULTILINE))
    bucket = settings["lake"].removeprefix("s3://").removesuffix("/lake")
    assert settings == {
        "landing": f"s3://{bucket}/landing",
        "lake": f"s3://{bucket}/lake",
        "warehouse": f"redshift://shop.{ACCOUNT}.{REGION}/aisle?copy_role=arn:aws:iam::{ACCOUNT}:role/shop-copy&transport=data-api",
    }
    sent("s3").head_bucket(Bucket=bucket)
    assert sent("iam").get_role(RoleName="shop-aisle")["Role"]["Tags"] == [{"Key": "aisle", "Value": "shop"}]
    copies = sent("iam").get_role_policy(RoleName="shop-copy", PolicyName="read-what-is-loaded")["PolicyDocument"]["Statement"]
    read = [f"arn:aws:s3:::{bucket}/lake/{folder}/*" for folder in ("gold", "_manifests", "_staging")]
    assert [statement["Resource"] for statement in copies] == [f"arn:aws:s3:::{bucket}", read]
    assert sent("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    refused = json.loads(sent("s3").get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert [s["Resource"] for s in refused if s["Effect"] == "Deny"] == [[f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]]
    assert "resources:" in result.stderr  # the quiet line of a pipe


def test_the_month_is_capped_and_the_role_admitted(sent):
    arn = made("--name", "capped", "--set", "RpuHoursPerMonth=9", "--set", "Database=sales")["WorkgroupArn"]
    (limit,) = sent("redshift-serverless").list_usage_limits(resourceArn=arn, usageType="serverless-compute")["usageLimits"]
    assert (limit["amount"], limit["period"], limit["breachAction"]) == (9, "monthly", "deactivate")
    asked = [s["QueryString"] for s in sent("redshift-data").list_statements()["Statements"] if s["StatementName"] == "capped"]
    assert asked == ['create user "IAMR:capped-aisle" password disable', 'grant create on database sales to "IAMR:capped-aisle"']


def test_again_it_changes_what_was_said_and_keeps_the_rest(sent):
    made("--name", "twice", "--set", "RpuHoursPerMonth=9", "--set", "Database=sales")
    same = made("--name", "twice")
    assert (same["RpuHoursPerMonth"], same["Warehouse"].split("/")[3].split("?")[0]) == ("9", "sales")
    more = made("--name", "twice", "--set", "RpuHoursPerMonth=12")
    (limit,) = sent("redshift-serverless").list_usage_limits(resourceArn=more["WorkgroupArn"], usageType="serverless-compute")[
        "usageLimits"
    ]
    assert limit["amount"] == 12
    assert more["Lake"] == same["Lake"]


def test_with_spark_the_application_is_said(sent):
    assert made("--name", "sparks", "--set", "SparkRelease=emr-spark-8.0")["SparkApplication"] == "sparks-application"


def test_a_failure_names_the_resource_and_the_reason_and_then_the_way_out(sent):
    arguments = ["--name", "fails", "--set", "SubnetIds=subnet-00000000"]
    result = aisle(*arguments)
    assert result.exit_code == 8
    assert "Workgroup (AWS::RedshiftServerless::Workgroup) failed: There must be at least 3 subnets" in result.stderr
    again = aisle(*arguments)
    assert again.exit_code == 8
    assert f"aws cloudformation delete-stack --stack-name fails --region {REGION}" in again.stderr


def test_a_change_that_fails_is_said_not_one_that_failed_before(sent):
    made("--name", "later")
    for subnet, reason in REASONS.items():
        result = aisle("--name", "later", "--set", f"SubnetIds={subnet}")
        assert result.exit_code == 8, result.output
        assert f"Workgroup (AWS::RedshiftServerless::Workgroup) failed: {reason}" in result.stderr
    assert "later" in made("--name", "later", "--set", "SubnetIds=")["Warehouse"]


def test_a_stack_of_somebody_else_is_left_alone(sent):
    cloudformation = sent("cloudformation")
    theirs = '{"Resources": {"Theirs": {"Type": "AWS::S3::Bucket"}}}'
    cloudformation.create_stack(StackName="theirs", TemplateBody=theirs)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="theirs", WaiterConfig={"Delay": 1})
    result = aisle("--name", "theirs")
    assert result.exit_code == 8
    assert "not aisle's" in result.stderr
    assert [r["LogicalResourceId"] for r in cloudformation.describe_stack_resources(StackName="theirs")["StackResources"]] == [
        "Theirs"
    ]


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"AWS_REGION": None}, 2, "No AWS region is chosen"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, 2, "AWS is not told who asks"),
        ({"AWS_SECRET_ACCESS_KEY": None}, 2, "AWS is not told who asks"),
        ({"AWS_PROFILE": "nobodys"}, 2, "nobodys"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}, 8, "AWS was not reached"),
    ],
)
def test_wrong_settings_of_aws_are_said_in_a_sentence(sent, monkeypatch, changed, code, said):
    for name, value in changed.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    result = aisle("--name", "nowhere")
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


# What is written


def test_each_command_on_the_page_is_one_that_aisle_takes():
    commands = re.findall(r"^    (?:AISLE_\w+=\S+ )?aisle (.+?)(?: +#.*)?$", PAGE, re.MULTILINE)
    assert {command.split()[0] for command in commands} == {"provision", "init", "generate", "run", "load", "query"}
    for command in commands:
        name, *arguments = shlex.split(command.split(" && ")[0])
        main.commands[name].make_context(name, arguments)


def test_the_page_names_each_parameter_and_permission_as_it_is():
    parameters = Template().parameters({})
    assert [name for name in re.findall(r"--set (\w+)=", PAGE) if name not in parameters] == []
    section = PAGE.split("## Which permissions aisle needs")[1].split("\n\n")[1]
    named = set(re.findall(r"\b(?:[a-z0-9-]+:)?([A-Z]\w+)`", section))
    assert named == {action.split(":")[1] for action in NEEDED} - {"AssumeRole"}


# What is shipped


def test_an_installed_wheel_has_the_template(tmp_path):
    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = wheels.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(installed), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    script = "from aisle.cli import main; main(['provision', '--dry-run', '--json'])"
    out = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    template = Path(json.loads(out.stdout)["template"])
    assert template.is_relative_to(installed)
    assert template.read_bytes() == TEMPLATE.read_bytes()
