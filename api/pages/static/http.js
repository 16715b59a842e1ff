// Requests to this service: with the key of this tab, as JSON, refusals as errors, and the service's clock.

const KEY = "hydrophone.key";
let asking = null;
let offset = 0; // the service's clock less ours, in ms
let quickest = Infinity;

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
    const response = await request(path, { headers: { Accept: "application/json" } });
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

export function refusal(response, body) {
  const error = body?.error ?? {};
  const code = error.code ?? error;
  const wait = Number(response.headers.get("retry-after")) || 0;
  return new ApiError(response.status, code, error.message ?? body?.detail ?? response.statusText, wait);
}

// The quickest answer says most about the clock: it was made about halfway.
function setClock(timestamp, sent, received) {
  const took = received - sent;
  if (took > quickest) return;
  quickest = took;
  offset = Date.parse(timestamp) - (sent + received) / 2;
}

// The time by the service's clock, in ms.
export const serviceNow = () => Date.now() + offset;

export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Wait before try number `tries` (from 0): longer each time, not in step with others; at once when the network is back.
export function backoff(tries, most = 10_000) {
  const wait = navigator.onLine ? Math.min(most, 250 * 2 ** tries) * (0.5 + Math.random() / 2) : most;
  return Promise.race([pause(wait), new Promise((done) => { addEventListener("online", done, { once: true }); })]);
}
