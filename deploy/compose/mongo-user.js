// Run once by MongoDB's image on an empty data directory: the user of the parts, who may read and write their database only.
const password = require("node:fs").readFileSync("/run/secrets/mongo-password", "utf8").trim();
db.getSiblingDB("admin").createUser({
  user: "hydrophone",
  pwd: password,
  roles: [{ role: "readWrite", db: "hydrophone" }],
});
