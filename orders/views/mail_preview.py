"""A mail looked at before a customer gets it: alone in a frame, and as a test to the merchant's own address.

The preview has an address of its own, so that its style can be allowed without allowing any in our pages: its
Content-Security-Policy names the hash of that one style and forbids everything else.
"""

from __future__ import annotations

import base64
import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from stores.access import store_of
from stores.accounts.address import own_address
from stores.choices import EmailKind
from stores.models import Store

from ..finding import orders_numbered
from ..mail import html, rendering, templates
from ..mail.defaults import Text, words
from ..mail.letterhead import letterhead
from ..mail.rendering import CannotRender, Rendered
from ..models import Order, Shipment
from .mail_forms import TemplateForm

TESTS_AN_HOUR = 20
NEWEST = 200  # orders that are looked through for one with a parcel
PREVIEW_STYLE = (
    html.STYLE
    + """
.envelope, .plain { font: 14px/1.5 system-ui, sans-serif; padding: 12px 16px; margin: 0; background: Canvas;
  color: CanvasText; overflow-wrap: anywhere; }
.plain { white-space: pre-wrap; font-family: ui-monospace, monospace; border-top: 1px solid GrayText; }
"""
)
PREVIEW_DIGEST = base64.b64encode(hashlib.sha256(PREVIEW_STYLE.encode()).digest()).decode()
# The mail's own style and nothing else: no script, no picture, no request, no form, no frame but ours around it.
PREVIEW_POLICY = (
    f"default-src 'none'; style-src 'sha256-{PREVIEW_DIGEST}'; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox"
)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@xframe_options_sameorigin
def mail_preview(request: HttpRequest, store_id: int, kind: str) -> HttpResponse:
    """The mail as a customer would see it, alone, for the frame in the editor; or why there is none."""
    store = store_of(request, store_id)
    if kind not in EmailKind.values:
        raise Http404
    if request.method == "POST":
        form = TemplateForm(request.POST)
        form.is_valid()
        problems = [str(error) for name in ("subject", "body") for error in form.errors.get(name, [])]
        text = Text(form.cleaned_data.get("subject", ""), form.cleaned_data.get("body", ""))
        wanted = request.POST.get("order", "")
    else:
        text, problems = templates.current(store, kind, letterhead(store).language).text, []
        wanted = request.GET.get("order", "")
    return _alone(_previewed(store, kind, text, wanted) if not problems else _notes(problems))


def _previewed(store: Store, kind: str, text: Text, wanted: str) -> str:
    """The document of the preview: envelope, mail, text part; or why there is none."""
    shipment = _shipment(store, wanted)
    if shipment is None:
        return _notes([_no_parcel(wanted)])
    try:
        mail = rendering.preview(store, kind, text.subject, text.body, shipment)
    except CannotRender as refused:
        return _notes([str(refused)])
    envelope = format_html(
        '<div class="envelope"><b>{}</b><br>{}: {}<br>{}: {}</div>\n',
        mail.subject,
        gettext("From"),
        mail.from_email,
        gettext("Order"),
        shipment.order.number,
    )
    plain = format_html('<div class="plain">{}</div>\n', mail.text)
    document = mail.html.replace(f"<style>{html.STYLE}</style>", f"<style>{PREVIEW_STYLE}</style>", 1)
    return document.replace("<body>\n", "<body>\n" + envelope, 1).replace("</body>", plain + "</body>", 1)


def _notes(lines: list[str]) -> str:
    """A document that says why there is no preview."""
    said = mark_safe("<br>".join(format_html("{}", line) for line in lines))  # noqa: S308  (each was escaped)
    return format_html(
        '<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{}</title>\n<style>{}</style>\n</head>\n'
        '<body><div class="envelope">{}</div></body>\n</html>\n',
        gettext("No preview"),
        mark_safe(PREVIEW_STYLE),  # noqa: S308  (our own words)
        said,
    )


def _alone(document: str) -> HttpResponse:
    response = HttpResponse(document)
    response["Content-Security-Policy"] = PREVIEW_POLICY
    response._csp_exempt = True  # type: ignore[attr-defined]  # the middleware would replace it
    response["Cache-Control"] = "private, no-store"
    return response


def _shipment(store: Store, wanted: str) -> Shipment | None:
    """The first parcel of the order with this number, of the newest order that has one where none is asked for."""
    shipments = Shipment.objects.select_related("order__store__owner", "sync__shown__carrier", "sync__wanted__carrier")
    if wanted.strip():
        orders = orders_numbered(wanted, Order.objects.filter(store=store))
        return shipments.filter(order__in=orders).order_by("-order__placed_at", "parcel").first()
    # Their ids, not a query within the query: a planner that knows the tables badly runs that once per parcel.
    newest = list(Order.objects.filter(store=store).order_by("-placed_at", "-pk").values_list("pk", flat=True)[:NEWEST])
    return shipments.filter(order_id__in=newest).order_by("-order__placed_at", "-order_id", "parcel").first()


def _no_parcel(wanted: str) -> str:
    if wanted.strip():
        return gettext("This store has no order “{number}” with a parcel.").format(number=wanted.strip())
    return gettext("This store has no parcels yet. As soon as there is one, the preview is made with it.")


def send_test(request: HttpRequest, store: Store, kind: str, text: Text, wanted: str) -> None:
    """Send the mail to the merchant's own verified address, and say what came of it."""
    address = own_address(request)
    if not address.is_verified:
        messages.error(
            request,
            gettext("No test was sent: your own e-mail address is not verified yet. Verify it on the account page."),
        )
        return
    shipment = _shipment(store, wanted)
    if shipment is None:
        messages.error(request, _no_parcel(wanted))
        return
    if _tests_too_often(request):
        messages.error(request, gettext("That were many tests. Send the next one in an hour."))
        return
    head = letterhead(store)
    try:
        mail = rendering.compose(
            text,
            shipment,
            rendering.likely_number(shipment, kind),
            head,
            address.email,
            timezone.now(),
            mark=words(head.language).test,
        )
        _send(mail)
    except CannotRender as refused:
        messages.error(request, str(refused))
    except OSError:  # every refusal of a mail server is one, too
        messages.error(request, gettext("The mail server did not take the test. Try it again in some minutes."))
    else:
        messages.success(
            request,
            gettext("A test with order {order} was sent to {address}.").format(
                order=shipment.order.number, address=address.email
            ),
        )


def _send(mail: Rendered) -> None:
    message = EmailMultiAlternatives(mail.subject, mail.text, mail.from_email, list(mail.to), headers=mail.headers)
    message.attach_alternative(mail.html, "text/html")
    message.send()


def _tests_too_often(request: HttpRequest) -> bool:
    key = f"mail-tests:{request.user.pk}"
    cache.add(key, 0, timeout=3600)
    try:
        return cache.incr(key) > TESTS_AN_HOUR
    except ValueError:
        return False
