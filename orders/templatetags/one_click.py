"""The ways of connecting a store of one platform, for its connect page: which is for whom."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from stores.authorising import offers
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
    return {
        "guide": guide,
        "store": None,
        "is_offered": offers.is_offered(guide.platform),
        "is_shopify": guide.platform == offers.SHOPIFY,
        "url": reverse("one_click", args=[guide.platform]) + query,
    }
