// GET /events by fetch, which can send a key: resumes after the last event that was received, so that none is missed.

import { backoff, needKey, readKey, ready, refusal, request } from "../http.js";

const SILENT_MS = 40_000;

// Follow the events of a query for ever; `onState` is called with "live" or why not.
export async function followEvents(query, onEvent, onState) {
  let last = "";
  const onId = (id) => { last = id; };
  await ready();
  for (let tries = 0; ; tries += 1) {
    const began = Date.now();
    try {
      await readOnce(query, last, { onEvent, onId, onLive: () => onState("live") });
    } catch (error) {
      if (error.status === 401) {
        await needKey(error.key);
        continue;
      }
      onState(error.message);
    }
    if (Date.now() - began > 5_000) tries = 0;
    await backoff(tries);
  }
}

async function readOnce(query, last, { onEvent, onId, onLive }) {
  const abort = new AbortController();
  const stop = () => abort.abort(new Error("offline"));
  addEventListener("offline", stop);
  const watch = setInterval(() => {
    if (Date.now() - received > SILENT_MS) abort.abort(new Error("nothing was received for a while"));
  }, 1_000);
  let received = Date.now();
  try {
    const key = readKey();
    const headers = { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) };
    const response = await request(`/events?${query}`, { headers, cache: "no-store", signal: abort.signal });
    if (!response.ok) throw Object.assign(refusal(response, await response.json().catch(() => null)), { key });
    onLive();
    const parse = makeParser(onEvent, onId);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("the stream ended");
      received = Date.now();
      parse(value);
    }
  } finally {
    clearInterval(watch);
    removeEventListener("offline", stop);
    abort.abort();
  }
}

// A parser of event streams (HTML standard, 9.2.6) that is fed text as it arrives.
export function makeParser(onEvent, onId) {
  let rest = "";
  let data = [];
  let id = null;
  const onLine = (line) => {
    if (line === "") {
      if (data.length) onEvent(JSON.parse(data.join("\n")));
      if (id !== null) onId(id); // after its event: what was not shown is sent again
      data = [];
      id = null;
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "id") id = value;
  };
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(onLine);
  };
}
