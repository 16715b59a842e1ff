"""What the words of a text say together: who turns whom, what counts less, what is meant the other way round. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

from consumers.market.sentiment.emphasis import emphasize
from consumers.market.sentiment.items import ACTS, Item, Scored
from consumers.market.sentiment.lexicon import Lexicon, Match
from consumers.market.sentiment.tokens import Token, tokenize

NEGATED: Final = -0.75  # what a negated word is worth of itself
NEGATED_FOE: Final = -0.9  # what happens to those who bet on a fall
BEFORE_BUT: Final = 0.4
AFTER_BUT: Final = 1.25
CONCEDED: Final = 0.3
SARCASTIC: Final = -0.6
_STRONG: Final = 2.0
_MILD: Final = 1.0  # stronger transitive verbs act on what follows only
_OPENING: Final = 2  # words before praise with which a sentence still begins
_BEFORE: Final = 3  # words between a thing and what happens to it
_AFTER: Final = 4
_REACH: Final = 4  # words between a negation and what it negates
_LONGEST_CONCESSION: Final = 5
_SIGNS: Final = {
    "up": 1,
    "raise": 1,
    "good": 1,
    "heal": 1,
    "down": -1,
    "cut": -1,
    "bad": -1,
    "foe": -1,
    "end": -1,
    "peak": 1,
    "trough": -1,
}
_EXTREMES: Final = frozenset({"peak", "trough"})
_TRANSITIVE: Final = frozenset({"raise", "heal", "cut"})
_SOFT: Final = frozenset({"of", "in", "at", "for", "to", "di", "untuk", "ke", "dari", "pada"})
_UNABLE: Final = frozenset({"can't", "cannot", "cant", "couldn't"})
_VERBAL: Final = frozenset({"wont", "cant", "doesnt", "didnt", "isnt", "cannot"})
_BREAKS: Final = frozenset({"comma", "stop", "question", "exclamation"})
_ENDS: Final = frozenset({"stop", "question", "exclamation"})


def score(text: str, lexicon: Lexicon) -> Scored:
    """Evaluate a text."""
    tokens = tokenize(text)
    matches = lexicon.find(tokens)
    made = Scored(tokens, matches, [])
    made.marks = {match.start: match for match in matches}
    made.ends = {match.end: match for match in matches}
    clauses, weights = _divide(tokens, made.marks)
    for match in matches:
        made.neutral += match.kinds.get("neutral", 0.0)
        kind = _kind_of(match)
        if kind is not None:
            value = match.kinds[kind] * _SIGNS[kind]
            made.items.append(Item(match.start, match.end, kind, value, clauses[match.start]))
    _compose(made)
    _negate(made)
    emphasize(made)
    for item in made.items:
        item.value *= weights[item.clause]
    made.question = any(token.kind == "question" for token in tokens)
    _turn_sarcasm(made)
    made.items = [item for item in made.items if item.value]
    return made


def _kind_of(match: Match) -> str | None:
    if "word" in match.kinds or "keep" in match.kinds:
        return None
    return next((kind for kind in _SIGNS if kind in match.kinds), None)


def _divide(tokens: Sequence[Token], marks: dict[int, Match]) -> tuple[list[int], list[float]]:
    """Number the clause of each token, and weigh each clause by the contrast that it stands in."""
    clauses: list[int] = []
    weights, sentence, conceded = [1.0], 0, 0
    for at, token in enumerate(tokens):
        kinds: Mapping[str, float] = marks[at].kinds if at in marks else {}
        is_break = token.kind in _BREAKS
        if "but" in kinds and at > 0:
            for number in range(sentence, len(weights)):
                weights[number] = min(weights[number], BEFORE_BUT)
            weights.append(AFTER_BUT)
        elif "though" in kinds:
            weights.append(CONCEDED)
            conceded = at
        elif is_break or (weights[-1] == CONCEDED and at - conceded > _LONGEST_CONCESSION and "link" in kinds):
            weights.append(AFTER_BUT if weights[-1] == AFTER_BUT and token.kind == "comma" else 1.0)
        clauses.append(len(weights) - 1)
        if token.kind in _ENDS:
            sentence = len(weights)
    return clauses, weights


# ---- who turns whom
def _compose(made: Scored) -> None:
    """Let what happens act on the thing that it happens to, and turn what happens to those who bet on a fall."""
    for at, item in enumerate(made.items):
        if item.kind in ACTS and not item.used:
            thing = _find_thing(made, at)
            if thing is not None:
                _act(made, item, thing)
    for at, item in enumerate(made.items[:-1]):
        after = made.items[at + 1]
        if item.kind == "foe" and not item.used and not after.used and _is_near(made, item, after, _AFTER):
            item.value, after.value = 0.0, NEGATED_FOE * after.value
    for at, item in enumerate(made.items):
        thing = _find_bad(made, at) if item.kind in _EXTREMES else None
        if thing is not None:  # the more of it the worse
            sign = -1 if item.kind == "peak" else 1
            item.value, thing.value = sign * abs(item.value), sign * abs(thing.value)


def _find_bad(made: Scored, at: int) -> Item | None:
    """Return the bad thing that a peak or a trough is of: directly behind it, or before it and what happens to it."""
    item = made.items[at]
    after = made.items[at + 1 : at + 2]
    if after and after[0].kind == "bad" and _is_near(made, item, after[0], 0):
        return after[0]
    second = item
    for before in reversed(made.items[max(0, at - 2) : at]):
        if not _is_near(made, before, second, _AFTER):
            break
        if before.kind == "bad":
            return before
        if before.kind not in ACTS:
            break
        second = before
    return None


def _find_thing(made: Scored, at: int) -> Item | None:
    item = made.items[at]
    before = made.items[at - 1] if at > 0 else None
    after = made.items[at + 1] if at + 1 < len(made.items) else None
    if before is not None and (not _is_near(made, before, item, _BEFORE) or not _can_be_thing(before, item)):
        before = None
    if after is not None and (not _is_near(made, item, after, _AFTER) or not _can_be_thing(after, item)):
        after = None
    if item.kind == "end":
        if after is not None and before is not None and before.kind == after.kind:
            before.value *= CONCEDED  # "the bounce lacks conviction"
        return after or before
    if item.kind == "down" and abs(item.value) > _STRONG and before is not None and before.kind == "bad":
        return None  # who crashes is the market, not the fear
    if after is not None and item.kind in _TRANSITIVE:
        return after
    is_agent = item.kind == "heal" or (item.kind in _TRANSITIVE and abs(item.value) > _MILD)
    return None if is_agent or _has_subject(made, item) else before


def _can_be_thing(thing: Item, item: Item) -> bool:
    """Whether something can happen to it: it is one, or it is a move, which can end."""
    return not thing.used and (
        thing.kind in {"good", "bad"} or (item.kind == "end" and thing.kind not in {"end", "foe"})
    )


def _is_near(made: Scored, first: Item, second: Item, most: int) -> bool:
    """Whether one stands close before the other, in one clause, with nothing between that separates them."""
    if first.clause != second.clause or second.start - first.end > most:
        return False
    between = [made.marks[at] for at in range(first.end, second.start) if at in made.marks]
    return not any("link" in match.kinds and made.tokens[match.start].word not in _SOFT for match in between)


def _has_subject(made: Scored, item: Item) -> bool:
    """Whether a traded thing stands directly before, which is then what it happens to."""
    subject = made.ends.get(item.start)
    if subject is None or "asset" not in subject.kinds:
        return False
    before = made.ends.get(subject.start)
    beside = before is not None and _kind_of(before) is not None
    return not beside and (subject.start == 0 or made.tokens[subject.start - 1].word not in _SOFT)


def _act(made: Scored, item: Item, thing: Item) -> None:
    """Turn a thing, and those that stand directly behind it, as what happens says; what happens then counts less."""
    things = [thing, *_followers(made, thing)]
    size = abs(item.value)
    factor = {"up": 1.0, "raise": 1.0, "heal": 1.0, "down": NEGATED, "cut": NEGATED, "end": NEGATED}[item.kind]
    if item.kind == "end" and _is_negated(made, item):
        factor = 1.0
    for one in things:
        one.used = True
        one.value = abs(one.value) if item.kind == "heal" else one.value * factor
    item.used = True
    item.value = 0.0 if item.kind == "end" else 0.45 * size * (1 if thing.value > 0 else -1)


def _followers(made: Scored, thing: Item) -> list[Item]:
    """List the things directly behind one that sound alike: "Mt. Gox fears"."""
    found: list[Item] = []
    end = thing.end
    for item in made.items[made.items.index(thing) + 1 :]:
        if item.start != end or item.kind != thing.kind or item.used:
            break
        found.append(item)
        end = item.end
    return found


# ---- negation
def _is_negated(made: Scored, item: Item) -> bool:
    before = (made.ends.get(item.start), made.ends.get(item.start - 1))
    return any(match is not None and "negate" in match.kinds for match in before)


def _negate(made: Scored) -> None:
    """Turn what a negation stands before, or, where there is nothing, what it stands behind: "this pump won't last"."""
    for match in made.matches:
        if "negate" not in match.kinds or "word" in match.kinds:
            continue
        turned = _find_negated(made, match)
        if turned is None or (turned.kind == "end" and not turned.value):
            continue
        if made.tokens[match.start].word in _UNABLE and turned.kind == "bad" and turned.start > match.end:
            continue  # what somebody cannot do about it
        behind = made.items[made.items.index(turned) + 1 :][:1]
        for item in (turned, *(other for other in behind if _joined(turned, other))):
            item.value *= NEGATED
        made.negations.append((match, turned))


def _find_negated(made: Scored, match: Match) -> Item | None:
    at = bisect_left(made.items, match.end, key=lambda item: item.start)
    if at < len(made.items):
        item = made.items[at]
        if item.start - match.end <= _REACH and not _is_broken(made, match.end, item.start):
            return item
    word = made.tokens[match.start].word
    if at > 0 and ("'" in word or word in _VERBAL) and 0 <= match.start - made.items[at - 1].end <= 1:
        return made.items[at - 1]
    return None


def _is_broken(made: Scored, start: int, end: int) -> bool:
    return any(made.tokens[at].kind in _BREAKS or "but" in _kinds(made, at) for at in range(start, end))


def _kinds(made: Scored, at: int) -> dict[str, float]:
    match = made.marks.get(at)
    return {} if match is None else dict(match.kinds)


def _joined(first: Item, second: Item) -> bool:
    """Whether the second goes with the first: what happens, and the thing that it happens to."""
    alike = (second.value > 0) == (first.value > 0)
    return second.start - first.end <= 1 and second.clause == first.clause and (second.used or first.used or alike)


# ---- the other way round
def _turn_sarcasm(made: Scored) -> None:
    """Turn what is good where a mark of sarcasm stands, or where a sentence begins with praise and goes on badly."""
    bad = sum(-item.value for item in made.items if item.value < 0)
    begun = any("praise" in match.kinds and _begins(made, match) for match in made.matches)
    made.sarcasm = any("sarcasm" in match.kinds for match in made.matches) or (begun and bad > 1)
    if made.sarcasm:
        for item in made.items:
            item.value *= SARCASTIC if item.value > 0 else 1.0


def _begins(made: Scored, match: Match) -> bool:
    """Whether it stands at the beginning of a sentence."""
    return match.start <= _OPENING or any(
        token.kind in _ENDS for token in made.tokens[max(0, match.start - _OPENING - 1) : match.start]
    )
