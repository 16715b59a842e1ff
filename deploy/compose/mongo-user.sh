#!/bin/sh
# Run once by MongoDB's image on an empty data directory: the user of the parts, who may read and write their database only.
set -eu
mongosh --quiet --username root --password "$(cat /run/secrets/mongo-root-password)" admin --eval '
    const password = require("fs").readFileSync("/run/secrets/mongo-password", "utf8").trim();
    db.createUser({ user: "hydrophone", pwd: password, roles: [{ role: "readWrite", db: "hydrophone" }] });
'
