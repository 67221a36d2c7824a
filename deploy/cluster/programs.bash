# shellcheck shell=bash
# Finds Java and Postgres, and downloads Kafka and the registry once, with Maven. For the `cluster` script and the
# checks. A script that sources this must define `fail`.

deploy_cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ORDERS_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/orders-cluster}
# runuser is in /usr/sbin or /sbin, which are not in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin

log() { printf '%3d s  %s\n' "$SECONDS" "$*"; }

# Succeeds if a program listens on this port of this host.
is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Waits until TEST succeeds.
eventually() { # SECONDS WHAT TEST…
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "timed out waiting until: $what"
        sleep 0.05
    done
}

# Prints the first Java that is new enough.
java_from() { # VERSION
    local java version
    for java in "${JAVA_HOME:-/nowhere}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*/bin/java \
        /Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java; do
        [ -x "$java" ] || continue
        version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
        if [ "${version:-0}" -ge "$1" ]; then echo "$java"; return; fi
    done
    fail "needs Java $1 or later; install one, or set JAVA_HOME"
}

postgres_bin() {
    local bin
    [ "$(id -u)" != 0 ] || command -v runuser >/dev/null || fail "needs runuser, or a user other than root"
    for bin in "${PG_BIN:-/nowhere}" "$(dirname "$(command -v initdb || echo /nowhere/x)")" \
        $(printf '%s\n' /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin | sort -rV); do
        if [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ]; then echo "$bin"; return; fi
    done
    fail "needs the programs of a Postgres server (Debian: apt-get install postgresql); or set PG_BIN"
}

# Downloads the programs that pom.xml names, once for each version of that file. Downloads to a temporary folder and
# renames it at the end, so that a partial download is never used.
programs() {
    command -v curl >/dev/null || fail "needs curl"
    programs=$cache/$(cksum <"$deploy_cluster/pom.xml" | cut -d' ' -f1)
    [ -d "$programs" ] && return
    command -v mvn >/dev/null || fail "needs Maven to download Kafka and the registry"
    log "downloading Kafka and the registry (210 MB, once)"
    mkdir -p "$cache"
    local fetched
    fetched=$(mktemp -d "$cache/fetching.XXXXXX")
    for part in kafka registry; do
        mvn -q -B -f "$deploy_cluster/pom.xml" -P"$part" dependency:copy-dependencies -DoutputDirectory="$fetched/$part" \
            >"$fetched/log" 2>&1 || { cat "$fetched/log" >&2; rm -rf "$fetched"; fail "Maven could not download $part"; }
    done
    tar -xzf "$fetched"/registry/*.tar.gz -C "$fetched/registry"
    rm "$fetched"/registry/*.tar.gz "$fetched/log"
    mv -T "$fetched" "$programs" 2>/dev/null || mv "$fetched" "$programs"
}

kafka_tool() { # CLASS ARG…
    local java
    programs
    java=$(java_from 17)
    "$java" -Xmx128m -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile="$deploy_cluster/log4j2.xml" \
        -Dorders.log.level=ERROR -cp "$programs/kafka/*" "$@"
}

# Runs a command for Postgres. Postgres refuses to run as root, so root runs it as another user.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && exec runuser -u "$(id -un postgres 2>/dev/null || echo nobody)" -- "$@")
    else
        "$@"
    fi
}
