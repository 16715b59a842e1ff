// Requests to this service: with the key of this tab, as JSON, refusals as errors, and the service's clock.

const KEY = "hydrophone.key";
const MOST_TRIES = 6;
let asking = null;
let clock = { least: -Infinity, most: Infinity }; // the service's clock less ours, in ms, lies between

// The moment of the past that the page shows, as `as_of` of its address has it; nothing while it is live.
export const moment = new URLSearchParams(location.search).get("as_of") ?? "";
const UPTO = /^\/api\/market\/(ohlc|coverage)/; // these end at a time; the others are of one

// A path as of the moment that the page shows.
function dated(path) {
  if (!moment || !/^\/(gpt|multi|api\/market)\//.test(path)) return path;
  const url = new URL(path, location.origin);
  const name = UPTO.test(path) ? "to" : "as_of";
  if (!url.searchParams.has(name)) url.searchParams.set(name, moment);
  return `${url.pathname}${url.search}`;
}

// That moment in ms since 1970: ISO 8601, or seconds or milliseconds as a number, as the API reads it.
export function momentMs() {
  if (!/^\d+$/.test(moment)) return Date.parse(moment.replace(" ", "+"));
  return Number(moment) < 100_000_000_000 ? Number(moment) * 1000 : Number(moment);
}

export class ApiError extends Error {
  constructor(status, code, message, wait) {
    super(message);
    Object.assign(this, { status, code, wait });
  }
}

export const readKey = () => sessionStorage.getItem(KEY) ?? "";
export const forgetKey = () => sessionStorage.removeItem(KEY);
export const saveKey = (key) => sessionStorage.setItem(KEY, key);

// What asks a person for the key: given whether a key was refused, it resolves once there is another one.
let askForKey = () => Promise.reject(new Error("nobody to ask for a key"));
export const onKeyNeeded = (ask) => { askForKey = ask; };

// Resolve once another key may be tried than the one that was refused; many who ask at once share one dialog.
export function needKey(refused) {
  if (readKey() !== refused) return Promise.resolve();
  asking ??= askForKey(refused !== "").finally(() => { asking = null; });
  return asking;
}

// Resolve once there is a key, where none may be missing.
export const ready = () => (document.body.dataset.key === "needed" && !readKey() ? needKey("") : Promise.resolve());

export function request(path, { headers = {}, ...more } = {}) {
  const key = readKey();
  const own = key ? { Authorization: `Bearer ${key}` } : {};
  return fetch(path, { ...more, headers: { ...own, ...headers } });
}

// Return the JSON of a path; asks for a key as often as one is refused; other refusals are thrown.
export async function getJson(path) {
  await ready();
  for (;;) {
    const key = readKey();
    const sent = Date.now();
    const response = await request(dated(path), { headers: { Accept: "application/json" } });
    const body = await response.json().catch(() => null);
    if (response.status === 401) {
      await needKey(key);
    } else if (response.ok) {
      if (body?.timestamp) setClock(body.timestamp, sent, Date.now());
      return body;
    } else {
      throw refusal(response, body);
    }
  }
}

const PASSING = new Set([429, 502, 503, 504]);

// Return the JSON of a path, also where the service is busy or away for a while; `isWanted` ends the trying.
export async function getPatiently(path, isWanted) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await getJson(path);
    } catch (error) {
      const isPassing = !(error instanceof ApiError) || PASSING.has(error.status);
      if (!isPassing || tries === MOST_TRIES) throw error;
      await (error.wait ? pause(error.wait * 1000) : backoff(tries + 1));
      if (!isWanted()) throw error;
    }
  }
}

export function refusal(response, body) {
  const error = body?.error ?? {};
  const code = error.code ?? error;
  const wait = Number(response.headers.get("retry-after")) || 0;
  return new ApiError(response.status, code, error.message ?? body?.detail ?? response.statusText, wait);
}

// An answer was made after its request was sent and before it came: every one narrows how far the clocks are apart.
function setClock(timestamp, sent, received) {
  const made = Date.parse(timestamp);
  const least = Math.max(clock.least, made - received);
  const most = Math.min(clock.most, made - sent);
  clock = least <= most ? { least, most } : { least: made - received, most: made - sent }; // a clock was set
}

// The time by the service's clock, in ms; by ours while nothing says that they differ.
export const serviceNow = () => Date.now() + Math.min(clock.most, Math.max(clock.least, 0));

export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Wait before try number `tries` (from 0): longer each time, not in step with others; at once when the network is back.
export function backoff(tries, most = 10_000) {
  const wait = navigator.onLine ? Math.min(most, 250 * 2 ** tries) * (0.5 + Math.random() / 2) : most;
  return Promise.race([pause(wait), new Promise((done) => { addEventListener("online", done, { once: true }); })]);
}
