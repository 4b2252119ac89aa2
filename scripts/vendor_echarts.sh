#!/usr/bin/env bash
# Makes the chart library of the report's page anew: the parts of Apache ECharts that it uses, in one file, with licences beside it.
set -euo pipefail

ECHARTS=6.1.0
ESBUILD=0.28.2
to="$(cd "$(dirname "$0")/.." && pwd)/src/aisle/report/page/vendor"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

npm install --prefix "$work" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "echarts@$ECHARTS" "esbuild@$ESBUILD"

cat > "$work/parts.js" <<'JS'
import { use } from "echarts/core";
import { BarChart, LineChart, SankeyChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, SankeyChart, GridComponent, TooltipComponent, SVGRenderer]);
export { connect, init } from "echarts/core";
JS

mkdir -p "$to"
"$work/node_modules/.bin/esbuild" "$work/parts.js" --bundle --minify --format=iife --global-name=echarts --target=es2020 \
    --define:process.env.NODE_ENV='"production"' --legal-comments=none --charset=ascii --log-level=warning \
    --banner:js="/* Apache ECharts $ECHARTS, in part. Apache-2.0: LICENSE and NOTICE beside this file. */" \
    --outfile="$to/echarts.min.js"
cp "$work/node_modules/echarts/LICENSE" "$to/LICENSE"
cp "$work/node_modules/echarts/NOTICE" "$to/NOTICE"
cp "$work/node_modules/zrender/LICENSE" "$to/LICENSE.zrender"
cp "$work/node_modules/echarts/node_modules/tslib/LICENSE.txt" "$to/LICENSE.tslib" 2>/dev/null || cp "$work/node_modules/tslib/LICENSE.txt" "$to/LICENSE.tslib"
zrender="$(sed -n 's/^ *"version": "\(.*\)",/\1/p' "$work/node_modules/zrender/package.json")"
cat > "$to/VERSION" <<TEXT
echarts $ECHARTS (Apache-2.0), zrender $zrender (BSD-3-Clause) and tslib (0BSD) within it; bundled by esbuild $ESBUILD with scripts/vendor_echarts.sh
sha256 $(sha256sum "$to/echarts.min.js" | cut -d ' ' -f 1)
TEXT
cat "$to/VERSION"
wc -c "$to/echarts.min.js"
