"""Commands of the webhooks: what is asked and what is replied."""

from __future__ import annotations

from typing import Final

from contracts.commands import Command, command
from contracts.services import explaining
from contracts.services.webhooks import deliveries
from contracts.services.webhooks import endpoints as webhooks

COMMANDS: Final[tuple[Command, ...]] = (
    command("webhooks.register", webhooks.RegisterEndpoint, webhooks.EndpointShown),
    command("webhooks.list", webhooks.ListEndpoints, webhooks.EndpointPage),
    command("webhooks.find", webhooks.FindEndpoint, webhooks.EndpointInfo),
    command("webhooks.update", webhooks.UpdateEndpoint, webhooks.EndpointInfo),
    command("webhooks.delete", webhooks.DeleteEndpoint, webhooks.EndpointInfo),
    command("webhooks.pause", webhooks.PauseEndpoint, webhooks.EndpointInfo),
    command("webhooks.resume", webhooks.ResumeEndpoint, webhooks.EndpointInfo),
    command("webhooks.rotate_secret", webhooks.RotateSecret, webhooks.EndpointShown),
    command("webhooks.test", webhooks.TestEndpoint, webhooks.TestReply, 12.0),
    command("webhooks.keys", webhooks.KeysQuery, webhooks.KeysReply),
    command("webhooks.attempts", deliveries.ListAttempts, deliveries.AttemptsReply),
    command("webhooks.events", deliveries.ListEvents, deliveries.EventsReply),
    command("webhooks.replay", deliveries.ReplayEvents, deliveries.ReplayReply),
    command("webhooks.health", deliveries.DeliveriesHealthQuery, deliveries.WebhookHealth),
    command("webhooks.deliveries", explaining.FindDeliveries, explaining.Deliveries),
)
