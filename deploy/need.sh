#!/bin/sh
# Makes sure that the named programs are there: with apt-get or brew where it can, else one clear line.
set -eu

found() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin" command -v "$1" >/dev/null 2>&1 && return 0
    case "$1" in
    postgresql)
        for folder in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /usr/pgsql-*/bin; do
            [ -x "$folder/initdb" ] && return 0
        done
        command -v initdb >/dev/null 2>&1
        ;;
    mosquitto-clients) command -v mosquitto_sub >/dev/null 2>&1 ;;
    influxdb)
        command -v influxd >/dev/null 2>&1 ||
            [ -x /opt/homebrew/opt/influxdb@1/bin/influxd ] || [ -x /usr/local/opt/influxdb@1/bin/influxd ]
        ;;
    chromium)
        command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
            [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] ||
            [ -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ]
        ;;
    *) return 1 ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        return 1
    fi
}

with_apt() {
    command -v apt-get >/dev/null 2>&1 || return 1
    echo "installing $1 with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    case "$1" in
    influxdb | victoria-metrics) apt_without_service "$1" && return 0 || return 1 ;;
    esac
    as_root apt-get install -y -qq "$1" >/dev/null 2>&1 ||
        { as_root apt-get update -qq >/dev/null 2>&1 && as_root apt-get install -y -qq "$1" >/dev/null 2>&1; } ||
        { [ "$1" = chromium ] && as_root apt-get install -y -qq chromium-browser >/dev/null 2>&1; }
}

# The tests start servers of their own: the package's service is neither started nor left to start at boot.
# A unit that is masked is not started by the package; without systemd the runlevel 1 has the same effect.
apt_without_service() {
    with_systemd=$([ -d /run/systemd/system ] && command -v systemctl || true)
    [ -z "$with_systemd" ] || as_root systemctl --quiet mask "$1.service" >/dev/null 2>&1 || return 1
    install="env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $1"
    got=0
    as_root $install >/dev/null 2>&1 ||
        { as_root apt-get update -qq >/dev/null 2>&1 && as_root $install >/dev/null 2>&1; } || got=1
    if [ -n "$with_systemd" ]; then
        as_root systemctl --quiet unmask "$1.service" >/dev/null 2>&1 || true
        [ $got != 0 ] || as_root systemctl --quiet disable "$1.service" >/dev/null 2>&1 || true
    elif [ $got = 0 ]; then
        as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
    fi
    return $got
}

with_brew() {
    command -v brew >/dev/null 2>&1 || return 1
    echo "installing $1 with brew"
    case "$1" in
    chromium) brew install --quiet --cask chromium ;;
    postgresql) brew install --quiet postgresql@17 ;;
    mosquitto-clients) brew install --quiet mosquitto ;;
    influxdb) brew install --quiet influxdb@1 ;;
    victoria-metrics) brew install --quiet victoriametrics ;;
    *) brew install --quiet "$1" ;;
    esac
}

for program in "$@"; do
    found "$program" && continue
    with_apt "$program" || with_brew "$program" || true
    found "$program" && continue
    case "$program" in
    chromium) echo "chromium is missing: the browser tests will be skipped (install chromium to run them)" >&2 ;;
    influxdb | victoria-metrics) echo "$program is missing: the tests on it will be skipped (install $program to run them)" >&2 ;;
    *)
        echo "$program is missing: install it (apt-get install $program, or brew install $program) and try again" >&2
        exit 1
        ;;
    esac
done
