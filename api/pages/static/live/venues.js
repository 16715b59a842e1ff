// Prices by exchange: all of a symbol's every few seconds, last, bid and ask as the stream brings them.

import { byId, make, setQuality, setText } from "../dom.js";
import { percent, price } from "../format.js";
import { paintSoon } from "./paint.js";

export class Venues {
  #rows = new Map();

  clear() {
    this.#rows.clear();
    byId("venues").replaceChildren();
  }

  // Take what a snapshot says of every exchange.
  onSnapshot({ exchanges }) {
    const found = new Set(exchanges.map(nameOf));
    for (const [name, row] of this.#rows) {
      if (!found.has(name)) {
        row.element.remove();
        this.#rows.delete(name);
      }
    }
    const fresh = exchanges.filter((one) => !this.#rows.has(nameOf(one)));
    fresh.forEach((one) => this.#rows.set(nameOf(one), makeRow(one)));
    if (fresh.length) byId("venues").replaceChildren(...[...this.#rows.keys()].sort().map((name) => this.#rows.get(name).element));
    exchanges.forEach((one) => this.#change(one, one));
  }

  onCandle(message) {
    this.#change(message, { price: message.close });
  }

  onBook(message) {
    this.#change(message, { bid: message.bids[0]?.price, ask: message.asks[0]?.price, quality: message.quality });
  }

  #change(of, parts) {
    const row = this.#rows.get(nameOf(of));
    if (!row) return;
    const before = row.now.price;
    Object.assign(row.now, parts);
    if (before != null && row.now.price !== before) row.moved = row.now.price > before ? "up" : "down";
    paintSoon(`venue ${nameOf(of)}`, () => paintRow(row));
  }
}

const nameOf = ({ exchange, symbol }) => `${exchange} ${symbol}`;

function makeRow({ exchange, symbol }) {
  const cells = { price: number(), bid: number("roomy"), ask: number("roomy"), change_24h: number() };
  const badge = make("span", { className: "badge" });
  const name = make("th", { scope: "row" }, make("span", { text: exchange }), make("small", { text: symbol, className: "dim" }));
  const element = make("tr", {}, name, ...Object.values(cells), make("td", {}, badge));
  return { element, cells, badge, now: {}, moved: "" };
}

const number = (more = "") => make("td", { className: `number ${more}` });

function paintRow({ element, cells, badge, now, moved }) {
  setText(cells.price, price(now.price));
  setText(cells.bid, price(now.bid));
  setText(cells.ask, price(now.ask));
  setText(cells.change_24h, percent(now.change_24h));
  cells.price.className = `number ${moved}`;
  element.classList.toggle("unsure", now.quality === "stale" || now.quality === "gap");
  setQuality(badge, now.quality);
}
