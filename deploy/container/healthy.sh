#!/bin/sh
# Whether the part that entrypoint.sh started in this container is ready: 0, or not 0 with the reason on standard error.
set -eu

part=$(cat "${TMPDIR:-/tmp}/hydrophone-part")
case $part in
    run | demo | api) place="${GPT_API_PORT:-${PORT:-8000}}/health/ready" ;;
    bot) place="${BOT_INTERNAL_PORT:-8080}/health" ;;
    producers | consumers | books | healer) place="${HYDROPHONE_METRICS_PORT:-9090}/health/ready" ;;
    *) exit 0 ;; # ends by itself
esac

exec python -c '
import sys, urllib.request
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=5)
except OSError as error:
    sys.exit(f"{sys.argv[1]}: {error}")
' "http://127.0.0.1:$place"
