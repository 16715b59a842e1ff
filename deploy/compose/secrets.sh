#!/bin/sh
# Makes what is missing of the secrets that compose.yaml mounts: `sh deploy/compose/secrets.sh [directory]`.
# The directory is for its owner only. The files in it are readable, because containers read them as users of their own.
# nats/ has the URL of each user of the bus, its server's passwords, and its certificate with the authority that signed it;
# NATS_ADDRESS (nats:4222) is where parts find the server, NATS_NAMES (`DNS:…,DNS:…`) other names of it. Needs openssl.
set -eu

accounts=$(cd "$(dirname "$0")/../nats" && pwd)/accounts.conf
directory=${1:-$(dirname "$0")/secrets}
address=${NATS_ADDRESS:-nats:4222}
mkdir -p "$directory/nats"
chmod 0700 "$directory"
cd "$directory"

random() { od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'; }
save() { # name, text
    [ -e "$1" ] && return
    printf '%s' "$2" >"$1"
    chmod 0444 "$1"
    printf 'made %s\n' "$directory/$1"
}
certify() { # an authority, and the server's certificate by it
    host=${address%:*}
    names="DNS:$host,DNS:localhost,IP:127.0.0.1${NATS_NAMES:+,$NATS_NAMES}"
    new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650"
    $new -subj "/CN=Hydrophone's authority" -keyout nats/authority.key -out nats/ca.pem -addext keyUsage=critical,keyCertSign
    $new -subj "/CN=$host" -keyout nats/key.pem -out nats/cert.pem -CA nats/ca.pem -CAkey nats/authority.key \
        -addext "subjectAltName=$names" -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth
    rm nats/authority.key # nobody signs another one by it
    chmod 0444 nats/ca.pem nats/cert.pem nats/key.pem
    printf 'made %s\n' "$directory/nats/cert.pem"
}

for name in mongo-root-password mongo-password \
    api-keys admin-keys key-pepper app-secret-key internal-auth-token grafana-admin-password; do
    save "$name" "$(random 24)"
done
rm -f nats/passwords
for user in $(sed -n 's/^ *"user": "\([a-z-]*\)",$/\1/p' "$accounts"); do
    save "nats/$user" "tls://$user:$(random 24)@$address"
    password=$(sed 's|.*://[^:]*:\([^@]*\)@.*|\1|' "nats/$user")
    variable=$(printf '%s' "$user" | tr 'a-z-' 'A-Z_')_PASSWORD
    printf "%s='\"%s\"'\n" "$variable" "$password" >>nats/passwords # quoted for the server: one of digits is a number
done
chmod 0444 nats/passwords
command -v openssl >/dev/null || { printf 'openssl is needed for the certificate of the bus\n' >&2 && exit 1; }
[ -e nats/cert.pem ] || certify 2>/dev/null
save mongo-url "mongodb://hydrophone:$(cat mongo-password)@mongo:27017/hydrophone?authSource=admin&retryWrites=false&journal=true"
save webhook-signing-key "whsk_$(head -c 32 /dev/urandom | base64)"
save telegram-bot-token "" # BotFather's: without one no bot runs and nothing is sent
