// The liquidation map: what was liquidated at each price, longs to the left, shorts to the right, and where that is from.

import { byId, choices, make, setText } from "../dom.js";
import { compact, price, usd } from "../format.js";
import { getPatiently } from "../http.js";
import { paintSoon } from "./paint.js";

const WINDOWS = ["1h", "4h", "24h", "7d", "30d"];
const MOST_ROWS = 70; // of the picture: buckets far away from the others are only in the sums
const LABELS = 5; // every so many rows have their price

export class LiquidationMap {
  #symbol = "";
  #window = "24h";
  #shown = null;

  constructor() {
    choices(byId("map-windows"), WINDOWS.map((name) => [name, name]), this.#window, (name) => {
      this.#window = name;
      this.refresh();
    });
  }

  // Show the map of another symbol.
  async show(symbol) {
    this.#symbol = symbol;
    this.#take(null);
    await this.refresh();
  }

  async refresh() {
    const [symbol, window] = [this.#symbol, this.#window];
    if (!symbol) return;
    const isWanted = () => symbol === this.#symbol && window === this.#window;
    try {
      const { data } = await getPatiently(`/gpt/liqmap?${new URLSearchParams({ symbol, window })}`, isWanted);
      if (isWanted()) this.#take(data);
    } catch (error) {
      if (isWanted()) setText(byId("map-text"), error.message);
    }
  }

  #take(data) {
    this.#shown = data;
    paintSoon("map", () => this.#paint());
  }

  #paint() {
    const map = this.#shown;
    byId("map-sampled").hidden = !map?.sampled;
    setText(byId("map-of"), map ? map.base : "");
    byId("map").replaceChildren(...(map?.buckets.length ? bars(map) : []));
    byId("map-venues").replaceChildren(...(map?.venues ?? []).map(venueRow));
    setText(byId("map-text"), map ? summary(map) : "No liquidations yet");
  }
}

function summary({ totals, window, step, held_from: since, sim }) {
  if (!totals.count) return `No liquidations in ${window}${sim ? ", simulated" : ""}`;
  return [
    `${usd(totals.total_usd)} in ${window}: longs ${usd(totals.long_usd)}, shorts ${usd(totals.short_usd)}`,
    totals.unknown_usd && `no side ${usd(totals.unknown_usd)}`,
    totals.unvalued && `${totals.unvalued} of ${totals.count} without a value`,
    `rows of ${price(step)}`,
    since && `only since ${new Date(since).toLocaleString("en-GB")}`,
    sim && "simulated",
  ].filter(Boolean).join(", ");
}

// One row a bucket, the highest price first, those without a liquidation too; the present price is marked.
function bars({ buckets, step, price: now }) {
  const widest = Math.max(...buckets.flatMap((one) => [one.long_usd, one.short_usd + one.unknown_usd])) || 1;
  const rows = filled(middle(buckets, step), step);
  return rows.flatMap((bucket, at) => {
    const isNow = now != null && now >= bucket.low && now < bucket.high;
    const text = isNow ? price(now) : at % LABELS === 0 ? price(bucket.low) : "";
    return [
      make("div", { className: "longs" }, bar(bucket.long_usd, widest)),
      make("div", { className: isNow ? "price-mark now" : "price-mark", text }),
      make("div", { className: "shorts" }, bar(bucket.short_usd, widest), bar(bucket.unknown_usd, widest)),
    ];
  });
}

function bar(value, widest) {
  const one = make("i");
  one.style.width = `${(100 * value) / widest}%`;
  return one;
}

// The buckets that fit into the picture: around the one at which half of everything was liquidated.
function middle(buckets, step) {
  const sums = buckets.map((one) => one.long_usd + one.short_usd + one.unknown_usd);
  const half = sums.reduce((sum, one) => sum + one, 0) / 2;
  let upTo = 0;
  const at = buckets[Math.max(0, sums.findIndex((one) => (upTo += one) >= half))];
  const reach = (MOST_ROWS / 2) * step;
  return buckets.filter((one) => Math.abs(one.low - at.low) < reach);
}

function filled(buckets, step) {
  const number = (one) => Math.round(one.low / step);
  const byNumber = new Map(buckets.map((one) => [number(one), one]));
  const [first, last] = [number(buckets[0]), number(buckets.at(-1))];
  const empty = (at) => ({ low: at * step, high: (at + 1) * step, long_usd: 0, short_usd: 0, unknown_usd: 0 });
  return Array.from({ length: last - first + 1 }, (_, back) => byNumber.get(last - back) ?? empty(last - back));
}

function venueRow({ exchange, long_usd: longs, short_usd: shorts, count, sampled, sim, coverage }) {
  const number = (text, more = "") => make("td", { text, className: `number ${more}` });
  const name = make("th", { scope: "row", text: exchange });
  if (sampled) name.append(" ", make("span", { text: "a sample", className: "badge" }));
  if (sim) name.append(" ", make("span", { text: "simulated", className: "badge sim" }));
  return make(
    "tr", {}, name, number(usd(longs)), number(usd(shorts)), number(compact(count), "roomy"),
    number(coverage ? `${coverage.percent} %` : "unknown"),
  );
}
