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

printf '%s\n' "$part" >"${TMPDIR:-/tmp}/hydrophone-part" # for healthy.sh
# shellcheck disable=SC2086 # a module and its own arguments
exec python -m $module "$@"
