#!/bin/sh
# Makes sure that the tests of docs/operating.md find nginx, rsync and openssl: uses what is there, installs Debian's where that is
# allowed, and else says what to install.
missing=
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing=nginx-light
for name in rsync openssl; do
    command -v "$name" >/dev/null || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
. "${0%/*}/debian.sh"
# shellcheck disable=SC2086  # two packages are two words
install "the tests of a proxy" service $missing
echo "The tests of docs/operating.md need nginx, rsync and openssl; install (Debian, as root: apt-get install $missing)." >&2
exit 1
