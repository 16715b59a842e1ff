"""A demo on a Python without a document server: it says what is off, the market is answered, the rest is refused."""

from __future__ import annotations

import time

import httpx
import pytest

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("product")]


@pytest.fixture
def copy(start, tmp_path, monkeypatch):
    """What a Python 3.14 has: no module of that server can be found."""
    monkeypatch.delenv("MONGO_URL", raising=False)
    (tmp_path / "sitecustomize.py").write_text('import sys\nsys.modules["secantus"] = None\n')
    few = {"HYDROPHONE_VENUES": "kraken", "HYDROPHONE_SYMBOLS": "BTC", "HYDROPHONE_SIMULATOR_RATE": "0.25"}
    return start("demo", {"PYTHONPATH": str(tmp_path), **few}).wait_ready()


def test_without_documents_the_market_is_answered_and_the_rest_says_why_not(copy):
    assert copy.facts["documents"] == {"url": None}
    assert "documents" not in copy.facts["pids"]
    said = copy.log.read_text()
    assert "no documents: the embedded server runs with Python 3.11 to 3.13 only" in said
    assert "off without documents: access, alerts," in said
    assert "set MONGO_URL" in said
    api = copy.facts["api"]
    headers = {"Authorization": f"Bearer {api['admin_key']}"}
    with httpx.Client(base_url=api["url"], headers=headers, timeout=35) as client:
        for path, service in {"/webhooks": "webhooks", "/admin/keys": "access"}.items():
            refused = client.get(path)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "NOT_READY")
            assert refused.json()["error"]["details"] == {"waiting_for": [service]}
        deadline = time.monotonic() + 30
        while client.get("/gpt/raw?symbol=BTC").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        while (ready := client.get("/health/ready").json())["degraded"]:  # the feed's own word comes every 5 s
            assert time.monotonic() < deadline, ready
            time.sleep(0.3)
        assert ready["status"] == "ready"
