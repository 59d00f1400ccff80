#!/bin/sh
# Bring the programs that only tests need. Through apt where that may be done without asking anybody (as root, or
# with a sudo that wants no password); elsewhere it says what brings them and the tests that need them are skipped.
set -eu

missing=""

has_chromium() {
    for candidate in "${SEAWALL_TEST_CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

has_chromium || missing="$missing chromium"
command -v clamdscan >/dev/null 2>&1 || missing="$missing clamdscan"
# Installed on a person's own machine, these would start services that nobody asked for: there, their tests are skipped.
if [ "${CI:-}" = true ]; then
    command -v squid >/dev/null 2>&1 || missing="$missing squid"
    command -v c-icap-client >/dev/null 2>&1 || missing="$missing c-icap"
    command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
    command -v caddy >/dev/null 2>&1 || missing="$missing caddy"
fi
command -v curl >/dev/null 2>&1 || missing="$missing curl"

[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo="sudo -n"; else sudo="none"; fi
    fi
    if [ "$sudo" != "none" ]; then
        echo "Installing what tests need:$missing"
        # shellcheck disable=SC2086  # both are lists of words
        if $sudo apt-get update -qq &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
        then
            exit 0
        fi
        echo "apt could not install them; its message stands above."
    fi
    echo "Some tests will be skipped; this brings what they need:  sudo apt-get install$missing"
else
    echo "Some tests will be skipped for want of:$missing"
    echo "(Chrome will do for Chromium; SEAWALL_TEST_CHROMIUM=/path/to/it says where it is.)"
fi
