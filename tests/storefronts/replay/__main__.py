"""`python -m tests.storefronts.replay FILE.jsonl [--floor N]`: how much of the recordings the pretend store repeats.

A write is sent once, in its turn. When a read was made is not recorded: it agrees when the store gave that
answer at some moment of its own workflow.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys

import graphql

from ..client import PretendShopify, Shop
from .compare import Ids, belongs, difference, plain
from .derive import CannotDerive, derive
from .order import Exchange, load
from .seed import Seed, ids_in

AGREES = ""
CONTRADICTION = "the recorded answer is not one to the recorded document"


def is_mutation(exchange: Exchange) -> bool:
    """Whether the exchange wrote something."""
    if exchange.query is not None:
        tree = graphql.parse(exchange.query)
        return any(getattr(one, "operation", None) is graphql.OperationType.MUTATION for one in tree.definitions)
    try:
        return derive(exchange)[0].startswith("mutation")
    except CannotDerive:
        return "Create" in str(exchange.response.get("data"))


def after_their_makers(writes: list[Exchange], known: set[str]) -> list[Exchange]:
    """The same writes, but none before the one that made what it speaks of. `known` was there before."""
    makers: dict[str, Exchange] = {}
    for exchange in writes:
        for gid in set(ids_in(exchange.response)) - set(ids_in(exchange.variables)) - known:
            makers.setdefault(gid, exchange)
    done: list[Exchange] = []
    waiting = list(writes)
    while waiting:
        ready = next((one for one in waiting if not _missing(one, makers, done)), waiting[0])
        waiting.remove(ready)
        done.append(ready)
    return done


def _missing(exchange: Exchange, makers: dict[str, Exchange], done: list[Exchange]) -> bool:
    needed = [makers[gid] for gid in ids_in(exchange.variables) if gid in makers]
    return any(maker is not exchange and maker not in done for maker in needed)


def run(world: PretendShopify, group: list[Exchange]) -> None:
    """Replay one workflow; every exchange gets its verdict."""
    seed = Seed(world, group, is_mutation)
    shop, ids = seed.shop, seed.ids
    writes = after_their_makers([one for one in group if is_mutation(one)], seed.known())
    reads = [one for one in group if not is_mutation(one)]
    _try_reads(shop, reads, ids, final=False)
    for exchange in writes:
        exchange.verdict = attempt(shop, exchange, ids, keep=True)
        seed.more()
        _try_reads(shop, reads, ids, final=False)
    _try_reads(shop, reads, ids, final=True)


def _try_reads(shop: Shop, reads: list[Exchange], ids: Ids, final: bool) -> None:
    for exchange in reads:
        if exchange.verdict == AGREES:
            continue
        unknown = [gid for gid in ids_in(exchange.variables) if gid not in ids.ours]
        if unknown and not final:
            continue
        verdict = attempt(shop, exchange, ids, keep=False)
        if verdict == AGREES or exchange.verdict == "not run" or final:
            exchange.verdict = verdict


def attempt(shop: Shop, exchange: Exchange, ids: Ids, keep: bool) -> str:
    """Send one exchange: how the answer differs from the recorded one, empty when it agrees.

    With `keep`, ids are learnt even from an answer that does not agree: later exchanges need them.
    """
    try:
        query, variables = (exchange.query, exchange.variables or {}) if exchange.query else derive(exchange)
    except CannotDerive as error:
        return f"no document: {error}"
    if exchange.query and exchange.response.get("data") and not belongs(query, exchange.response["data"]):
        return CONTRADICTION
    answer = shop.graphql(query, ids.translate(variables)).json()
    trial = ids if keep else ids.copy()
    found = difference(plain(exchange.response), plain(answer), trial)
    if not found and not keep:
        ids.ours.update(trial.ours)
    recorded = ((exchange.response.get("extensions") or {}).get("cost") or {}).get("requestedQueryCost")
    ours = ((answer.get("extensions") or {}).get("cost") or {}).get("requestedQueryCost")
    exchange.cost = (recorded, ours) if exchange.query else (None, None)
    return found


def main() -> int:
    """Replay, print, judge."""
    parser = argparse.ArgumentParser(prog="tests.storefronts.replay", description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--floor", type=int, default=0, help="fail when fewer agree")
    parser.add_argument("--all", action="store_true", help="list every exchange that does not agree")
    options = parser.parse_args()
    groups = load(options.file)
    with PretendShopify() as world:
        for group in groups.values():
            run(world, group)
    exchanges = [one for group in groups.values() for one in group]
    agree = sum(one.verdict == AGREES for one in exchanges)
    kinds = collections.Counter(re.sub(r"\d{3,}", "N", one.verdict) for one in exchanges if one.verdict != AGREES)
    costs = [one.cost for one in exchanges if None not in one.cost]
    print(f"{agree} of {len(exchanges)} agree")
    print(f"{sum(a == b for a, b in costs)} of {len(costs)} requested costs agree")
    for kind, count in kinds.most_common():
        print(f"{count:4}  {kind}")
    if options.all:
        for one in exchanges:
            if one.verdict != AGREES:
                print(f"{one.source} {one.case}\n      {one.verdict}")
            if None not in one.cost and one.cost[0] != one.cost[1]:
                print(f"{one.source} {one.case}\n      cost {one.cost}")
    return 1 if agree < options.floor else 0


if __name__ == "__main__":
    sys.exit(main())
