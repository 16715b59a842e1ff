"""Every fault that the doctor finds, with why it matters and its fix; docs/DOCTOR.md is written from this. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: its `title`, why it matters, and the fix as a command or a setting (`{name}` is filled in)."""

    code: str
    title: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault that was found: where, what exactly, why it matters, and what mends it."""

    code: str
    where: str
    what: str
    why: str
    fix: str

    def json(self) -> dict[str, str]:
        """Return it as `--json` prints it."""
        return asdict(self)


_ALL: Final = (
    Fault(
        "setting_wrong",
        "a setting has a wrong value",
        "no part starts",
        "correct {name} in the environment or .env (docs/settings.md)",
    ),
    Fault(
        "setting_unknown",
        "a name that no part reads",
        "it has no effect",
        "rename or remove {name} (docs/settings.md lists all)",
    ),
    Fault("setting_missing", "a setting that this system needs is not set", "{why}", "set {name}"),
    Fault(
        "data_not_writable",
        "the data directory cannot be written",
        "nothing can be kept",
        "chown -R {user} {path}, or set HYDROPHONE_DATA to a directory that can be written",
    ),
    Fault(
        "disk_full",
        "the disk of the data directory is full",
        "the bus keeps nothing any more",
        "free {needed} MB on the disk of {path}; an embedded bus is then restarted by its launcher",
    ),
    Fault(
        "disk_small",
        "the disk is smaller than what the streams may keep",
        "the launcher refuses to start",
        "HYDROPHONE_STREAM_SCALE=0.25 (or less), or HYDROPHONE_DATA on a larger disk",
    ),
    Fault(
        "port_taken",
        "a port that a setting names is taken",
        "the part that listens there cannot start",
        "end the program that listens on {port}, or set {name} to another port",
    ),
    Fault(
        "copy_dead",
        "run.json is of a copy that does not run any more",
        "programs connect to servers that are gone",
        "rm {path}, then make {mode}",
    ),
    Fault(
        "part_dead",
        "a part of the running copy is dead",
        "what it does is not done",
        "read {log}; the launcher starts it again, else stop the copy and make {mode}",
    ),
    Fault(
        "bus_unreachable", "the bus cannot be reached", "no part works", "start nats-server there, or correct NATS_URL"
    ),
    Fault(
        "bus_refused",
        "the bus refuses the credentials",
        "no part works",
        "correct NATS_USER and NATS_PASSWORD, NATS_TOKEN, NATS_CREDS_FILE or the credentials in NATS_URL",
    ),
    Fault(
        "bus_not_syncing",
        "a bus server does not sync every write",
        "a power cut loses acknowledged orders and jobs",
        "jetstream {{ sync_interval: always }} in that server's configuration, then restart it",
    ),
    Fault(
        "bus_sync_unknown",
        "it is not known whether the bus syncs every write",
        "the provisioner refuses to make streams of effects",
        "NATS_MONITOR_URLS=http://<server>:8222 for each server, or HYDROPHONE_TRUST_SYNC=true",
    ),
    Fault(
        "bus_cannot_write",
        "a bus server cannot write to its disk",
        "nothing that is published is kept",
        "make room on that server's disk, then restart it: it never recovers by itself",
    ),
    Fault(
        "monitor_unreachable",
        "a monitoring address of the bus does not answer",
        "whether it syncs is not known",
        "http_port: 8222 in that server's configuration, or correct NATS_MONITOR_URLS",
    ),
    Fault(
        "missing",
        "a stream, bucket or durable is missing",
        "its readers and writers wait",
        "python -m runtime.provision",
    ),
    Fault(
        "drifted",
        "a stream, bucket or durable is not as declared",
        "it keeps or delivers otherwise than its readers rely on",
        "python -m runtime.provision",
    ),
    Fault(
        "drifted_unsafe",
        "a stream, bucket or durable differs in what cannot be changed",
        "the provisioner refuses it",
        "export what it holds, delete it (nats {kind} rm {object}), then python -m runtime.provision",
    ),
    Fault("durable_unread", "a durable has messages and no reader", "its messages wait for ever", "python -m {part}"),
    Fault(
        "dead_letters",
        "dead letters wait",
        "what they stand for was not done",
        "GET /admin/deadletters?consumer={consumer}, then POST /admin/deadletters/<id>/retry or DELETE it",
    ),
    Fault(
        "clock_off",
        "this machine's clock is off",
        "ages, limits and signed requests are wrong",
        "timedatectl set-ntp true (or chronyc makestep)",
    ),
    Fault(
        "documents_unreachable",
        "the document server cannot be reached",
        "accounts, alerts, webhooks and keys do not work",
        "start the server there, or correct MONGO_URL",
    ),
    Fault(
        "documents_refused",
        "the document server refuses the credentials",
        "accounts, alerts, webhooks and keys do not work",
        "correct user and password in MONGO_URL",
    ),
    Fault(
        "certificate_expired",
        "a TLS certificate is expired",
        "clients refuse the connection",
        "renew the certificate of {name}",
    ),
    Fault(
        "certificate_expiring",
        "a TLS certificate expires soon",
        "clients will refuse the connection",
        "renew the certificate of {name}, and see why that was not done by itself",
    ),
    Fault(
        "certificate_unreadable",
        "a TLS certificate cannot be read",
        "connections with it fail",
        "put a PEM certificate where {name} points to",
    ),
    Fault(
        "telegram_refused",
        "Telegram refuses the bot's token",
        "the bot does not answer and nothing is sent",
        "ask @BotFather for the token (/token) and set TELEGRAM_BOT_TOKEN",
    ),
    Fault(
        "telegram_unreachable",
        "Telegram cannot be reached",
        "the bot does not answer, messages wait",
        "open the way to {name}, or set TELEGRAM_API_BASE_URL",
    ),
    Fault(
        "telegram_privacy",
        "the bot's privacy mode is on",
        "in groups where it is no administrator it does not see what to moderate",
        "@BotFather: /setprivacy, choose {name}, Disable; then add the bot to its groups again",
    ),
    Fault(
        "venue_unreachable",
        "an exchange cannot be reached",
        "its market is not followed",
        "open the way to {url}, or take {venue} out of HYDROPHONE_VENUES",
    ),
    Fault(
        "venue_banned",
        "an exchange refuses this address",
        "its market is not followed",
        "wait until that ends and lower GPT_API_EXCHANGE_RATE_LIMIT, or take {venue} out of HYDROPHONE_VENUES",
    ),
    Fault(
        "venue_unknown",
        "an exchange that nobody can follow",
        "the producers refuse to start",
        "take {venue} out of HYDROPHONE_VENUES",
    ),
    Fault(
        "feed_down",
        "a feed is down",
        "its market is not followed",
        "python -m producers {venue}; or POST /admin/feeds/{venue}/reconnect where that runs",
    ),
    Fault("feed_stale", "a feed is stale", "its figures are old", "POST /admin/feeds/{venue}/reconnect"),
    Fault(
        "feed_missing",
        "nothing has come of an exchange that is to be followed",
        "its market is not followed",
        "python -m producers {venue}",
    ),
    Fault(
        "market_away",
        "the market core does not answer",
        "no question about the market is answered",
        "python -m consumers market cache",
    ),
    Fault(
        "api_unreachable",
        "the API cannot be reached",
        "no request is answered",
        "python -m api; its log says why it ended",
    ),
    Fault("api_not_ready", "the API is not ready", "requests get 503", "start what it waits for: {waits}"),
    Fault(
        "key_withdraws",
        "a linked exchange key can withdraw",
        "whoever gets hold of it can take the money",
        "make a key at {venue} without withdrawals, /link it, and delete this one there",
    ),
    Fault(
        "key_wrong",
        "a linked exchange key is refused",
        "the account cannot trade",
        "make a key at {venue} that reads and trades, and /link it",
    ),
    Fault(
        "key_sealed",
        "a linked exchange key does not open",
        "the account cannot trade",
        "set APP_SECRET_KEY (or APP_SECRET_KEY_OLD) to the secret that it was sealed with, or /link it again",
    ),
    Fault(
        "check_timed_out",
        "a check did not end in time",
        "what it would have found is not known",
        "python -m runtime.doctor on a less busy machine; see whether {name} answers",
    ),
    Fault(
        "check_failed",
        "a check broke off",
        "what it would have found is not known",
        "see whether {name} answers as it should",
    ),
)
FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({fault.code: fault for fault in _ALL})


def find(code: str, where: str, what: str, **values: object) -> Finding:
    """Return a finding of a kind of fault; `values` fill in its fix. KeyError for what is missing of them."""
    fault = FAULTS[code]
    names = {"why": "", **values}
    return Finding(code, where, what, fault.why.format_map(names), fault.fix.format_map(names))


def write_table(faults: Iterable[Fault] = _ALL) -> str:
    """Return the table of docs/DOCTOR.md."""
    lines = ["| code | what is wrong | why it matters | the fix |", "|---|---|---|---|"]
    for fault in faults:
        fix = fault.fix.replace("{{", "{").replace("}}", "}")
        cells = (fault.code, fault.title, fault.why.replace("{why}", "said for each"), fix)
        lines.append("| " + " | ".join([f"`{cells[0]}`", *(cell.replace("|", "\\|") for cell in cells[1:])]) + " |")
    return "\n".join(lines) + "\n"
