// The live market: one symbol's prices, candles and depth by /ws, everybody's whales, liquidations and alerts, and one's own, by /events.

import { Candles } from "./live/candles.js";
import { Coverage } from "./live/coverage.js";
import { Depth } from "./live/depth.js";
import { byId, make, setQuality, setText } from "./dom.js";
import { followEvents } from "./live/events.js";
import { paintFeeds } from "./live/feeds.js";
import { Latency } from "./live/latency.js";
import { compact, ms, percent, price, seconds } from "./format.js";
import { LiquidationMap } from "./live/map.js";
import { backoff, getJson, getPatiently, moment, pause, serviceNow } from "./http.js";
import { paintSoon, setPaused } from "./live/paint.js";
import { showReach, startPast } from "./live/past.js";
import { startShell } from "./shell.js";
import { MarketSocket } from "./live/socket.js";
import { Tape, alertColumns, asAlert, liquidationColumns, whaleColumns } from "./live/tape.js";
import { Venues } from "./live/venues.js";

const SNAPSHOT_MS = 10_000;
const FEEDS_MS = 10_000;
const COVERAGE_MS = 60_000;
const MAP_MS = 30_000;
const STALE_MS = 30_000;
const PACE = 1; // seconds between two states of a book or a candle
const BACKFILLED = 50;
const MEASURED = 200;

startShell();
const venues = new Venues();
const depth = new Depth();
const coverage = new Coverage();
const map = new LiquidationMap();
const latency = new Latency();
const tapes = {
  whale: new Tape("whales", whaleColumns),
  liquidation: new Tape("liquidations", liquidationColumns),
  alert: new Tape("alerts", alertColumns),
};
const links = { prices: "connecting", events: "connecting" };
const delays = [];
let symbol = "";
let shown = null; // the newest price message
let shownAt = 0;

const socket = moment
  ? { hold() {} } // of the past nothing is streamed
  : new MarketSocket({ onMessage, onState: (state) => setLink("prices", state) });
const candles = new Candles(socket);

function onMessage(message) {
  switch (message.type) {
    case "price_update":
      if (message.symbol === symbol) onPrice(message);
      break;
    case "candle":
      if (message.timeframe === "1m") venues.onCandle(message);
      candles.onCandle(message);
      break;
    case "book":
      venues.onBook(message);
      depth.onBook(message);
      break;
    case "error":
      setNotice(message.message);
      break;
    default:
  }
}

function onPrice(message) {
  shown = message;
  shownAt = performance.now();
  paintSoon("price", paintPrice);
}

function paintPrice() {
  const now = shown;
  setText(byId("price"), price(now.price));
  setText(byId("quote"), now.quote);
  setText(byId("change"), percent(now.change_24h));
  byId("change").className = now.change_24h < 0 ? "down" : "up";
  setText(byId("high"), price(now.high));
  setText(byId("low"), price(now.low));
  setText(byId("volume"), `${compact(now.volume_24h)} ${symbol.split("/")[0]}`);
  setText(byId("bid"), price(now.bid));
  setText(byId("ask"), price(now.ask));
  document.title = `${price(now.price)} ${symbol} – Hydrophone`;
  paintAge();
}

// The age grows while nothing arrives; what is old says so, whatever was said of it when it came.
function paintAge() {
  if (!shown) return;
  const age = shown.age + (moment ? 0 : (performance.now() - shownAt) / 1000);
  setText(byId("age"), seconds(age));
  const isOld = age * 1000 > STALE_MS || (!moment && links.prices !== "live");
  setQuality(byId("quality"), isOld ? "stale" : shown.quality === "sim" ? "live" : shown.quality);
  byId("simulated").hidden = !shown.sim;
  document.body.classList.toggle("old", isOld);
}

function onEvent(event) {
  const tape = tapes[event.type];
  if (event.type === "gap") setNotice("Some events may have been lost on the way.");
  if (!tape) return;
  tape.add([event.type === "alert" ? asAlert(event) : event]);
  if (event.type === "alert") return; // its delay is that of what it tells of
  paintSoon(`delay ${event.id}`, () => {
    delays.push(Math.max(0, serviceNow() - Date.parse(event.timestamp)));
    delays.splice(0, delays.length - MEASURED);
    paintDelays();
  });
}

function paintDelays() {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  setText(byId("latency"), `${ms(at(0.5))} · ${ms(at(0.95))}`);
}

function setLink(name, state) {
  links[name] = state;
  const wrong = Object.entries(links).filter(([, one]) => one !== "live");
  const badge = byId("link");
  badge.className = `badge ${wrong.length ? "stale" : "live"}`;
  setText(badge, wrong.length ? wrong.map(([one, why]) => `${one}: ${why}`).join(", ") : "connected");
  paintAge();
}

function setNotice(text) {
  byId("notice").hidden = !text;
  setText(byId("notice"), text);
}

async function choose(next) {
  symbol = next;
  shown = null;
  venues.clear();
  depth.clear();
  const base = next.split("/")[0];
  Object.values(tapes).forEach((tape) => { tape.base = base; });
  history.replaceState(null, "", `?${new URLSearchParams({ symbol: next, ...(moment && { as_of: moment }) })}`);
  socket.hold("symbol", [
    { channel: "price", symbol: next },
    { channel: "book", symbol: next, interval: PACE },
    { channel: "candles", symbol: next, timeframe: "1m", interval: PACE },
  ]);
  const calendar = coverage.show(next).catch((error) => setNotice(error.message));
  await Promise.all([candles.show(next), refresh(), backfill(next), calendar, map.show(next)]);
}

// What was before this page was opened.
async function backfill(of) {
  const query = new URLSearchParams({ symbol: of, limit: BACKFILLED });
  const isWanted = () => of === symbol;
  const take = async (path, add) => add(await getPatiently(`${path}?${query}`, isWanted));
  await Promise.allSettled([
    take("/gpt/whale", ({ data }) => tapes.whale.add(data)),
    take("/gpt/liq", ({ data }) => tapes.liquidation.add(data.recent)),
  ]);
}

async function refresh() {
  const of = symbol;
  try {
    const { data } = await getJson(`/gpt/raw?symbol=${encodeURIComponent(of)}`);
    if (of === symbol) venues.onSnapshot(data);
    if (moment && of === symbol) await showPast(data);
    setNotice("");
  } catch (error) {
    setNotice(error.message);
  }
}

// What the streams bring while the page is live, once: the price, and the deepest book.
async function showPast(data) {
  showReach(data);
  onPrice(data);
  depth.onBook((await getJson(`/gpt/orderbook?${new URLSearchParams({ symbol, depth: 50 })}`)).data);
}

async function keep(every, work) {
  for (;;) {
    if ((moment || !document.hidden) && navigator.onLine) await work().catch((error) => setNotice(error.message));
    if (moment) return; // it does not change any more
    await pause(every);
  }
}

async function listSymbols() {
  for (let tries = 0; ; tries += 1) {
    try {
      const { data } = await getJson("/multi/symbols");
      const bases = [...new Set(data.map(({ base }) => base))].sort();
      if (bases.length) return bases;
      setNotice("No exchange has sent anything yet.");
    } catch (error) {
      setNotice(error.message);
    }
    await backoff(tries);
  }
}

async function start() {
  const bases = await listSymbols();
  const wanted = new URLSearchParams(location.search).get("symbol");
  const names = wanted && !bases.includes(wanted) ? [wanted, ...bases] : bases;
  const select = byId("symbol");
  select.replaceChildren(...names.map((text) => make("option", { text, value: text })));
  select.value = wanted ?? (bases.includes("BTC") ? "BTC" : bases[0]);
  select.addEventListener("change", () => choose(select.value));
  await choose(select.value);
  if (!moment) {
    keep(SNAPSHOT_MS, refresh);
    keep(COVERAGE_MS, () => coverage.refresh());
    keep(MAP_MS, () => map.refresh());
  }
  keep(FEEDS_MS, async () => {
    const health = await getJson("/multi/health");
    paintFeeds(health);
    latency.show(health);
  });
}

byId("pause").addEventListener("click", ({ target }) => {
  const isPaused = target.getAttribute("aria-pressed") !== "true";
  target.setAttribute("aria-pressed", String(isPaused));
  setPaused(isPaused);
});
setInterval(() => paintSoon("age", paintAge), 500);
startPast(() => symbol);
if (!moment) followEvents("channels=whales,liquidations,alerts", onEvent, (state) => setLink("events", state));
start();
