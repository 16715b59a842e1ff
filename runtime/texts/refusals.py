"""Why an order was refused, with the field and the rule at fault, as messages show it. Pure."""

from __future__ import annotations

from contracts.services.trading.events import OrderChanged
from contracts.services.trading.orders import OrderInfo
from contracts.services.trading.refusals import Refusal
from runtime.texts.figures import number
from runtime.texts.markup import Html, code, join
from runtime.texts.reader import Reader


def why(order: OrderInfo | OrderChanged, reader: Reader) -> list[Html]:
    """Return the lines that say why an order is not as it was wanted; none where nothing is to be said."""
    if order.error is not None:
        said = reader.say("order_event.reason", reason=_reason(order.error, reader))
        return [said, _at_fault(order.error, reader)]
    return [] if order.reason is None else [reader.say("order_event.reason", reason=order.reason)]


def _reason(error: Refusal, reader: Reader) -> Html:
    values = {name: value if name == "currency" else number(value) for name, value in error.figures.items()}
    kind = ".figures" if values else ""
    return reader.say(f"refusal.{error.code}{kind}", message=error.message, **values)


def _at_fault(error: Refusal, reader: Reader) -> Html:
    names = [] if error.parameter is None else [reader.say("refusal.field", field=code(error.parameter))]
    names.append(reader.say("refusal.rule", rule=code(error.rule)))
    return reader.say("refusal.at_fault", names=join(names, ", "))
