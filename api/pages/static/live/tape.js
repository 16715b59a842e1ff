// A list of rare events, newest first, each once: whale trades, liquidations or alerts.

import { byId, choices, make } from "../dom.js";
import { amount, clockTime, dayTime, price, usd } from "../format.js";
import { paintSoon } from "./paint.js";

const MOST = 500;

export class Tape {
  #events = []; // newest first
  #known = new Set();
  #base = "";
  #all = true;
  #rows = new Map();

  constructor(name, columns) {
    Object.assign(this, { name, columns });
    choices(byId(`${name}-of`), [["all", "All coins"], ["one", "This coin"]], "all", (value) => {
      this.#all = value === "all";
      this.#plan();
    });
  }

  // Which coin "this coin" is.
  set base(base) {
    this.#base = base;
    this.#plan();
  }

  // Add events, new or old, in any order.
  add(events) {
    const fresh = events.filter(({ id }) => !this.#known.has(id) && this.#known.add(id));
    if (!fresh.length) return;
    const dated = fresh.map((one) => ({ ...one, at: Date.parse(one.timestamp) }));
    this.#events = [...dated, ...this.#events].sort((a, b) => b.at - a.at); // of one moment the last to come is first
    for (const gone of this.#events.splice(MOST)) {
      this.#known.delete(gone.id);
      this.#rows.delete(gone.id);
    }
    this.#plan();
  }

  #plan() {
    paintSoon(this.name, () => this.#paint());
  }

  #paint() {
    const shown = this.#events.filter((one) => this.#all || one.symbol.split("/")[0] === this.#base);
    const body = byId(this.name);
    const rows = shown.map((one) => this.#row(one));
    const wanted = new Set(rows);
    for (const row of [...body.children]) if (!wanted.has(row)) row.remove();
    rows.forEach((row, at) => {
      if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
    });
    byId(`${this.name}-empty`).hidden = shown.length > 0;
  }

  #row(one) {
    if (!this.#rows.has(one.id)) this.#rows.set(one.id, makeRow(one, this.columns(one)));
    return this.#rows.get(one.id);
  }
}

function makeRow(one, { word, side, value, beneath = `at ${price(one.price)}` }) {
  const time = make("time", { text: clockTime(one.timestamp), datetime: one.timestamp, title: dayTime(one.timestamp) });
  const what = make("td", {}, make("span", { text: word, className: side }), ` ${one.symbol}`);
  what.append(make("small", { text: one.sim ? `${one.exchange}, simulated` : one.exchange, className: "dim" }));
  const worth = make("td", { text: value, className: "number" });
  worth.append(make("small", { text: beneath, className: "dim" }));
  return make("tr", { "data-id": one.id }, make("td", {}, time), what, worth);
}

export const whaleColumns = ({ side, usd_value }) => ({ word: side, side: side === "buy" ? "up" : "down", value: usd(usd_value) });

const SIDES = { long: "down", short: "up" }; // a long that is closed sells

// What an event of the stream is worth nobody has said yet: its size stands for it.
export const liquidationColumns = ({ position_side, usd_value, amount: size, symbol }) => ({
  word: position_side ?? "unknown",
  side: SIDES[position_side] ?? "",
  value: usd_value == null && size != null ? `${amount(size)} ${symbol.split("/")[0]}` : usd(usd_value),
});

const TURNS = { buy: "up", long: "down", sell: "down", short: "up" };

export const alertColumns = (one) => ({
  word: [one.kind.replaceAll("_", " "), one.side].filter(Boolean).join(" "),
  side: TURNS[one.side] ?? "",
  value: one.usd_value == null ? price(one.price) : usd(one.usd_value),
  beneath: [
    one.condition && one.threshold != null && `${one.condition} ${price(one.threshold)}`,
    one.stands_for > 1 && `${one.stands_for} times`,
    one.late && "late",
    one.note,
  ].filter(Boolean).join(", "),
});

// An alert as the tape has its events: what spans exchanges names its coin, and all of them.
export const asAlert = (one) => ({ ...one, symbol: one.symbol ?? one.base, exchange: one.exchange ?? one.exchanges.join(", ") });
