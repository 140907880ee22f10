#!/bin/sh
# Checks one authorization server, keeps the last runs, and fails only on what is new.
#
#   nightly.sh PROFILE [ARGUMENT OF grantproof check]...
#
# Secrets come from the environment, as the profile names them. Also read from there:
#   GRANTPROOF         the command (grantproof)
#   GRANTPROOF_HOME    where runs are kept, a folder for each profile's name (nightly)
#   GRANTPROOF_KEEP    how many runs are kept (14)
#   GRANTPROOF_ACCEPT  yes: what this run finds is known from now on
#
# The exit code is that of grantproof check (docs/ci.md); against a baseline, 1 means a new finding. A run that finds
# nothing new becomes the baseline; one that does never does so by itself, so that a finding stays red until it is
# mended or accepted. The first run is judged alone. What a good run says goes to stdout, the rest to stderr, for cron.
set -eu
umask 077
LC_ALL=C
export LC_ALL

stop() { # nobody was judged, so neither 0 nor 1
    printf 'nightly: %s\n' "$2" >&2
    exit "$1"
}

[ $# -gt 0 ] || stop 2 'usage: nightly.sh PROFILE [ARGUMENT OF grantproof check]...'
profile=$1
shift
keep=${GRANTPROOF_KEEP:-14}
case $keep in
'' | 0* | *[!0-9]*) stop 2 "GRANTPROOF_KEEP: '$keep' is no number of runs" ;;
esac
case ${GRANTPROOF_ACCEPT:-no} in
yes | true | 1) accept=yes ;;
no | false | 0) accept=no ;;
*) stop 2 "GRANTPROOF_ACCEPT: '$GRANTPROOF_ACCEPT' is neither yes nor no" ;;
esac

name=${profile##*/}
place=${GRANTPROOF_HOME:-nightly}/${name%.toml}
baseline=$place/baseline.json
run=$place/runs/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$place/runs" || stop 4 "$place/runs cannot be made"
mkdir "$place/lock" || stop 4 "another run is under way; if none is, one was killed: remove $place/lock"
trap 'rmdir "$place/lock"' EXIT
trap 'exit 130' HUP INT TERM
mkdir "$run" || stop 4 "$run cannot be made"
printf '%s\n' "$run" >"$place/last" || stop 4 "$place/last cannot be written"

first=yes
if [ -f "$baseline" ]; then
    first=no
    set -- --baseline "$baseline" "$@"
fi
code=0
"${GRANTPROOF:-grantproof}" check --idp "$profile" --out "$run" "$@" >"$run/output.txt" 2>&1 || code=$?

become=no
case $accept-$first-$code in
yes-*-[013]) become=yes says='accepted: this run is the baseline from now on' ;;
*-yes-[01]) become=yes says='the first run; it is the baseline from now on' ;;
*-0) become=yes says='nothing new; this run is the baseline from now on' ;;
*-no-1) says='worse than the baseline, which stays; GRANTPROOF_ACCEPT=yes accepts what was found' ;;
*-3) says='inconclusive; no baseline comes of it' ;;
*) says="no verdict, exit code $code; no baseline comes of it" ;;
esac
if [ $become = yes ]; then
    [ -f "$run/results.json" ] || stop 4 "$run/results.json is not there; --report has to name json"
    cp "$run/results.json" "$baseline.new" || stop 4 "$baseline.new cannot be written"
    mv -f "$baseline.new" "$baseline" || stop 4 "$baseline cannot be replaced"
fi
if [ $accept-$code = yes-1 ]; then code=0; fi

to=2
if [ $code = 0 ]; then to=1; fi
{
    cat "$run/output.txt"
    printf 'nightly: %s\nnightly: %s\n' "$says" "$run"
} >&$to

# Names sort by time, and the run of today is the last.
set -- "$place"/runs/[0-9]*Z
while [ $# -gt "$keep" ]; do
    rm -rf -- "$1" || stop 4 "$1 cannot be removed"
    shift
done
exit $code
