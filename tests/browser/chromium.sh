#!/bin/sh
# Makes sure that the browser tests find Chromium and the DejaVu fonts: uses what is there, installs Debian's where that
# is allowed (to root, and on a machine of CI), and else says what to install.
missing=chromium
for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    command -v "$name" >/dev/null && missing=
done
fonts=$(find /usr/share/fonts /usr/local/share/fonts "$HOME/.local/share/fonts" "$HOME/.fonts" -name DejaVuSerif.ttf 2>/dev/null)
[ -n "$fonts" ] || missing="$missing fonts-dejavu-core"
[ -n "$missing" ] || exit 0

# On a person's machine nothing is installed with sudo unasked.
root=
[ "$(id -u)" = 0 ] || root="sudo --non-interactive"

if command -v apt-get >/dev/null && { [ -z "$root" ] || [ -n "$CI" ]; }; then
    echo "Installing for the browser tests: $missing ..."
    log=$(mktemp)
    # shellcheck disable=SC2086  # two packages are two words, and so is sudo with its option
    if {
        $root apt-get update &&
            $root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
    } >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
fi
echo "The browser tests need Chromium and the DejaVu fonts; install (Debian, as root: apt-get install $missing)." >&2
echo "Another Chromium is named with: make test CHROMIUM=/path/to/chrome" >&2
exit 1
