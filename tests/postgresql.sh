#!/bin/sh
# Makes sure that the tests of the store of votes find PostgreSQL, which they start themselves: uses what is there, installs Debian's
# where that is allowed, and else says what to install.
command -v initdb >/dev/null && exit 0
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
. "${0%/*}/debian.sh"
install "the tests of the store of votes" service postgresql
echo "The tests of the store of votes need PostgreSQL; install (Debian, as root: apt-get install postgresql)." >&2
exit 1
