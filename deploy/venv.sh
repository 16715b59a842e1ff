#!/bin/sh
# Makes .venv (VENV names another folder) hold exactly what a lock names: `sh deploy/venv.sh requirements.lock`.
# Does nothing, and needs no network, when it already does. PYTHON=/path/to/python chooses the interpreter, 3.11 or newer.
# The embedded document server runs with Python 3.11 to 3.13 only. So one of those is taken where it is there; where .venv has a
# newer one, that server gets a Python of its own in .venv/documents. Without one, or with MONGO_URL, nothing is made there.
# Then what is compiled is built where a C compiler is (CC chooses it); COMPILED=no removes it.
set -eu

lock=$1
venv=${VENV:-.venv}
stamp=$venv/installed-$lock
wider=$venv/installed-requirements-dev.lock
documents_lock=requirements-documents.lock
export PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf 'setup: %s\n' "$*" >&2; }
runs() { [ -x "$1" ] && "$1" -c '' 2>/dev/null; }
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_documents() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

find_documents_python() {
    for candidate in python3 python3.13 python3.12 python3.11; do
        if has_documents "$candidate"; then printf '%s\n' "$candidate"; return; fi
    done
    return 1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || { say "PYTHON=$PYTHON is no Python 3.11 or newer"; return 1; }
        printf '%s\n' "$PYTHON"
        return
    fi
    find_documents_python && return
    for candidate in python3 python3.17 python3.16 python3.15 python3.14; do
        if fits "$candidate"; then printf '%s\n' "$candidate"; return; fi
    done
    say "no Python 3.11 or newer found; install one or set PYTHON=/path/to/python3"
    return 1
}

# The development lock contains the other one, with the same versions.
fresh() {
    runs "$venv/bin/python" || return 1
    cmp -s "$lock" "$stamp" && return 0
    [ "$lock" = requirements.lock ] && cmp -s requirements.lock "$venv/base-of-dev" && cmp -s requirements-dev.lock "$wider"
}

# make_venv FOLDER PYTHON
make_venv() {
    say "creating $1 with $("$2" -V 2>&1)"
    rm -rf "$1"
    if "$2" -m venv "$1" >/dev/null 2>&1; then return; fi
    rm -rf "$1"
    "$2" -m venv --without-pip "$1" || { say "this Python cannot make virtual environments: install its venv module"; return 1; }
}

# install FOLDER LOCK: the lock is whole, so packages are not asked what they need: some pin what has no wheels for new Pythons.
# A Python without ensurepip (Debian's without python3-venv) gets its packages from a pip outside.
install() {
    if "$1/bin/python" -m pip --version >/dev/null 2>&1; then
        set -- "$1" "$2" "$1/bin/python" -m pip
    elif python3 -m pip --version >/dev/null 2>&1; then
        set -- "$1" "$2" python3 -m pip --python "$1/bin/python"
    elif command -v pip >/dev/null 2>&1; then
        set -- "$1" "$2" pip --python "$1/bin/python"
    else
        say "neither ensurepip nor pip is here: install python3-venv or python3-pip"
        return 1
    fi
    what=$2
    shift 2
    "$@" install -qq --progress-bar off --no-deps --require-hashes -r "$what"
}

compile() {
    [ "$venv" = .venv ] || return 0 # what is compiled fits every Python
    if [ "${COMPILED:-yes}" = no ]; then set -- --remove; else set -- ${CC:+--compiler "$CC"}; fi
    "$venv/bin/python" -m deploy.extension "$@"
}

documents_are_elsewhere() { [ -n "${MONGO_URL:-}" ] || grep -qs '^MONGO_URL=.' .env; }

# Where no Python for it is here the launcher says what is off; the next call looks again.
add_documents() {
    if has_documents "$venv/bin/python" || documents_are_elsewhere; then return; fi
    runs "$venv/documents/bin/python" && cmp -s "$documents_lock" "$venv/documents/installed" && return
    older=$(find_documents_python) || return 0
    make_venv "$venv/documents" "$older"
    say "installing the embedded document server there, which does not run with $("$venv/bin/python" -V)"
    install "$venv/documents" "$documents_lock"
    cp "$documents_lock" "$venv/documents/installed"
}

if fresh; then add_documents; compile; exit 0; fi
if ! runs "$venv/bin/python" || ! fits "$venv/bin/python"; then
    python=$(find_python)
    make_venv "$venv" "$python"
fi
say "installing $(grep -c '==' "$lock") packages from $lock (once; a minute or two)"
install "$venv" "$lock"
cp "$lock" "$stamp"
[ "$lock" = requirements-dev.lock ] && cp requirements.lock "$venv/base-of-dev"
add_documents
compile
say "done"
