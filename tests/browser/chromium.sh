#!/bin/sh
# Makes sure that the browser tests find Chromium and the DejaVu fonts: uses what is there, installs Debian's where that
# is allowed, and else says what to install.
missing=chromium
for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    command -v "$name" >/dev/null && missing=
done
fonts=$(find /usr/share/fonts /usr/local/share/fonts "$HOME/.local/share/fonts" "$HOME/.fonts" -name DejaVuSerif.ttf 2>/dev/null)
[ -n "$fonts" ] || missing="$missing fonts-dejavu-core"
[ -n "$missing" ] || exit 0

. "${0%/*}/../debian.sh"
# shellcheck disable=SC2086  # two packages are two words
install "the browser tests" plain $missing
echo "The browser tests need Chromium and the DejaVu fonts; install (Debian, as root: apt-get install $missing)." >&2
echo "Another Chromium is named with: make test CHROMIUM=/path/to/chrome" >&2
exit 1
