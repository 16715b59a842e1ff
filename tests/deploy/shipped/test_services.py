"""systemd's units, PM2's file and the reverse proxies' examples, by their own programs where these are here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNITS = [ROOT / "deploy" / "systemd" / name for name in ("hydrophone.service", "hydrophone@.service")]
PM2 = ROOT / "deploy" / "pm2" / "ecosystem.config.js"
CADDY = (ROOT / "deploy" / "proxy" / "Caddyfile").read_text()
NGINX = (ROOT / "deploy" / "proxy" / "nginx.conf").read_text()
ANALYZE, NODE = shutil.which("systemd-analyze"), shutil.which("node")
MOST_EXPOSED = 2.0  # of 10, by systemd's own reckoning


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit_and_finds_it_closed(unit: Path) -> None:
    program = str(ANALYZE)
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    command = [program, "security", "--offline=true", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    level = re.search(r"Overall exposure level for \S+ ([\d.]+)", done.stdout)
    assert level is not None, done.stderr
    assert float(level[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_unit_starts_by_the_script_that_containers_start_by(unit: Path) -> None:
    text = unit.read_text()
    found = re.search(r"^ExecStart=/bin/sh /opt/hydrophone/(\S+) (\S+)$", text, re.MULTILINE)
    assert found is not None
    assert (ROOT / found[1]).is_file()
    assert found[2] == ("%i" if "@" in unit.name else "run")
    assert "Restart=always" in text


@pytest.mark.skipif(NODE is None, reason="no node")
def test_pm2_runs_every_part_with_ports_of_its_own() -> None:
    program = f"console.log(JSON.stringify(require({json.dumps(str(PM2))}).apps))"
    done = subprocess.run([str(NODE), "-e", program], capture_output=True, text=True, timeout=30, check=True)
    apps = json.loads(done.stdout)
    assert [app["args"] for app in apps] == ["healer", "producers", "consumers", "api", "bot"]
    assert {app["script"] for app in apps} == {str(ROOT / "deploy" / "container" / "entrypoint.sh")}
    assert {app["cwd"] for app in apps} == {str(ROOT)}
    ports = [port for app in apps if (port := app["env"].get("HYDROPHONE_METRICS_PORT"))]
    assert len(set(ports)) == len(ports) == 3


@pytest.mark.parametrize(("name", "text"), [("Caddyfile", CADDY), ("nginx.conf", NGINX)])
def test_proxy_hides_figures_and_drops_addresses_that_clients_write(name: str, text: str) -> None:
    assert "/metrics" in text
    assert "GPT_API_TRUSTED_PROXIES=127.0.0.1" in text
    own = r"header_up X-Forwarded-For \{remote_host\}" if name == "Caddyfile" else r"X-Forwarded-For \$remote_addr;"
    assert re.search(own, text)
    assert "proxy_add_x_forwarded_for" not in text


def test_proxies_hold_no_stream_back() -> None:
    assert "flush_interval -1" in CADDY
    (streams,) = re.findall(r"location ~ (\S+) \{(.*?)\n    \}", NGINX, re.DOTALL)
    assert all(re.match(streams[0], path) for path in ("/ws", "/events", "/graphql", "/mcp"))
    assert not re.match(streams[0], "/eventsource")
    for line in ("proxy_buffering off;", "proxy_set_header Upgrade $http_upgrade;", "proxy_read_timeout 1h;"):
        assert line in streams[1]
