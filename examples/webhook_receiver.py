"""`python examples/webhook_receiver.py [port]`: receives webhooks, checks them, drops what comes twice, shows the rest.

With WEBHOOK_SECRET it checks with that. Without, it registers itself at a running copy, which has to allow it:
`HYDROPHONE_WEBHOOK_ALLOW=127.0.0.1`; it takes its endpoint away at the end.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import httpx
from place import api, run_facts
from webhooks.verify import VerificationError, verify

MOST_BYTES = 1_000_000
REMEMBERED = 10_000
EVENTS = ["whale", "liquidation", "storm", "cluster", "feed_status"]


class Receiver(ThreadingHTTPServer):
    """Knows the secret, and which events it has had: an event may come again, with the id that it had."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.secret = os.environ.get("WEBHOOK_SECRET", "")
        self.seen: OrderedDict[str, None] = OrderedDict()

    def is_new(self, event_id: str) -> bool:
        """Whether an event was not seen before; it is from now on."""
        if event_id in self.seen:
            return False
        self.seen[event_id] = None
        if len(self.seen) > REMEMBERED:
            self.seen.popitem(last=False)
        return True


class Handler(BaseHTTPRequestHandler):
    """Answers at once: what takes long belongs behind the answer, or the sender takes it for a failure."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Check what was posted, and show it where it is new."""
        receiver = cast("Receiver", self.server)
        length = int(self.headers.get("content-length", "0"))
        if length > MOST_BYTES:
            return self.answer(413)
        body = self.rfile.read(length)
        try:
            event = verify(body, dict(self.headers), receiver.secret)
        except VerificationError as error:
            print(f"refused: {error}", flush=True)
            return self.answer(401)
        if receiver.is_new(event["event_id"]):
            print(f"{event['event_type']} {event['symbol']} #{event['sequence']}: {event['data']}", flush=True)
        return self.answer(204)

    def answer(self, status: int) -> None:
        """Answer without a body."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the class above
        """Say nothing of each request."""


def register(url: str) -> tuple[str, str, dict[str, str]]:
    """Register at the running copy; return the endpoint's address there, its secret, and the headers to ask with."""
    base, key = api()
    key = os.environ.get("HYDROPHONE_KEY") or run_facts().get("api", {}).get("admin_key") or key
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{base}/webhooks/register", json={"url": url, "events": EVENTS}, headers=headers, timeout=10)
    if answer.is_error:
        sys.exit(f"not registered: {answer.text}")
    made = answer.json()["data"]
    return f"{base}/webhooks/{made['id']}", made["secret"], headers


def main(port: int) -> None:
    receiver = Receiver(port)
    url = f"http://127.0.0.1:{receiver.server_address[1]}/hook"
    endpoint: tuple[str, dict[str, str]] | None = None
    if not receiver.secret:
        address, receiver.secret, headers = register(url)
        endpoint = (address, headers)
    print(f"listening on {url}", flush=True)
    try:
        receiver.serve_forever()
    finally:
        if endpoint is not None:
            httpx.delete(endpoint[0], headers=endpoint[1], timeout=10)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 9000)
    except KeyboardInterrupt:
        print()
