#!/bin/sh
# Makes what is missing of the secrets that compose.yaml mounts: `sh deploy/compose/secrets.sh [directory]`.
# The directory is for its owner only. The files in it are readable, because containers read them as users of their own.
set -eu

directory=${1:-$(dirname "$0")/secrets}
mkdir -p "$directory"
chmod 0700 "$directory"
cd "$directory"

random() { od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'; }
save() { # name, text
    [ -e "$1" ] && return
    printf '%s' "$2" >"$1"
    chmod 0444 "$1"
    printf 'made %s\n' "$directory/$1"
}

for name in nats-parts-password nats-admin-password nats-subscriber-password mongo-root-password mongo-password \
    api-keys admin-keys key-pepper app-secret-key internal-auth-token grafana-admin-password; do
    save "$name" "$(random 24)"
done
save nats-url "nats://parts:$(cat nats-parts-password)@nats:4222"
save mongo-url "mongodb://hydrophone:$(cat mongo-password)@mongo:27017/hydrophone?authSource=admin&retryWrites=false&journal=true"
save webhook-signing-key "whsk_$(head -c 32 /dev/urandom | base64)"
save telegram-bot-token "" # BotFather's: without one no bot runs and nothing is sent
