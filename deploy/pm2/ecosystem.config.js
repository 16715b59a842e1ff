// Every part under PM2, on NATS and MongoDB of your own: `pm2 start deploy/pm2/ecosystem.config.js`, `pm2 save`.
// Settings come from `.env` in the root of the checkout; `pm2 start … --only api` takes one part.
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
const binaries = path.join(root, ".venv", "bin");

function part(name, memory, port) {
  return {
    name: `hydrophone-${name}`,
    cwd: root,
    script: path.join(root, "deploy", "container", "entrypoint.sh"),
    interpreter: "/bin/sh",
    args: name,
    autorestart: true,
    exp_backoff_restart_delay: 250,
    max_memory_restart: memory,
    kill_timeout: 30000, // consumers finish what they began and give their leases back
    merge_logs: true,
    time: false, // the log lines have their own
    env: {
      PATH: `${binaries}${path.delimiter}${process.env.PATH}`,
      PYTHONUNBUFFERED: "1",
      ...(port ? { HYDROPHONE_METRICS_PORT: String(port) } : {}),
    },
  };
}

module.exports = {
  apps: [
    part("healer", "256M", 9093),
    part("producers", "1G", 9090),
    part("consumers", "1536M", 9091),
    part("api", "512M"),
    part("bot", "512M"), // ends at once where TELEGRAM_BOT_TOKEN is not set: `pm2 delete hydrophone-bot`
  ],
};
