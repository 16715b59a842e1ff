#!/bin/sh
# Makes .venv hold exactly what a lock names: `sh deploy/venv.sh requirements.lock`.
# Does nothing, and needs no network, when it already does. PYTHON=/path/to/python chooses the interpreter.
# Then what is compiled is built where a C compiler is (CC chooses it); COMPILED=no removes it.
set -eu

lock=$1
stamp=.venv/installed-$lock
wider=.venv/installed-requirements-dev.lock

say() { printf 'setup: %s\n' "$*" >&2; }
fits() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) or sys.version_info[:2] > (3, 13))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then printf '%s\n' "$candidate"; return; fi
    done
    say "no Python 3.11, 3.12 or 3.13 found; install one or set PYTHON=/path/to/python3"
    return 1
}

# The development lock contains the other one, with the same versions.
fresh() {
    [ -x .venv/bin/python ] || return 1
    .venv/bin/python -c '' 2>/dev/null || return 1
    cmp -s "$lock" "$stamp" && return 0
    [ "$lock" = requirements.lock ] && cmp -s requirements.lock .venv/base-of-dev && cmp -s requirements-dev.lock "$wider"
}

make_venv() {
    python=$(find_python)
    say "creating .venv with $("$python" -V 2>&1)"
    rm -rf .venv
    if "$python" -m venv .venv >/dev/null 2>&1; then return; fi
    rm -rf .venv
    "$python" -m venv --without-pip .venv || { say "this Python cannot make virtual environments: install its venv module"; return 1; }
}

# A Python without ensurepip (Debian's without python3-venv) gets its packages from a pip outside.
pip_install() {
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        .venv/bin/python -m pip "$@"
    elif python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip --python .venv/bin/python "$@"
    elif command -v pip >/dev/null 2>&1; then
        pip --python .venv/bin/python "$@"
    else
        say "neither ensurepip nor pip is here: install python3-venv or python3-pip"
        return 1
    fi
}

compile() {
    if [ "${COMPILED:-yes}" = no ]; then set -- --remove; else set -- ${CC:+--compiler "$CC"}; fi
    .venv/bin/python -m deploy.extension "$@"
}

if fresh; then compile; exit 0; fi
[ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && fits .venv/bin/python || make_venv
say "installing $(grep -c '==' "$lock") packages from $lock (once; a minute or two)"
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
pip_install install -qq --progress-bar off --require-hashes -r "$lock"
cp "$lock" "$stamp"
[ "$lock" = requirements-dev.lock ] && cp requirements.lock .venv/base-of-dev
compile
say "done"
