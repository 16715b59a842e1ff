// Figures, times and ages as people read them.

const plain = new Map();

function digits(most, least = 0) {
  const name = `${least}-${most}`;
  if (!plain.has(name)) {
    plain.set(name, new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most }));
  }
  return plain.get(name);
}

const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });
const NONE = "–";

// How many decimals a price of this size is read with.
export function decimals(price) {
  const size = Math.abs(price);
  if (size >= 1_000_000) return 0;
  if (size >= 1_000) return 2;
  if (size >= 1) return 4;
  return Math.min(10, 4 - Math.floor(Math.log10(size || 1)));
}

export const price = (value) => (value == null ? NONE : digits(decimals(value), Math.min(2, decimals(value))).format(value));
export const amount = (value) => (value == null ? NONE : digits(value >= 100 ? 2 : 5).format(value));
export const compact = (value) => (value == null ? NONE : short.format(value));
export const usd = (value) => (value == null ? NONE : `$${short.format(value)}`);
export const percent = (value) => (value == null ? NONE : `${value > 0 ? "+" : value < 0 ? "−" : ""}${digits(2, 2).format(Math.abs(value))} %`);
export const ms = (value) => (value == null ? NONE : value >= 10_000 ? `${digits(1, 1).format(value / 1000)} s` : `${digits(value < 10 ? 1 : 0).format(value)} ms`);
export const seconds = (value) => (value == null ? NONE : value < 120 ? `${digits(1, 1).format(value)} s` : `${digits(0).format(value / 60)} min`);
export const clockTime = (iso) => new Date(iso).toLocaleTimeString("en-GB", { hour12: false });
export const dayTime = (iso) => new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
