"""The staff of the fulfilment company: a group with what the day's work needs, and new members of it.

What a permission allows is decided by the admin's pages; who may come to them at all is in staff.py.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

GROUP = "Staff"

# What the day's work needs; nothing here deletes. "*" stands for view, add and change.
DAILY_WORK = (
    ("orders", "*_order"),
    ("orders", "*_orderline"),
    ("orders", "*_shipment"),
    ("orders", "*_shipmentline"),
    ("orders", "*_trackingnumber"),
    ("orders", "*_carrier"),
    ("orders", "*_shippingmethod"),
    ("orders", "view_trackingsync"),
    ("orders", "view_syncattempt"),
    ("orders", "view_customeremail"),
    ("orders", "send_again"),
    ("orders", "mark_paid"),
    ("orders", "mark_dispatched"),
    ("orders", "push_again"),
    ("orders", "cancel_fulfillment"),
    ("stores", "view_store"),
    ("stores", "change_store"),
    ("stores", "view_syncpreference"),
    ("stores", "reconnect_store"),
)


def staff_group() -> Group:
    """The group, with at least the permissions of the day's work; what was added by hand stays."""
    group, _made = Group.objects.get_or_create(name=GROUP)
    wanted = {(app, name.replace("*", act)) for app, name in DAILY_WORK for act in ("view", "add", "change")}
    found = [
        permission
        for permission in Permission.objects.filter(content_type__app_label__in={app for app, _name in wanted})
        .select_related("content_type")
        .order_by("pk")
        if (permission.content_type.app_label, permission.codename) in wanted
    ]
    group.permissions.add(*found)
    return group


@transaction.atomic
def make_staff(email: str, password: str, *, is_superuser: bool = False) -> User:
    """A member of the staff with a verified address (small letters); an account of that address becomes one.

    Raises ValidationError where two accounts have the address, or another account has verified it.
    """
    known = list(User.objects.filter(email__iexact=email).order_by("pk")[:2])
    if len(known) > 1:
        raise ValidationError(_("Several accounts have this address. Change it in all but one of them first."))
    if EmailAddress.objects.filter(email=email, verified=True).exclude(user__in=known).exists():
        raise ValidationError(_("Another account has verified this address."))
    user = known[0] if known else User(username=email[:150], email=email)
    user.email, user.is_staff, user.is_active = email, True, True
    user.is_superuser = user.is_superuser or is_superuser
    user.set_password(password)
    user.save()
    user.groups.add(staff_group())
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user
