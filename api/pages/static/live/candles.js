// The candles of the exchange with most volume: history once, then the open candle as it changes.

import { CandlestickSeries, HistogramSeries } from "../../lightweight-charts@5.2.1/lightweight-charts.mjs";
import { colours, timeChart } from "./charts.js";
import { byId, choices, setText } from "../dom.js";
import { clockTime, compact, decimals, price } from "../format.js";
import { getPatiently, moment, momentMs } from "../http.js";
import { paintSoon } from "./paint.js";

const TIMEFRAMES = ["1m", "5m", "15m", "1h", "4h", "1d"];
const EVERYBODYS = "1m"; // held for the prices by exchange already
const SHOWN = 300;
const MINUTES = { "1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440 };
const PACE = 1; // seconds

export class Candles {
  #timeframe = "1m";
  #symbol = "";
  #of = null; // the exchange and instrument that are shown
  #newest = 0;
  #turn = 0;

  constructor(socket) {
    this.socket = socket;
    this.chart = timeChart(byId("candles"), (chart) => this.#build(chart));
    choices(byId("timeframes"), TIMEFRAMES.map((one) => [one, one]), this.#timeframe, (one) => {
      this.#timeframe = one;
      this.show(this.#symbol);
    });
  }

  #build(chart) {
    this.bars = chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.bars.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.2 } });
    this.volumes = chart.addSeries(HistogramSeries, { priceScaleId: "", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
    return () => {
      const { up, down, upFill, downFill } = colours();
      this.bars.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
      this.fills = { up: upFill, down: downFill };
      this.volumes.setData(this.volumes.data().map((bar, at) => ({ ...bar, color: this.#fill(this.bars.dataByIndex(at)) })));
    };
  }

  #fill = (bar) => (bar && bar.close < bar.open ? this.fills.down : this.fills.up);

  // Show a symbol at the chosen timeframe; raises what the service refuses.
  async show(symbol) {
    const turn = this.#turn += 1;
    this.#symbol = symbol;
    this.#of = null;
    const own = { channel: "candles", symbol, timeframe: this.#timeframe, interval: PACE };
    this.socket.hold("candles", this.#timeframe === EVERYBODYS ? [] : [own]);
    const query = new URLSearchParams({ symbol, timeframe: this.#timeframe, limit: SHOWN });
    if (moment) query.set("to", new Date(momentMs() - MINUTES[this.#timeframe] * 60_000 + 1).toISOString()); // those that were closed
    let reply;
    try {
      reply = await getPatiently(`/api/market/ohlc?${query}`, () => turn === this.#turn);
    } catch (error) {
      if (turn === this.#turn) this.#clear(error.message);
      return;
    }
    if (turn !== this.#turn) return; // another one was chosen meanwhile
    this.#of = { exchange: reply.exchange, symbol: reply.instrument };
    setText(byId("candles-of"), `${reply.instrument} on ${reply.exchange}`);
    this.#draw(reply.candles);
  }

  #clear(why) {
    this.bars.setData([]);
    this.volumes.setData([]);
    setText(byId("candles-of"), "");
    setText(byId("candles-text"), why);
  }

  #draw(candles) {
    const bars = candles.map(toBar);
    const last = bars.at(-1);
    const places = decimals(last?.close ?? 1);
    this.bars.applyOptions({ priceFormat: { type: "price", precision: places, minMove: 10 ** -places } });
    this.bars.setData(bars);
    this.volumes.setData(bars.map(({ time, volume, ...bar }) => ({ time, value: volume, color: this.#fill(bar) })));
    this.#newest = last?.time ?? 0;
    this.chart.timeScale().setVisibleLogicalRange({ from: bars.length - 90, to: bars.length + 3 });
    if (last) this.#describe(last);
  }

  onCandle(message) {
    const of = this.#of;
    if (!of || message.timeframe !== this.#timeframe || message.exchange !== of.exchange || message.symbol !== of.symbol) return;
    const bar = toBar({ ...message, timestamp: message.start });
    if (bar.time < this.#newest) return; // of the history already, and there it is whole
    this.#newest = bar.time;
    paintSoon("candle", () => {
      this.bars.update(bar);
      this.volumes.update({ time: bar.time, value: bar.volume, color: this.#fill(bar) });
      this.#describe(bar);
    });
  }

  #describe({ time, open, high, low, close, volume }) {
    const began = clockTime(new Date(time * 1000).toISOString());
    setText(byId("candles-text"), `Since ${began}: open ${price(open)}, high ${price(high)}, low ${price(low)}, close ${price(close)}, volume ${compact(volume)}`);
  }
}

function toBar({ timestamp, open, high, low, close, volume }) {
  return { time: Date.parse(timestamp) / 1000, open, high, low, close, volume };
}
