// The use of the API over a period: requests with those that failed, and how long answers took.

import { HistogramSeries, LineSeries } from "../../lightweight-charts@5.2.1/lightweight-charts.mjs";
import { byId, setText } from "../dom.js";
import { compact, dayTime, ms } from "../format.js";
import { colours, timeChart } from "../live/charts.js";

const QUIET = { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false };

export class Timeline {
  constructor() {
    const count = { ...QUIET, priceFormat: { type: "volume" } };
    timeChart(byId("load"), (chart) => {
      this.load = chart;
      chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.15, bottom: 0 } });
      this.requests = chart.addSeries(HistogramSeries, count);
      this.bad = chart.addSeries(HistogramSeries, count);
      return () => {
        const { up, down } = colours();
        this.requests.applyOptions({ color: up });
        this.bad.applyOptions({ color: down });
      };
    });
    timeChart(byId("times"), (chart) => {
      this.times = chart;
      const line = { ...QUIET, lineWidth: 2, priceFormat: { type: "custom", minMove: 0.01, formatter: ms } };
      this.p95 = chart.addSeries(LineSeries, line);
      this.p50 = chart.addSeries(LineSeries, { ...line, lineStyle: 2 });
      return () => {
        const { down, text } = colours();
        this.p95.applyOptions({ color: down });
        this.p50.applyOptions({ color: text });
      };
    });
  }

  // Show the figures of a period.
  show({ start, end, stretch_seconds: length, timeline }) {
    const parts = whole(start, end, length, timeline);
    this.requests.setData(parts.map((part) => ({ time: part.time, value: part.requests })));
    this.bad.setData(parts.map((part) => ({ time: part.time, value: part.refused + part.errors })));
    for (const [series, name] of [[this.p95, "p95"], [this.p50, "p50"]]) {
      series.setData(parts.map(({ time, ms: took }) => (took ? { time, value: took[name] } : { time })));
    }
    this.load.timeScale().fitContent();
    this.times.timeScale().fitContent();
    if (!timeline.length) {
      setText(byId("load-text"), "No requests in this period");
      setText(byId("times-text"), "No requests in this period");
      return;
    }
    const most = timeline.reduce((one, other) => (other.requests > one.requests ? other : one));
    const slowest = timeline.reduce((one, other) => ((other.ms?.p95 ?? 0) > (one.ms?.p95 ?? 0) ? other : one));
    const of = `${length / 60} min`;
    setText(byId("load-text"), `Requests in each ${of}, those refused or failed below in red; most: ${compact(most.requests)} from ${dayTime(most.start)}`);
    setText(byId("times-text"), `95th percentile, and the median dashed, of each ${of}; slowest: ${ms(slowest.ms?.p95)} from ${dayTime(slowest.start)}`);
  }
}

// Return every part of the period: one without requests as such, not as a line drawn through it.
function whole(start, end, length, timeline) {
  const found = new Map(timeline.map((part) => [Date.parse(part.start) / 1000, part]));
  const parts = [];
  const first = Math.floor(Date.parse(start) / 1000 / length) * length;
  for (let time = first; time <= Date.parse(end) / 1000; time += length) {
    parts.push({ time, requests: 0, refused: 0, errors: 0, ms: null, ...found.get(time), start: undefined });
  }
  return parts;
}
