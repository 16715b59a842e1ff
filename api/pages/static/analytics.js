// Use of the API: figures of a period, and of the last minutes again and again. Needs a key with the scope `admin`.

import { Timeline } from "./analytics/timeline.js";
import { byId, choices, make, setText } from "./dom.js";
import { clockTime, compact, ms } from "./format.js";
import { getJson, pause } from "./http.js";
import { startShell } from "./shell.js";

const PERIODS = [[1, "1 h"], [24, "24 h"], [24 * 7, "7 days"], [24 * 30, "30 days"]];
const EVERY_MS = 5_000;
const STATS_EVERY = 12; // of these: the figures of a period are kept for a minute
let period = 24;
const timeline = new Timeline();

const share = (value) => (value == null ? "–" : `${(100 * value).toFixed(value > 0.99 ? 2 : 1)} %`);
const cell = (text, className) => make("td", { text: String(text ?? "–"), ...(className ? { className } : {}) });
const row = (...cells) => make("tr", {}, ...cells);
const number = (value) => cell(value, "number");

startShell();
choices(byId("periods"), PERIODS, period, (chosen) => {
  period = chosen;
  showStats();
});
for (let turn = 0; ; turn += 1) {
  if (turn % STATS_EVERY === 0) await showStats();
  await showNow();
  await pause(EVERY_MS);
}

async function showStats() {
  const asked = period;
  const data = await load(`/admin/analytics/stats?period_hours=${asked}`);
  if (!data || asked !== period) return;
  setText(byId("requests"), compact(data.requests));
  setText(byId("success"), share(data.success_rate));
  setText(byId("hits"), share(data.cache_hit_rate));
  setText(byId("p50"), ms(data.ms?.p50));
  setText(byId("p95"), ms(data.ms?.p95));
  setText(byId("dropped"), compact(data.dropped));
  timeline.show(data);
  byId("endpoints").replaceChildren(...data.endpoints.map((one) => row(
    cell(`${one.method} ${one.endpoint}`), number(compact(one.requests)), number(compact(one.refused)), number(compact(one.errors)),
    number(ms(one.ms?.p50)), number(ms(one.ms?.p95)), number(ms(one.ms?.p99)),
  )));
  for (const name of ["symbols", "keys", "errors"]) {
    byId(name).replaceChildren(...data[name].map((one) => row(cell(one.name), number(compact(one.requests)))));
  }
}

async function showNow() {
  const data = await load("/admin/analytics/realtime");
  if (!data) return;
  setText(byId("rate"), data.requests_per_second.toFixed(1));
  setText(byId("active"), String(data.active_keys));
  byId("slow").replaceChildren(...data.slow.map((one) => row(
    cell(clockTime(one.timestamp)), cell(`${one.method} ${one.endpoint}`), cell(one.symbol), cell(one.key), number(one.status), number(ms(one.ms)),
  )));
}

// Return the data of an answer; undefined, with the reason on the page, where there is none.
async function load(path) {
  const notice = byId("notice");
  try {
    const { data } = await getJson(path);
    notice.hidden = true;
    return data;
  } catch (error) {
    notice.hidden = false;
    setText(notice, error.code === "FORBIDDEN" ? "That key may not see this: it needs the scope admin. Forget it and show another one." : error.message);
    return undefined;
  }
}
