"""Posts to addresses that users name, and never to one that is not public."""

from consumers.webhooks.transport.answer import Answer, DeliveryError, RefusedAddressError
from consumers.webhooks.transport.poster import Transport, TransportRules

__all__ = ["Answer", "DeliveryError", "RefusedAddressError", "Transport", "TransportRules"]
