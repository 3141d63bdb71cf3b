#!/bin/sh
# Gets the peers that are not Python packages: node-smpp into .interop, and tshark from the
# distribution where we may. Quick when they are there. Never fails: what cannot be had is left out,
# said here, and skipped by the tests with the same words.
set -u
cd "$(dirname "$0")/../.."

if [ -f .interop/node_modules/smpp/package.json ]; then
    echo "interop: node-smpp is there"
elif ! command -v npm >/dev/null 2>&1; then
    echo "interop: LEFT OUT node-smpp: there is no npm here"
elif mkdir -p .interop && npm install --prefix .interop --no-save --no-audit --no-fund \
    --loglevel=error smpp@0.5.1; then
    echo "interop: node-smpp installed"
else
    echo "interop: LEFT OUT node-smpp: npm could not install it"
fi

if command -v tshark >/dev/null 2>&1 && command -v text2pcap >/dev/null 2>&1; then
    echo "interop: tshark is there"
elif [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "interop: LEFT OUT tshark: it is not here, and only root can install it, by apt-get"
elif apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends tshark >/dev/null; then
    echo "interop: tshark installed"
else
    echo "interop: LEFT OUT tshark: apt-get could not install it"
fi
exit 0
