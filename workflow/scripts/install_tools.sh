#!/usr/bin/env bash
# Programs that do not come from PyPI: bedtools is needed (interval arithmetic), Chromium only by the report's tests.
set -u

have() { command -v "$1" >/dev/null 2>&1; }

missing=()
have bedtools || missing+=(bedtools)
have chromium || have chromium-browser || have google-chrome || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0

if have apt-get && [ "$(id -u)" -eq 0 ]; then
    echo "Installing ${missing[*]} ..."
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1
fi

if ! have bedtools; then
    echo "bedtools is missing: install it (Debian/Ubuntu: sudo apt-get install bedtools; conda: conda install -c bioconda bedtools)." >&2
    echo "It is needed where a study names a blacklist." >&2
fi
if ! have chromium && ! have chromium-browser && ! have google-chrome; then
    echo "Chromium is missing: the browser tests of the report will be skipped." >&2
fi
exit 0
