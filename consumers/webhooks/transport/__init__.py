"""Posts to addresses that users name, and never to one that is not public."""

from consumers.webhooks.transport.answer import Answer, DeliveryError, RefusedAddressError
from consumers.webhooks.transport.resolving import Network
from consumers.webhooks.transport.target import TransportRules
from consumers.webhooks.transport.transport import Transport

__all__ = ["Answer", "DeliveryError", "Network", "RefusedAddressError", "Transport", "TransportRules"]
