// `node examples/nats_subscribe.mjs 'md.v1.*.*.BTC.>'`: one question, then every event of a subject.
// Needs `npm install @nats-io/transport-node`; reads the bus's address from run.json, or from NATS_URL.
import { connect } from "@nats-io/transport-node";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

function address() {
  if (process.env.NATS_URL) return process.env.NATS_URL;
  const home = process.env.XDG_DATA_HOME || join(homedir(), ".local", "share");
  const data = process.env.HYDROPHONE_DATA || join(home, "hydrophone");
  const found = ["", "demo", "run"].map((name) => join(data, name, "run.json")).find((path) => existsSync(path));
  if (!found) throw new Error("No running copy was found: start `make demo`, or set NATS_URL");
  return JSON.parse(readFileSync(found, "utf8")).nats.url;
}

const url = new URL(address());
const bus = await connect({ servers: url.host, user: url.username, pass: url.password });
const reply = await bus.request("cmd.v1.market.price", '{"symbol":"BTC"}', { timeout: 5000 });
console.log("BTC is", reply.json().price);
for await (const message of bus.subscribe(process.argv[2] ?? "md.v1.trade.>")) {
  console.log(message.subject, message.string());
}
