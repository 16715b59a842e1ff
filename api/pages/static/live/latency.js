// How long each part of an event's way takes, by exchange, of one kind of event.

import { byId, choices, make } from "../dom.js";
import { ms } from "../format.js";

const KINDS = ["trade", "ticker", "book", "liquidation"];
const HOPS = ["receive", "publish", "fold"];

export class Latency {
  #kind = KINDS[0];
  #feeds = [];

  constructor() {
    choices(byId("hops-of"), KINDS.map((kind) => [kind, kind]), this.#kind, (kind) => {
      this.#kind = kind;
      this.#paint();
    });
  }

  show({ data }) {
    this.#feeds = Object.entries(data).sort(([a], [b]) => a.localeCompare(b));
    this.#paint();
  }

  #paint() {
    const rows = this.#feeds.filter(([, { hops }]) => HOPS.some((hop) => hops?.[hop]?.[this.#kind]));
    byId("hops-empty").hidden = rows.length > 0;
    byId("hops").replaceChildren(...rows.map(([name, feed]) => row(name, feed, this.#kind)));
  }
}

function row(name, { hops, clock_offset_ms: offset }, kind) {
  const number = (text, more = "") => make("td", { text, className: `number ${more}` });
  const shares = (found) => (found ? [found.p50, found.p95, found.p99].map(ms).join(" · ") : "–");
  return make(
    "tr", {}, make("th", { text: name, scope: "row" }),
    ...HOPS.map((hop) => number(shares(hops?.[hop]?.[kind]))), number(ms(offset), "roomy"),
  );
}
