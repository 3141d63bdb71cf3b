#!/bin/sh
# Gets the peers that are not Python packages: node-smpp into .interop; tshark, Kannel and Net::SMPP
# from the distribution where we may; opensmppbox built into .interop from the distribution's source of
# Kannel, because it packages all of Kannel but that. Quick when they are there. Never fails: what
# cannot be had is left out, said here, and skipped by the tests with the same words.
set -u
cd "$(dirname "$0")/../.."
mkdir -p .interop

left_out() { echo "interop: LEFT OUT $1: $2"; }

if [ -f .interop/node_modules/smpp/package.json ]; then
    echo "interop: node-smpp is there"
elif ! command -v npm >/dev/null 2>&1; then
    left_out node-smpp "there is no npm here"
elif npm install --prefix .interop --no-save --no-audit --no-fund --loglevel=error smpp@0.5.1; then
    echo "interop: node-smpp installed"
else
    left_out node-smpp "npm could not install it"
fi

# The package lists are fetched once at most, and only when something is missing.
updated=
install() { # what for people, the packages
    name=$1
    shift
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        left_out "$name" "it is not here, and only root can install it, by apt-get"
        return 1
    fi
    if [ -z "$updated" ] && ! apt-get update -qq; then
        left_out "$name" "apt-get could not fetch its lists"
        return 1
    fi
    updated=yes
    if DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>.interop/apt.log; then
        echo "interop: $name installed"
    else
        left_out "$name" "apt-get could not install it: $(tail -n 1 .interop/apt.log)"
        return 1
    fi
}

if command -v tshark >/dev/null 2>&1 && command -v text2pcap >/dev/null 2>&1; then
    echo "interop: tshark is there"
else
    install tshark tshark
fi

if perl -MNet::SMPP -MJSON::PP -e 1 2>/dev/null; then
    echo "interop: Net::SMPP is there"
else
    install Net::SMPP perl libnet-smpp-perl
fi

if [ -x /usr/sbin/bearerbox ]; then
    echo "interop: Kannel is there"
else
    install Kannel kannel
fi

# Debian's source of Kannel holds opensmppbox under addons/; kannel-dev is what it is linked with.
fetch_source() { # into the folder given
    lists=$1/apt
    mkdir -p "$lists/sources" "$lists/lists/partial" "$lists/cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [ -f "$file" ]; then
            sed -n 's/^deb /deb-src /p' "$file" >"$lists/sources/$(basename "$file" .list).list"
        fi
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        if [ -f "$file" ]; then
            sed 's/^Types:.*/Types: deb-src/' "$file" >"$lists/sources/$(basename "$file")"
        fi
    done
    # In lists of its own: the machine's stay as they are.
    set -- -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$lists/sources" \
        -o "Dir::State::lists=$lists/lists" -o "Dir::Cache=$lists/cache" -o APT::Sandbox::User=root
    apt-get "$@" update && (cd "$lists" && apt-get "$@" source --download-only --tar-only kannel)
}

build_opensmppbox() { # in the folder given
    tar -xzf "$1"/apt/kannel_*.orig.tar.gz -C "$1" --strip-components=2 --wildcards \
        '*/addons/opensmppbox/gw/*' || return 1
    printf '#define GW_NAME "opensmppbox"\n#define GW_VERSION "Debian"\n' \
        >"$1/opensmppbox/sb-config.h"
    # shellcheck disable=SC2046 # both print several words; the client library of MySQL has another name
    gcc -std=gnu99 -w $(gw-config --cflags) -I"$1/opensmppbox/gw" "$1/opensmppbox/gw/opensmppbox.c" \
        -o .interop/opensmppbox $(gw-config --libs | sed 's/-lmysqlclient_r//')
}

if [ -x .interop/opensmppbox ]; then
    echo "interop: opensmppbox is there"
elif [ ! -x /usr/sbin/bearerbox ]; then
    left_out opensmppbox "it serves Kannel, which is not here"
elif { command -v gw-config >/dev/null 2>&1 && command -v gcc >/dev/null 2>&1; } ||
    install "what opensmppbox is built with" kannel-dev gcc libc6-dev libxml2-dev libssl-dev; then
    folder=$(mktemp -d)
    if ! fetch_source "$(cd "$folder" && pwd)" >.interop/source.log 2>&1; then
        left_out opensmppbox "apt-get could not fetch Kannel's source: $(tail -n 1 .interop/source.log)"
    elif ! build_opensmppbox "$folder" >.interop/build.log 2>&1; then
        left_out opensmppbox "it could not be built: $(tail -n 1 .interop/build.log)"
    else
        echo "interop: opensmppbox built"
    fi
    rm -rf "$folder"
fi
exit 0
