#!/bin/sh
# The bus with the `nats` command line tool (https://github.com/nats-io/natscli): one question, then ten trades.
# Reads the bus's address from NATS_URL, or from the run.json that HYDROPHONE_DATA holds.
set -eu
data="${HYDROPHONE_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/hydrophone}"
for place in "$data" "$data/demo" "$data/run"; do
  [ -n "${NATS_URL:-}" ] || [ ! -f "$place/run.json" ] ||
    NATS_URL=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["nats"]["url"])' "$place/run.json")
done
[ -n "${NATS_URL:-}" ] || { echo "No running copy was found: start make demo, or set NATS_URL" >&2; exit 1; }
nats --server "$NATS_URL" request cmd.v1.market.price '{"symbol":"BTC"}'
nats --server "$NATS_URL" subscribe 'md.v1.trade.>' --count 10
