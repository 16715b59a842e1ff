// Checks that a webhook comes from Hydrophone. Copy this file: it needs nothing but Node.
//
//   const { verify } = require("./verify.js");
//   verify(body, headers, secret)        // Standard Webhooks: throws, or returns the event
//   verifyOlder(body, headers, secret)   // X-Webhook-Signature: sha256=…
//
// `body` are the bytes as they came (a Buffer: in Express from express.raw()): JSON that was parsed and written again
// has other bytes. `secret` is what the registration answered, the whole of it; while one rotates, pass an array.
"use strict";

const crypto = require("node:crypto");

const TOLERANCE_SECONDS = 300; // how old, or how far ahead, a request may be

class VerificationError extends Error {}

function keyBytes(secret) {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret, "utf8");
}

function verify(body, headers, secrets, now = Date.now() / 1000) {
  const found = lowered(headers);
  const [name, stamp, signatures] = ["id", "timestamp", "signature"].map((part) => found[`webhook-${part}`]);
  if (!name || !stamp || !signatures) throw new VerificationError("a header webhook-… is missing");
  if (!/^[0-9]+$/.test(stamp)) throw new VerificationError("webhook-timestamp is no number of seconds");
  if (Math.abs(now - Number(stamp)) > TOLERANCE_SECONDS) throw new VerificationError("webhook-timestamp is too far from now");
  const signed = Buffer.concat([Buffer.from(`${name}.${stamp}.`, "utf8"), Buffer.from(body)]);
  const expected = [secrets].flat().map((secret) => crypto.createHmac("sha256", keyBytes(secret)).update(signed).digest("base64"));
  const given = signatures.split(" ").filter((text) => text.startsWith("v1,")).map((text) => text.slice(3));
  if (!anyEqual(given, expected)) throw new VerificationError("no signature fits");
  return JSON.parse(Buffer.from(body).toString("utf8"));
}

// The older scheme has no time: keep the event_ids that you have seen.
function verifyOlder(body, headers, secrets) {
  const given = [lowered(headers)["x-webhook-signature"] || ""];
  const expected = [secrets].flat().map(
    (secret) => "sha256=" + crypto.createHmac("sha256", Buffer.from(secret, "utf8")).update(Buffer.from(body)).digest("hex"),
  );
  if (!anyEqual(given, expected)) throw new VerificationError("X-Webhook-Signature does not fit");
  return JSON.parse(Buffer.from(body).toString("utf8"));
}

function lowered(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

// Compares each with each, in a time that says nothing of where they differ.
function anyEqual(given, expected) {
  let found = false;
  for (const text of given) {
    for (const one of expected) {
      const [a, b] = [Buffer.from(text), Buffer.from(one)];
      if (a.length === b.length && crypto.timingSafeEqual(a, b)) found = true;
    }
  }
  return found;
}

module.exports = { verify, verifyOlder, VerificationError, TOLERANCE_SECONDS };
