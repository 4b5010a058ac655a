#!/bin/sh
# Makes sure that the tests of the store of votes find PostgreSQL, which they start themselves: uses what is there, installs Debian's
# where that is allowed (to root where no service would be started by it, and on a machine of CI), and else says what to install.
command -v initdb >/dev/null && exit 0
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
missing=postgresql

root=
[ "$(id -u)" = 0 ] || root="sudo --non-interactive"

# On a person's machine Debian would start a database at once.
if command -v apt-get >/dev/null && { [ -n "$CI" ] || { [ -z "$root" ] && [ ! -d /run/systemd/system ]; }; }; then
    echo "Installing for the tests of the store of votes: $missing ..."
    log=$(mktemp)
    # shellcheck disable=SC2086  # sudo with its option is two words
    if {
        $root apt-get update &&
            $root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
    } >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
fi
echo "The tests of the store of votes need PostgreSQL; install (Debian, as root: apt-get install $missing)." >&2
exit 1
