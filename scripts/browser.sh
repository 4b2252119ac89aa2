#!/usr/bin/env bash
# Chromium, in which tests look at the report's page: installed where it is missing, if whoever runs this may.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" > /dev/null; then exit 0; fi
done
packages=(chromium fonts-noto-color-emoji fonts-dejavu-core fonts-liberation)
if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
else
    echo "There is no Chromium here. Install it, and some fonts; on Debian, as root: apt-get install ${packages[*]}" >&2
    exit 1
fi
