#!/usr/bin/env bash
# Make environment.tar.gz: a Python of its own with aisle in it, for the driver of a Spark job on EMR Serverless.
#
#   deploy/emr/environment.sh [FILE]      in a clone of aisle; needs uv, and no Docker
#
# For Linux on ARM64, which is what `aisle provision` makes the application for, whatever machine this is. PySpark is not in
# it: it is EMR's own. Executors need no Python.
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:-environment.tar.gz}
[[ $target == /* ]] || target=$PWD/$target
python=3.12
platform=aarch64-manylinux_2_28
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A Python that may lie in any folder.
uv python install --no-bin --install-dir "$work/python" "cpython-$python-linux-aarch64-gnu"
mv "$work/python"/cpython-* "$work/environment"
uv build --quiet --wheel --out-dir "$work/wheel" "$here"
wheel=$(echo "$work"/wheel/*.whl)
uv pip install --python-version "$python" --python-platform "$platform" --only-binary :all: \
    --target "$work/environment/lib/python$python/site-packages" "aisle[s3] @ file://$wheel"
tar --create --gzip --file "$target" --directory "$work/environment" .
echo "$target"
