"""The list of privacy requests tells staff until when a customer has to be answered. What is downloaded and what is
erased is held in test_hooks_privacy.py.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from stores.choices import PrivacyKind
from stores.models import PrivacyRequest
from tests import factories
from tests.orders.admin_cast import logged_in, staff_who_may

pytestmark = pytest.mark.django_db


def test_a_request_is_named_by_the_day_on_which_the_staff_s_clock_received_it(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    received = datetime(2026, 3, 2, 18, tzinfo=UTC)  # two o'clock in the night there
    row = PrivacyRequest(kind=PrivacyKind.CUSTOMER_ASKS, received_at=received)

    assert str(row) == "A customer asks what is kept, 2026-03-03"


def written(at: datetime) -> str:
    """As the staff's pages write a moment."""
    return f"{at:%-d %b %Y, %H:%M}"


@pytest.mark.parametrize(
    "kind, days_ago, is_done, colour",
    [
        (PrivacyKind.CUSTOMER_ASKS, 0, False, "due"),
        (PrivacyKind.CUSTOMER_ASKS, 22, False, "due"),
        (PrivacyKind.CUSTOMER_ASKS, 24, False, "attention"),
        (PrivacyKind.CUSTOMER_ASKS, 40, False, "attention"),
        (PrivacyKind.CUSTOMER_ASKS, 24, True, ""),
        (PrivacyKind.FORGET_CUSTOMER, 0, False, ""),
        (PrivacyKind.FORGET_SHOP, 0, False, ""),
    ],
)
def test_a_question_is_answered_within_thirty_days_and_the_last_week_stands_out(
    kind: PrivacyKind, days_ago: int, is_done: bool, colour: str
) -> None:
    received = timezone.now() - timedelta(days=days_ago)
    PrivacyRequest.objects.create(
        store=factories.a_store(), kind=kind, received_at=received, done_at=timezone.now() if is_done else None
    )
    client = logged_in(staff_who_may("stores.view_privacyrequest"))

    html = unescape(client.get(reverse("admin:stores_privacyrequest_changelist")).content.decode())

    assert written(received) in html  # the day first, hours from 0 to 23
    (cell,) = re.findall(r'<td class="field-answer_by">(.*?)</td>', html)
    by = written(received + timedelta(days=30))
    assert cell == (f'<span class="badge badge-{colour}">{by}</span>' if colour else "–")
