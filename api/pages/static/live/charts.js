// Charts in the page's colours, light or dark, by TradingView's Lightweight Charts.

import { createChart, createOptionsChart } from "../../lightweight-charts@5.2.1/lightweight-charts.mjs";

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return { text: read("--dim"), line: read("--line"), up: read("--up"), down: read("--down"), upFill: read("--up-fill"), downFill: read("--down-fill") };
}

function options() {
  const { text, line } = colours();
  return {
    autoSize: true,
    layout: { background: { color: "transparent" }, textColor: text, fontFamily: "inherit", attributionLogo: false },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
    kineticScroll: { touch: !still.matches, mouse: false },
    handleScroll: { mouseWheel: false, vertTouchDrag: false }, // the page itself scrolls
    handleScale: { mouseWheel: false },
  };
}

function follow(chart, restyle) {
  restyle();
  dark.addEventListener("change", () => {
    chart.applyOptions(options());
    restyle();
  });
  return chart;
}

// The library takes times for UTC: they are written as the rest of the page has them, by the reader's clock.
const asDate = (time) => new Date(time * 1000);
const MARKS = [{ year: "numeric" }, { month: "short" }, { day: "numeric", month: "short" }, { hour: "2-digit", minute: "2-digit" }];
const localTimes = {
  timeScale: { timeVisible: true, secondsVisible: false, tickMarkFormatter: (time, type) => asDate(time).toLocaleString("en-GB", MARKS[Math.min(type, 3)]) },
  localization: { timeFormatter: (time) => asDate(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) },
};

// A chart over time; `restyle` colours its series, now and whenever light and dark change.
export const timeChart = (container, build) => {
  const chart = createChart(container, options());
  chart.applyOptions(localTimes);
  return follow(chart, build(chart));
};

// A chart over prices.
export const priceChart = (container, build) => {
  const chart = createOptionsChart(container, options());
  return follow(chart, build(chart));
};
