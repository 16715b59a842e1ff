"""What receivers are given: checks in Python and JavaScript against the vectors, and a receiver for real deliveries."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consumers.webhooks.payloads.body import event_id, make_body
from consumers.webhooks.payloads.facts import fact_of
from consumers.webhooks.posting import Poster
from consumers.webhooks.registry.endpoint import EndpointSecret
from consumers.webhooks.transport import Transport, TransportRules
from tests.consumers.webhooks.events import SECRET, make_endpoint, make_whale

EXAMPLES = Path(__file__).parents[3] / "examples"
VECTORS = json.loads((EXAMPLES / "webhooks/vectors.json").read_text())["vectors"]
SCRIPT = json.dumps(str(EXAMPLES / "webhooks/verify.js"))
NODE = shutil.which("node")
Verify = Callable[..., Any]


def load_python() -> Any:
    spec = importlib.util.spec_from_file_location("verify", EXAMPLES / "webhooks/verify.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PYTHON = load_python()


async def run_node(calls: list[dict[str, Any]]) -> list[Any]:
    """What verify.js says of each call: the event, or the error's text."""
    program = f"""
        const {{ verify, verifyOlder, VerificationError }} = require({SCRIPT});
        const calls = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
        console.log(JSON.stringify(calls.map(({{ older, body, headers, secrets, now }}) => {{
          const bytes = Buffer.from(body, "base64");
          const check = older ? verifyOlder : verify;
          try {{ return {{ event: check(bytes, headers, secrets, now) }}; }}
          catch (error) {{ if (!(error instanceof VerificationError)) throw error; return {{ error: error.message }}; }}
        }})));
    """
    assert NODE is not None
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(NODE, "-e", program, stdin=pipe, stdout=pipe, stderr=pipe)
    output, errors = await asyncio.wait_for(process.communicate(json.dumps(calls).encode()), 30)
    assert process.returncode == 0, errors.decode()
    return json.loads(output)


def run_python(calls: list[dict[str, Any]]) -> list[Any]:
    """The same of verify.py."""
    results: list[Any] = []
    for call in calls:
        body, headers, secrets = PYTHON.base64.b64decode(call["body"]), call["headers"], call["secrets"]
        try:
            if call["older"]:
                event = PYTHON.verify_older(body, headers, *secrets)
            else:
                event = PYTHON.verify(body, headers, *secrets, now=call["now"])
            results.append({"event": event})
        except PYTHON.VerificationError as error:
            results.append({"error": str(error)})
    return results


def call_of(vector: dict[str, Any], *, older: bool = False, **other: Any) -> dict[str, Any]:
    body = PYTHON.base64.b64encode(other.pop("body", vector["body"].encode())).decode()
    values = {"headers": vector["headers"], "secrets": vector["secrets"], "now": vector["timestamp"] + 200}
    return {**values, "older": older, "body": body, **other}


def good_calls() -> list[dict[str, Any]]:
    upper = {name.upper(): value for name, value in VECTORS[0]["headers"].items()}
    calls = [call_of(vector, older=older) for vector in VECTORS for older in (False, True)]
    calls += [call_of(vector, secrets=[secret]) for vector in VECTORS for secret in vector["secrets"]]
    calls += [call_of(VECTORS[0], headers=upper), call_of(VECTORS[0], now=VECTORS[0]["timestamp"] - 299)]
    return [*calls, call_of(VECTORS[0], secrets=["another-secret-0123", *VECTORS[0]["secrets"]])]


def bad_calls() -> list[dict[str, Any]]:
    vector = VECTORS[0]
    headers = vector["headers"]
    stamp = vector["timestamp"]
    calls = [call_of(vector, older=older, secrets=["another-secret-0123"]) for older in (False, True)]
    calls += [call_of(vector, older=older, body=vector["body"].encode() + b" ") for older in (False, True)]
    calls += [call_of(vector, now=stamp + 301), call_of(vector, now=stamp - 301)]
    calls += [call_of(vector, headers={**headers, "webhook-timestamp": text}) for text in ("x", "-5", "1e9", "")]
    calls += [call_of(vector, headers={**headers, "webhook-id": "evt_other"})]
    calls += [call_of(vector, headers={k: v for k, v in headers.items() if k != name}) for name in list(headers)[:3]]
    signatures = ("", "v1,", "v1", "v2,abc", headers["webhook-signature"].replace("v1,", "v2,"), "v1,ü")
    calls += [call_of(vector, headers={**headers, "webhook-signature": text}) for text in signatures]
    calls += [call_of(vector, older=True, headers={})]
    return calls


def test_the_python_check() -> None:
    assert [set(result) for result in run_python(good_calls())] == [{"event"}] * len(good_calls())
    assert [set(result) for result in run_python(bad_calls())] == [{"error"}] * len(bad_calls())


@pytest.mark.skipif(NODE is None, reason="node is not installed")
async def test_the_javascript_check() -> None:
    good, bad = await run_node(good_calls()), await run_node(bad_calls())
    assert good == run_python(good_calls())
    assert [set(result) for result in bad] == [{"error"}] * len(bad)


def test_the_checks_need_nothing_but_the_standard_library() -> None:
    text = (EXAMPLES / "webhooks/verify.py").read_text()
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported <= sys.stdlib_module_names
    script = (EXAMPLES / "webhooks/verify.js").read_text()
    assert set(re.findall(r'require\("([^"]+)"\)', script)) == {"./verify.js", "node:crypto"}


@asynccontextmanager
async def example_receiver(secret: str) -> AsyncGenerator[tuple[str, asyncio.StreamReader]]:
    """The example, listening: its URL and what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLES / "webhook_receiver.py"), "0"),
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield line.decode().removeprefix("listening on ").strip(), process.stdout
    finally:
        process.kill()
        await process.wait()


async def test_the_example_receives_what_the_transport_delivers() -> None:
    transport = Transport(TransportRules(allow=frozenset({"127.0.0.1"})))
    poster = Poster(transport, Ed25519PrivateKey.generate())
    fact = fact_of(make_whale())
    assert fact is not None
    async with example_receiver(SECRET) as (url, output):
        endpoint = make_endpoint(url=url)
        name = event_id(endpoint.id, fact.source_id)
        body = make_body(name, fact, 1)
        for _ in range(2):  # a redelivery is accepted and not shown again
            assert (await poster.post(endpoint, name, body, time.time_ns())).status == 204
        stranger = make_endpoint(url=url, secrets=(EndpointSecret("another-secret-0123"),))
        assert (await poster.post(stranger, name, body, time.time_ns())).status == 401
        late = time.time_ns() - 301_000_000_000
        assert (await poster.post(endpoint, name, body, late)).status == 401
        lines = [(await asyncio.wait_for(output.readline(), 10)).decode() for _ in range(3)]
    assert lines[0].startswith("whale BTC #1: {'transaction_id': 'binance.BTC.USDT.spot.whale.1'")
    assert lines[1:] == ["refused: no signature fits\n", "refused: webhook-timestamp is too far from now\n"]
    await transport.close()
