#!/bin/sh
# Makes sure that the browser tests find Chromium: uses what is there, installs Debian's where that is allowed, and else
# says what to install.
for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    command -v "$name" >/dev/null && exit 0
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium for the browser tests ..."
    log=$(mktemp)
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium; } >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
fi
echo "The browser tests need Chromium. Install it (Debian, as root: apt-get install chromium)," >&2
echo "or name another one: make test CHROMIUM=/path/to/chrome" >&2
exit 1
