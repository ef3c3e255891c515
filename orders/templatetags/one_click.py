"""The ways of connecting a store of one platform, for its connect page: which is for whom."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from stores.access import stores_of
from stores.authorising import finishing, offers
from stores.guides import Guide
from stores.models import Store

register = template.Library()


@register.inclusion_tag("stores/_ways.html", takes_context=True)
def ways_to_connect(context: dict[str, Any], guide: Guide, store: Store | None = None) -> dict[str, Any]:
    """A card with the ways other than pasting; nothing where there is no other. `store`: the one to reconnect."""
    if store is not None:
        can = offers.app_for(guide.platform, store) is not None and offers.can_answer(store.platform, store.base_url)
        return {"guide": guide, "store": store, "is_offered": can, "csrf_token": context.get("csrf_token")}
    again = context["request"].GET.get("again", "")
    query = f"?again={again}" if again.isdecimal() else ""
    left = stores_of(context["request"].user).filter(pk=int(again)).first() if query else None
    return {
        "guide": guide,
        "store": None,
        "left": left if left is not None and _can_be_taken_up(left) else None,
        "csrf_token": context.get("csrf_token"),
        "is_offered": offers.is_offered(guide.platform),
        "is_shopify": guide.platform == offers.SHOPIFY,
        "url": reverse("one_click", args=[guide.platform]) + query,
    }


def _can_be_taken_up(store: Store) -> bool:
    """Whether its app was removed in the shop, and the shop can be asked by one button to let it in again."""
    if store != finishing.left_store(store.owner, store.platform, store.base_url):
        return False
    has_way = offers.app_for(store.platform, store) is not None
    return has_way and offers.can_answer(store.platform, store.base_url)
