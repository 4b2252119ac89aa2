#!/usr/bin/env bash
# Start aisle as a Spark job on EMR Serverless, with a project's own star (docs/emr.md).
#
#   deploy/emr/start.sh [--dry-run] STACK PROJECT [COMMAND …]
#
# STACK is what `aisle provision --name` made; PROJECT a folder with aisle.toml and star.py; COMMAND one of aisle's, by
# default `run`. With --dry-run the commands are printed and nothing is done; AWS is asked for the stack's outputs, unless
# BUCKET, APPLICATION and ROLE say them. environment.tar.gz (deploy/emr/environment.sh) is uploaded if it lies here.
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "✗ $1" >&2; exit 2; }

dry=
if [[ ${1:-} == --dry-run ]]; then dry=1; shift; fi
[[ $# -ge 2 ]] || usage
stack=$1 project=$2
shift 2
command=("${@:-run}")
here=$(cd "$(dirname "$0")" && pwd)

[[ -f $project/aisle.toml ]] || fail "There is no aisle.toml in $project. Name a project's folder, as \`aisle init\` makes it."
for setting in landing lake; do
    grep -Eq "^$setting *= *\"s3://" "$project/aisle.toml" ||
        fail "$project/aisle.toml: $setting is not on S3, and a job's own disk is gone with it. Take the line that \`aisle provision\` printed."
done

do_it() {
    if [[ $dry ]]; then printf '%q ' "$@"; echo; else "$@"; fi
}
output() {
    aws cloudformation describe-stacks --stack-name "$stack" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

if [[ -z ${BUCKET:-} ]]; then BUCKET=$(output Lake) BUCKET=${BUCKET#s3://} BUCKET=${BUCKET%%/*}; fi
APPLICATION=${APPLICATION:-$(output SparkApplication)}
ROLE=${ROLE:-$(output SparkRole)}
[[ $BUCKET && $APPLICATION && $ROLE ]] ||
    fail "The stack $stack has no Spark application. Make one: aisle provision --name $stack --set SparkRelease=emr-spark-8.0"

# The project: its settings and its Python, not its data.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$project" && find . -name '.?*' -prune -o \( -name '*.py' -o -name aisle.toml \) -print0 |
    tar --create --gzip --null --files-from=- --file "$work/project.tar.gz")

store=s3://$BUCKET/spark
do_it aws s3 cp "$work/project.tar.gz" "$store/$stack.tar.gz"
do_it aws s3 cp "$here/job.py" "$store/job.py"
if [[ -f environment.tar.gz ]]; then do_it aws s3 cp environment.tar.gz "$store/environment.tar.gz"; fi

quoted=
for argument in -C project "${command[@]}" --engine spark; do
    argument=${argument//\\/\\\\}
    quoted+="${quoted:+,}\"${argument//\"/\\\"}\""
done
settings=(
    "spark.archives=$store/environment.tar.gz#environment,$store/$stack.tar.gz#project"
    spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON=./environment/bin/python
    spark.emr-serverless.driverEnv.PYSPARK_PYTHON=./environment/bin/python
    spark.executorEnv.PYSPARK_PYTHON=./environment/bin/python
    # The driver reads what is new in the landing, by way of its disk.
    spark.driver.cores=4
    spark.driver.memory=14g
    spark.emr-serverless.driver.disk=100g
    spark.executor.cores=4
    spark.executor.memory=14g
)
do_it aws emr-serverless start-job-run \
    --application-id "$APPLICATION" \
    --execution-role-arn "$ROLE" \
    --name "$stack" \
    --job-driver "{\"sparkSubmit\":{\"entryPoint\":\"$store/job.py\",\"entryPointArguments\":[$quoted],\"sparkSubmitParameters\":\"$(printf -- '--conf %s ' "${settings[@]}")\"}}" \
    --configuration-overrides "{\"monitoringConfiguration\":{\"s3MonitoringConfiguration\":{\"logUri\":\"$store/logs\"}}}"
