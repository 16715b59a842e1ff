"""Who we are to every server of a cluster, also to those that only the cluster names, by host and port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from runtime.nats.bus import BusOptions


def with_login(options: BusOptions) -> BusOptions:
    """Return the options with the user and password, or the token, that all URLs carry, taken out of them.

    A client that is given them apart from the URLs proves itself with them to servers that it discovers. Options that
    say otherwise who we are, or whose URLs differ, are returned as they are.
    """
    if options.token or options.user or options.credentials or options.nkey_seed:
        return options
    carried = {(url.username, url.password) for url in map(urlsplit, options.servers)}
    if len(carried) != 1:
        return options
    ((user, password),) = carried
    if user is None:
        return options
    servers = tuple(_without_login(url) for url in options.servers)
    if password is None:
        return replace(options, servers=servers, token=user)
    return replace(options, servers=servers, user=user, password=password)


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
