# Sourced by scripts/test: the servers that tests talk to, and a place without a network for both.
#
# Orthanc listens on all addresses whatever its configuration says. So it and the tests that talk to
# it run in a network namespace of their own, in which there is nothing but the loopback.

_PACKAGES="orthanc orthanc-dicomweb postgresql dcmtk dicom3tools"

_servers_here() {
    command -v Orthanc > /dev/null && command -v dcmftest > /dev/null &&
        ls /usr/share/orthanc/plugins/*DicomWeb* /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1
}

_servers_install() { # nothing is asked, and no service is started
    [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || return 1
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod +x "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' RETURN
    fi
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of words
    { timeout 300 apt-get update -qq &&
        timeout 600 apt-get install -y -qq --no-install-recommends $_PACKAGES iproute2; } \
        > /dev/null 2>&1 < /dev/null
}

_servers_namespace() { # runs its arguments where there is nothing but the loopback
    local how=(unshare --net)
    [ "$(id -u)" = 0 ] || how=(unshare --user --map-current-user --keep-caps --net)
    "${how[@]}" -- sh -c 'ip link set lo up && exec "$@"' sh "$@"
}

_servers_run() { # runs its arguments beside the servers; says why and fails where it cannot be done
    if ! _servers_here && ! { _servers_install && _servers_here; }; then
        echo "real servers: cannot be installed here ($_PACKAGES; Debian, as root, with a network)"
        return 1
    elif ! _servers_namespace true 2> /dev/null; then
        echo "real servers: no network namespace can be made here (unshare --net, ip)"
        return 1
    fi
    echo "real servers: Orthanc and PostgreSQL, without a network"
    # said, so that a test whose server does not start then fails and is not skipped
    _servers_code=0
    COHORTKIT_SERVERS=1 _servers_namespace "$@" || _servers_code=$?
}
