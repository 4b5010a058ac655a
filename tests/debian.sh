# Read by the scripts that make sure of what tests need from Debian; runs nothing by itself.

# install WHAT_FOR SERVICE PACKAGE...: installs Debian's packages and exits with 0 where that is allowed: to root, and on a machine of
# CI. Returns elsewhere. SERVICE is "service" where Debian would start one at once, which a person's machine is spared.
install() {
    what_for=$1 service=$2
    shift 2
    # On a person's machine nothing is installed with sudo unasked.
    root=
    [ "$(id -u)" = 0 ] || root="sudo --non-interactive"
    command -v apt-get >/dev/null || return 0
    [ -n "$CI" ] || { [ -z "$root" ] && { [ "$service" != service ] || [ ! -d /run/systemd/system ]; }; } || return 0
    echo "Installing for $what_for: $* ..."
    log=$(mktemp)
    # shellcheck disable=SC2086  # sudo with its option is two words
    if {
        $root apt-get update &&
            $root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
    } >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
}
