"""The merchant's own texts of a store's mails, and every one there has been: saved, reset, brought back.

What may be saved is said by rendering.check(); how a text becomes a mail is in rendering.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from stores.choices import EmailKind
from stores.models import EmailTemplate, EmailTemplateVersion, Store

from .defaults import Text, default_text


class SomebodyElseSaved(Exception):
    """The text was changed since it was looked at: nothing is saved."""


@dataclass(frozen=True)
class Current:
    """The text in use. `version` counts the changes, 0 for none; `language` is that the text is written in."""

    text: Text
    language: str
    version: int
    is_ours: bool


def current(store: Store, kind: str, language: str) -> Current:
    """What is in use for a kind of mail; our own words in `language` where the merchant has written none."""
    last = versions(store, kind).values_list("version", flat=True).first() or 0
    written = EmailTemplate.objects.filter(store=store, kind=kind).first()
    if written is None:
        return Current(default_text(kind, language), language, last, is_ours=True)
    return Current(Text(written.subject, written.body), written.language or language, last, is_ours=False)


def all_current(store: Store, language: str) -> dict[str, Current]:
    """What is in use for every kind of mail, in one query. The versions are not counted."""
    written = {each.kind: each for each in EmailTemplate.objects.filter(store=store)}
    return {
        kind: Current(Text(own.subject, own.body), own.language or language, 0, is_ours=False)
        if (own := written.get(kind))
        else Current(default_text(kind, language), language, 0, is_ours=True)
        for kind in EmailKind.values
    }


def versions(store: Store, kind: str) -> QuerySet[EmailTemplateVersion]:
    """Every saved text of a kind of mail, newest first."""
    return EmailTemplateVersion.objects.filter(store=store, kind=kind).select_related("actor").order_by("-version")


def save(
    store: Store, kind: str, text: Text, language: str, *, seen: int, actor: User | None, now: datetime
) -> EmailTemplateVersion:
    """Use this text from now on. `seen`: the version it was made from. Raises SomebodyElseSaved.

    The caller has checked it; a text that is in use already is saved again all the same.
    """
    with transaction.atomic():
        version = _next(store, kind, seen, actor, now, Text(text.subject, text.body), language)
        EmailTemplate.objects.update_or_create(
            store=store,
            kind=kind,
            defaults={"subject": text.subject, "body": text.body, "language": language, "updated_at": now},
        )
    return version


def reset(store: Store, kind: str, *, seen: int, actor: User | None, now: datetime) -> None:
    """Use our own words again. What the merchant wrote stays in the history. Raises SomebodyElseSaved."""
    with transaction.atomic():
        _next(store, kind, seen, actor, now, Text("", ""), "")
        EmailTemplate.objects.filter(store=store, kind=kind).delete()


def _next(
    store: Store, kind: str, seen: int, actor: User | None, now: datetime, text: Text, language: str
) -> EmailTemplateVersion:
    """Write the next version down. The constraint decides between two who do so at once."""
    last = versions(store, kind).values_list("version", flat=True).first() or 0
    if last != seen:
        raise SomebodyElseSaved
    try:
        with transaction.atomic():
            return EmailTemplateVersion.objects.create(
                store=store,
                kind=kind,
                version=seen + 1,
                at=now,
                actor=actor,
                language=language,
                subject=text.subject,
                body=text.body,
            )
    except IntegrityError as error:
        raise SomebodyElseSaved from error
