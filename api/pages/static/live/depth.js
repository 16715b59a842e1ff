// One exchange's order book: what lies on each side up to each price, and the best levels as a table.

import { AreaSeries, LineType } from "../../lightweight-charts@5.2.1/lightweight-charts.mjs";
import { colours, priceChart } from "./charts.js";
import { byId, make, setText } from "../dom.js";
import { amount, decimals, percent, price } from "../format.js";
import { paintSoon } from "./paint.js";

const LEVELS = 5;
const STEPS = 160; // of the price axis, which is even only where its points are

export class Depth {
  #books = new Map(); // the newest message of each exchange's instrument
  #chosen = "";

  constructor() {
    this.chart = priceChart(byId("depth"), (chart) => this.#build(chart));
    byId("depth-of").addEventListener("change", ({ target }) => {
      this.#chosen = target.value;
      this.#paint();
    });
  }

  #build(chart) {
    const common = { lineType: LineType.WithSteps, lineWidth: 2, lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false };
    this.bids = chart.addSeries(AreaSeries, common);
    this.asks = chart.addSeries(AreaSeries, common);
    chart.timeScale().subscribeSizeChange(() => this.#fit(chart)); // it has no width before the page is laid out
    return () => {
      const { up, down, upFill, downFill } = colours();
      this.bids.applyOptions({ lineColor: up, topColor: upFill, bottomColor: upFill });
      this.asks.applyOptions({ lineColor: down, topColor: downFill, bottomColor: downFill });
    };
  }

  // Forget the books of another symbol.
  clear() {
    this.#books.clear();
    this.#chosen = "";
    byId("depth-of").replaceChildren();
    byId("levels").replaceChildren();
    this.bids.setData([]);
    this.asks.setData([]);
    setText(byId("depth-text"), "No order book yet");
  }

  onBook(book) {
    const name = `${book.exchange} ${book.symbol}`;
    const isNew = !this.#books.has(name);
    this.#books.set(name, book);
    if (isNew) paintSoon("depth-of", () => this.#list());
    if (name === this.#chosen) paintSoon("depth", () => this.#paint());
  }

  // Show the whole axis, however wide the chart is.
  #fit(chart) {
    if (this.#books.size) chart.timeScale().setVisibleLogicalRange({ from: 0, to: STEPS });
  }

  #list() {
    const names = [...this.#books.keys()].sort();
    if (!this.#books.has(this.#chosen)) this.#chosen = names.find((name) => !name.includes(":")) ?? names[0];
    byId("depth-of").replaceChildren(...names.map((text) => make("option", { text, value: text })));
    byId("depth-of").value = this.#chosen;
    this.#paint();
  }

  #paint() {
    const book = this.#books.get(this.#chosen);
    if (!book) return;
    const { bids, asks } = cumulated(book);
    this.bids.setData(bids);
    this.asks.setData(asks);
    this.chart.applyOptions({ localization: { precision: decimals(book.bids[0]?.price ?? book.asks[0]?.price ?? 1) } });
    this.#fit(this.chart);
    const unit = book.unit === "contracts" ? "contracts" : book.symbol.split("/")[0];
    const trust = book.quality === "live" ? "" : `, ${book.quality}`;
    setText(byId("depth-text"), `Amounts in ${unit}. Spread ${price(book.spread)}, imbalance ${percent(book.imbalance == null ? null : book.imbalance * 100)}${trust}`);
    byId("levels").replaceChildren(...Array.from({ length: LEVELS }, (_, at) => row(book.bids[at], book.asks[at])));
  }
}

// What lies from the best price to each point of an even axis, by side.
function cumulated({ bids, asks }) {
  const prices = [...bids, ...asks].map((level) => level.price);
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const axis = Array.from({ length: STEPS + 1 }, (_, at) => low + ((high - low) * at) / STEPS);
  const upTo = (levels, within) => levels.reduce((sum, level) => sum + (within(level.price) ? level.amount : 0), 0);
  return {
    bids: axis.map((time) => (time <= bids[0]?.price ? { time, value: upTo(bids, (one) => one >= time) } : { time })),
    asks: axis.map((time) => (time >= asks[0]?.price ? { time, value: upTo(asks, (one) => one <= time) } : { time })),
  };
}

function row(bid, ask) {
  const cell = (text, className = "") => make("td", { text, className: `number ${className}` });
  return make("tr", {}, cell(amount(bid?.amount)), cell(price(bid?.price), "up"), cell(price(ask?.price), "down"), cell(amount(ask?.amount)));
}
