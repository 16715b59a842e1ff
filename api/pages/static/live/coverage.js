// How much was received of each exchange's trades: a strip of hours or days each, with the same in words.

import { byId, choices, make, setText } from "../dom.js";
import { getJson, moment, momentMs, serviceNow } from "../http.js";

const SPANS = { day: { step: "1h", cells: 24, seconds: 3600, says: "24 hours" }, month: { step: "1d", cells: 30, seconds: 86_400, says: "30 days" } };
const NAMED = 3; // cells of a strip that its text names

export class Coverage {
  #symbol = "";
  #span = SPANS.day;

  constructor() {
    choices(byId("coverage-span"), Object.entries(SPANS).map(([name, { says }]) => [name, says]), "day", (name) => {
      this.#span = SPANS[name];
      this.refresh().catch((error) => setText(byId("coverage-text"), error.message));
    });
  }

  show(symbol) {
    this.#symbol = symbol;
    byId("coverage").replaceChildren();
    setText(byId("coverage-text"), "");
    return this.refresh();
  }

  async refresh() {
    const [of, span] = [this.#symbol, this.#span];
    const end = Math.floor((moment ? momentMs() : serviceNow()) / 1000);
    const begin = end - (end % span.seconds) - (span.cells - 1) * span.seconds;
    const query = new URLSearchParams({ symbol: of, step: span.step, from: String(begin) });
    const answer = await getJson(`/api/market/coverage?${query}`);
    if (of === this.#symbol && span === this.#span) this.#paint(answer, span);
  }

  #paint({ venues, percent }, span) {
    const known = venues.filter(({ since }) => since);
    setText(byId("coverage-text"), known.length ? `Trades, ${percent} % of the last ${span.says}` : "Nothing is known yet");
    byId("coverage").replaceChildren(...known.map((one) => row(one, span)));
  }
}

function row(one, span) {
  const name = make("th", { text: one.venue, scope: "row" }, make("small", { text: one.symbol, className: "dim" }));
  const strip = make("div", { className: "strip", role: "img", "aria-label": inWords(one, span) });
  strip.append(...one.rows.map((cell) => mark(cell, span)));
  return make("tr", {}, name, make("td", {}, strip), make("td", { text: `${one.percent} %`, className: "number" }));
}

// A cell that is as full as its time was known; what was filled in later is marked as such.
function mark(cell, span) {
  const all = cell.live + cell.sampled + cell.filled + cell.unknown;
  const share = all ? (all - cell.unknown) / all : 0;
  const kind = cell.unknown === all ? "none" : cell.unknown ? "part" : cell.filled ? "later" : "whole";
  const bar = make("span", { className: kind, title: `${when(cell, span)}: ${figures(cell)}` });
  bar.style.setProperty("--known", `${Math.round(share * 100)}%`);
  return bar;
}

function inWords({ venue, symbol, percent, rows }, span) {
  const lacking = rows.filter(({ unknown }) => unknown).sort((a, b) => b.unknown - a.unknown);
  const named = lacking.slice(0, NAMED).map((cell) => `${when(cell, span)}: ${figures(cell)}`);
  const more = lacking.length > NAMED ? [`and ${lacking.length - NAMED} more`] : [];
  return [`${venue} ${symbol}, last ${span.says}: ${percent} % known`, ...named, ...more].join("; ");
}

const figures = (cell) => ["live", "sampled", "filled", "unknown"].filter((name) => cell[name]).map((name) => `${cell[name]} s ${name}`).join(", ");

function when({ timestamp }, { seconds }) {
  const shown = seconds < 86_400 ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" };
  return `${new Date(timestamp).toLocaleString("en-GB", { ...shown, timeZone: "UTC" })}${seconds < 86_400 ? " UTC" : ""}`;
}
