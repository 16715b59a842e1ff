// How each exchange's feed is, asked for every few seconds.

import { byId, make, setText } from "../dom.js";
import { ms, seconds } from "../format.js";

export function paintFeeds({ data }) {
  const feeds = Object.entries(data).sort(([a], [b]) => a.localeCompare(b));
  const live = feeds.filter(([, feed]) => feed.connected && feed.state === "live").length;
  setText(byId("feeds-text"), `${live} of ${feeds.length} live`);
  byId("feeds").replaceChildren(...feeds.map(row));
}

function row([name, feed]) {
  const { venue_ms: venue = {}, bus_ms: bus = {} } = feed.latency;
  const number = (text) => make("td", { text, className: "number" });
  const state = make("td", {}, make("span", { text: feed.connected ? feed.state ?? "unknown" : "disconnected", className: `badge ${stateClass(feed)}` }));
  if (feed.sim) state.append(" ", make("span", { text: "simulated", className: "badge sim" }));
  if (feed.reason && feed.state !== "live") state.append(" ", make("small", { text: feed.reason, className: "dim" }));
  return make(
    "tr", {},
    make("th", { text: name, scope: "row" }), state,
    number(seconds(feed.last_message_age)),
    number(ms(venue.p50)), number(ms(venue.p99)), number(ms(bus.p50)), number(ms(bus.p99)),
    number(String(feed.reconnects)), number(String(feed.gaps)),
  );
}

function stateClass({ connected, state }) {
  if (!connected) return "stale";
  return state === "live" ? "live" : "gap";
}
