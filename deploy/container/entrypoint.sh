#!/bin/sh
# What a container runs: without arguments the whole product on embedded servers against the real exchanges, with the name
# of a part that part (further arguments are the part's), and anything else as a command.
set -eu

[ $# -gt 0 ] || set -- run
part=$1
case $part in
    run | demo) module="deploy.launch $part" ;;
    producers | consumers | api | bot) module=$part ;;
    books) module="consumers books" ;;
    provision) module=runtime.provision ;;
    healer) module="runtime.provision --keep" ;;
    check) module="runtime.settings --check" ;;
    doctor) module=runtime.doctor ;;
    backup) module=deploy.backup ;;
    *) exec "$@" ;;
esac
shift

case $part in
    run | demo) ;; # the launcher says it of each part
    *) # what is large is given back when it is freed, and all threads share a pool
        export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-2}"
        export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_-131072}"
        export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_-131072}"
        ;;
esac
printf '%s\n' "$part" >"${TMPDIR:-/tmp}/hydrophone-part" # for healthy.sh
# shellcheck disable=SC2086 # a module and its own arguments
exec python -m $module "$@"
