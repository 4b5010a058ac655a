#!/bin/sh
# Makes sure that the tests of docs/operating.md find nginx, rsync and openssl: uses what is there, installs Debian's where that is
# allowed (to root where no service would be started by it, and on a machine of CI), and else says what to install.
missing=
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing=nginx-light
for name in rsync openssl; do
    command -v "$name" >/dev/null || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root="sudo --non-interactive"

# On a person's machine Debian would start the web server at once.
if command -v apt-get >/dev/null && { [ -n "$CI" ] || { [ -z "$root" ] && [ ! -d /run/systemd/system ]; }; }; then
    echo "Installing for the tests of a proxy: $missing ..."
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
echo "The tests of docs/operating.md need nginx, rsync and openssl; install (Debian, as root: apt-get install $missing)." >&2
exit 1
