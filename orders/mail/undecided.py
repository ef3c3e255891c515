"""Stores whose customers we were chosen to write to, and cannot: a person has to decide anew. Never silence.

Two things bring it about. The store lets us read customers' addresses no more, as a check of the connection tells, and
the orders that come in without their buyers. Or the platform writes by itself whatever we do, and nobody has said that
this is switched off.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from stores.choices import MailSender
from stores.connectors import registry
from stores.models import Store

from .switched_off import word_of, writes_by_itself


def undecided(stores: QuerySet[Store]) -> QuerySet[Store]:
    """Those of these stores that need a decision about their mail."""
    always = [key for key in registry.CONNECTORS if registry.capabilities(key).mails_always]
    writes_anyway = Q(platform__in=always, mail_settings__switched_off_at__isnull=True)
    ours = stores.filter(preference__mail_sender=MailSender.TRACKSYNC, preference__confirmed_at__isnull=False)
    return ours.filter(Q(facts__reads_customers=False) | writes_anyway)


def why(store: Store) -> str:
    """What has to be decided for this store, in a sentence or two; "" for nothing. It must come with its preference."""
    chosen = store.preference
    if chosen.mail_sender != MailSender.TRACKSYNC or chosen.confirmed_at is None or store.disconnected_at is not None:
        return ""
    if not _is_read(store) or (writes_by_itself(store) and word_of(store) is None):
        return why_undecided(store)
    return ""


def why_undecided(store: Store) -> str:
    """The same of one of `undecided()`: what makes it one is known, so nothing is asked."""
    platform = store.get_platform_display()
    if not _is_read(store):
        return gettext(
            "You chose that we write to your customers, but {platform} does not let us read their e-mail addresses any "
            "more. Customers of new orders are not written to. Let us read them again and check the connection, or "
            "choose who writes."
        ).format(platform=platform)
    return gettext(
        "You chose that we write to your customers, but nobody has told us that {platform}'s own mail is switched "
        "off. Until then we write to nobody, so that no customer gets two mails. Choose who writes."
    ).format(platform=platform)


def _is_read(store: Store) -> bool:
    return bool(store.facts.get("reads_customers", True))


def learn(store: Store, *, reads: bool) -> None:
    """Keep whether customers' addresses can be read, as the orders that have just come in tell."""
    if _is_read(store) == reads:
        return
    with transaction.atomic():
        row = Store.objects.select_for_update().get(pk=store.pk)
        row.facts = {**row.facts, "reads_customers": reads}
        row.save(update_fields=["facts"])
    store.facts = row.facts
