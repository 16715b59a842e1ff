"""Trains the head's weights by the labelled texts, without the held-out ones: `python -m … > …/data/head.json`.

Logistic regression of three classes by stochastic gradients in a fixed order: it gives the same weights again.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from math import exp, sqrt
from typing import Any

from consumers.market.sentiment.head import list_features
from consumers.market.sentiment.tokens import tokenize
from tests.consumers.market.sentiment import labelled
from tests.consumers.market.sentiment.labelled import CLASSES, Labelled

LEAST_TEXTS = 2  # that a feature is in
EPOCHS = 20
RATE = 0.3
DECAY = 0.002  # of the weights at each step
SMALLEST = 0.02


def train(rows: list[Labelled]) -> dict[str, Any]:
    """Return bias and weights of Bullish and Bearish against Neutral."""
    texts = [list(list_features(tokenize(row.text))) for row in rows]
    frequency = Counter(name for names in texts for name in names)
    known = [[name for name in names if frequency[name] >= LEAST_TEXTS] for names in texts]
    weights = {name: [0.0, 0.0, 0.0] for name, texts_of in sorted(frequency.items()) if texts_of >= LEAST_TEXTS}
    bias = [0.0, 0.0, 0.0]
    order = list(range(len(rows)))
    chance = random.Random(7)
    for epoch in range(EPOCHS):
        chance.shuffle(order)
        rate = RATE / (1 + epoch / 10)
        for number in order:
            _step(known[number], CLASSES.index(rows[number].label), weights, bias, rate)
    shown = {name: [round(row[0] - row[2], 2), round(row[1] - row[2], 2)] for name, row in weights.items()}
    kept = {name: pair for name, pair in shown.items() if max(map(abs, pair)) >= SMALLEST}
    return {"bias": [round(bias[0] - bias[2], 2), round(bias[1] - bias[2], 2)], "weights": kept}


def _step(names: list[str], label: int, weights: dict[str, list[float]], bias: list[float], rate: float) -> None:
    value = 1 / sqrt(max(1, len(names)))
    scores = [bias[one] + value * sum(weights[name][one] for name in names) for one in range(3)]
    top = max(scores)
    powers = [exp(one - top) for one in scores]
    errors = [power / sum(powers) - (one == label) for one, power in enumerate(powers)]
    for one in range(3):
        bias[one] -= rate * 0.1 * errors[one]
        change = rate * errors[one] * value
        for name in names:
            row = weights[name]
            row[one] -= change + rate * DECAY * row[one]


def list_rows() -> list[Labelled]:
    """What may be trained with."""
    return [*labelled.read("training.txt"), *(row for row in labelled.read("headlines.txt") if row.development)]


def render() -> str:
    """The file as it is kept: a weight a line."""
    document = train(list_rows())
    lines = ",\n".join(f"{json.dumps(name, ensure_ascii=False)}:{pair}" for name, pair in document["weights"].items())
    return f'{{"bias":{document["bias"]},"weights":{{\n{lines}\n}}}}\n'.replace(", ", ",")


if __name__ == "__main__":
    print(render(), end="")
