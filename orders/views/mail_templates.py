"""The merchant's words in a store's mails: which there are, the editor, the history. The preview: mail_preview.py.

GET  stores/<id>/mails/                   the kinds of mail and in whose name they go
POST stores/<id>/mails/                   saves the name, the address for answers, the language
GET  stores/<id>/mails/<kind>/            the editor; ?version=3 with an older text in it, ?order=#1001 for the preview
POST stores/<id>/mails/<kind>/ act=save | test | reset | restore
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from stores.access import store_of
from stores.accounts.address import own_address
from stores.choices import EmailKind, MailSender
from stores.models import EmailTemplateVersion, Store

from ..local_time import in_zone_of
from ..mail import rendering, templates
from ..mail.defaults import Text, words
from ..mail.letterhead import letterhead, settings_of
from ..mail.variables import VARIABLES
from .mail_forms import SettingsForm, TemplateForm
from .mail_preview import send_test

KINDS = {
    EmailKind.PREPARING: (
        gettext_lazy("Being prepared"),
        gettext_lazy("Goes out when your store shows a number and the parcel is still with us."),
    ),
    EmailKind.SHIPPED: (
        gettext_lazy("Shipped"),
        gettext_lazy("Goes out when the parcel was handed to the carrier and your store shows its number."),
    ),
    EmailKind.NUMBER_CHANGED: (
        gettext_lazy("New number"),
        gettext_lazy("Goes out when the carrier replaced a number that the customer was told."),
    ),
    EmailKind.WAITING: (
        gettext_lazy("Still being prepared"),
        gettext_lazy("Goes out when you send it yourself, from Store Orders. It never holds a number."),
    ),
}
VERSIONS_SHOWN = 20


@dataclass(frozen=True)
class Saved:
    """One version in the history."""

    version: int
    at: Any
    who: str
    is_reset: bool
    is_current: bool


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_template(request: HttpRequest, store_id: int, kind: str) -> HttpResponse:
    """The editor of one kind of mail. 404 for a stranger's store and for a kind that is none."""
    store = store_of(request, store_id)
    _known(kind)
    if request.method == "POST":
        return _act(request, store, kind)
    found = templates.current(store, kind, letterhead(store).language)
    text, shown = found.text, request.GET.get("version", "")
    older = templates.versions(store, kind).filter(version=int(shown)).first() if shown.isdecimal() else None
    if older is not None and not older.is_reset:
        text = Text(older.subject, older.body)
    form = TemplateForm(
        initial={
            "subject": text.subject,
            "body": text.body,
            "seen": found.version,
            "order": request.GET.get("order", ""),
        }
    )
    return _editor(request, store, kind, form, older=older)


def _act(request: HttpRequest, store: Store, kind: str) -> HttpResponse:
    """Save, test, reset or restore. What was refused stays in the fields."""
    act = request.POST.get("act", "")
    if act in ("reset", "restore"):
        return _bring_back(request, store, kind, act)
    form = TemplateForm(request.POST)
    if not form.is_valid():
        return _editor(request, store, kind, form)
    text = Text(form.cleaned_data["subject"], form.cleaned_data["body"])
    if act == "test":
        send_test(request, store, kind, text, form.cleaned_data["order"])
        return _editor(request, store, kind, form)
    language = letterhead(store).language
    try:
        templates.save(
            store,
            kind,
            text,
            language,
            seen=form.cleaned_data["seen"],
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
        )
    except templates.SomebodyElseSaved:
        messages.error(request, _somebody_else())
        return _editor(request, store, kind, form)
    messages.success(request, gettext("Saved for {store}. The next mail uses it.").format(store=store.name))
    return redirect("mail_template", store.pk, kind)


def _bring_back(request: HttpRequest, store: Store, kind: str, act: str) -> HttpResponse:
    """Our own words, or an older text of the merchant's: a new version either way."""
    seen, now = request.POST.get("seen", ""), timezone.now()
    actor: Any = request.user
    if not seen.isdecimal():
        return redirect("mail_template", store.pk, kind)
    try:
        if act == "reset":
            templates.reset(store, kind, seen=int(seen), actor=actor, now=now)
            messages.success(request, gettext("Our own text is used again. Yours is kept below, under earlier texts."))
            return redirect("mail_template", store.pk, kind)
        wanted = request.POST.get("version", "")
        older = templates.versions(store, kind).filter(version=int(wanted)).first() if wanted.isdecimal() else None
        if older is None or older.is_reset:
            raise Http404
        if rendering.check(older.subject, one_line=True) or rendering.check(older.body):
            messages.error(request, gettext("This text cannot be used any more as it is. Look at it and mend it."))
        else:
            text = Text(older.subject, older.body)
            templates.save(store, kind, text, older.language, seen=int(seen), actor=actor, now=now)
            messages.success(request, gettext("The text of version {n} is used again.").format(n=older.version))
    except templates.SomebodyElseSaved:
        messages.error(request, _somebody_else())
    return redirect("mail_template", store.pk, kind)


def _editor(
    request: HttpRequest, store: Store, kind: str, form: TemplateForm, *, older: EmailTemplateVersion | None = None
) -> HttpResponse:
    head = letterhead(store)
    found = templates.current(store, kind, head.language)
    title, when = KINDS[EmailKind(kind)]
    with in_zone_of(store):
        return render(
            request,
            "orders/mail_template.html",
            {
                "store": store,
                "section": "stores",
                "kind": kind,
                "title": title,
                "when": when,
                "form": form,
                "current": found,
                "older": older if older is not None and not older.is_reset else None,
                "language": words(found.language).name,
                "store_language": words(head.language).name,
                "variables": VARIABLES.items(),
                "history": _history(store, kind, found.version),
                "address": own_address(request),
                "kinds": [(key, label) for key, (label, _when) in KINDS.items()],
                "mails": store.preference.mail_sender == MailSender.TRACKSYNC,
            },
        )


def _history(store: Store, kind: str, last: int) -> list[Saved]:
    return [
        Saved(
            version=each.version,
            at=each.at,
            who=_who(each, store),
            is_reset=each.is_reset,
            is_current=each.version == last,
        )
        for each in templates.versions(store, kind)[:VERSIONS_SHOWN]
    ]


def _who(version: EmailTemplateVersion, store: Store) -> str:
    if version.actor is None:
        return gettext("Our system")
    if version.actor_id == store.owner_id:
        return version.actor.email or version.actor.get_username()
    return gettext("Our staff")


def _known(kind: str) -> None:
    if kind not in EmailKind.values:
        raise Http404


def _somebody_else() -> str:
    return gettext(
        "Somebody else saved this text meanwhile, so nothing was saved. Yours is still in the fields below: "
        "copy it, load this page again, and compare."
    )


# --- all mails of a store ----------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_templates(request: HttpRequest, store_id: int) -> HttpResponse:
    """The kinds of mail of one store, and in whose name they go."""
    store = store_of(request, store_id)
    form = SettingsForm(request.POST or None, instance=settings_of(store))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, gettext("Saved for {store}.").format(store=store.name))
        return redirect("mail_templates", store.pk)
    head = letterhead(store)
    in_use = templates.all_current(store, head.language)
    return render(
        request,
        "orders/mail_templates.html",
        {
            "store": store,
            "section": "stores",
            "form": form,
            "head": head,
            "rows": [
                {"kind": kind.value, "title": title, "when": when, "current": in_use[kind.value]}
                for kind, (title, when) in KINDS.items()
            ],
            "sender": store.preference.mail_sender,
            "address": own_address(request),
        },
    )
