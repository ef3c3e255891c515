"""The page behind an invitation's link: which shop, who invites, and one button. It opens without an account, too.

Whoever is not logged in logs in or signs up first and comes back here. Nothing is used up before the shop is connected
(stores/authorising/finishing.py), so whoever said no in the shop can open the link again.
"""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from stores.authorising import finishing, invitations
from stores.authorising.invitations import State
from stores.connect import is_connected
from stores.models import Invitation

from .one_click import LINK, guide_of, send


@sensitive_variables()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Which shop and who invites on GET, on to the shop's consent on POST. 404 for a link that was made up."""
    found, now = invitations.find(token), timezone.now()
    if found is None:
        return render(request, "stores/invitation_over.html", {"state": "", "section": "stores"}, status=404)
    state = invitations.state_of(found, now)
    if state != State.OPEN:
        mine = found.store if found.store is not None and found.store.owner_id == request.user.pk else None
        return render(request, "stores/invitation_over.html", {"state": state, "store": mine, "section": "stores"})
    guide = guide_of(found.platform)
    own = finishing.own_store(request.user, found.platform, found.base_url)
    context = {
        "invitation": found,
        "guide": guide,
        "shop": finishing.host_of(found.base_url),
        "inviter": _name_of(found),
        "own": own,
        "left": finishing.left_store(request.user, found.platform, found.base_url),
        "is_taken": own is None and is_connected(found.platform, found.base_url),
        "section": "stores",
    }
    if request.method != "POST" or context["is_taken"]:
        return render(request, "stores/invitation.html", context)
    if not request.user.is_authenticated:
        return redirect_to_login(request.path)
    credentials = {**found.credentials, LINK: token}
    return send(
        request,
        guide,
        found.base_url,
        credentials=credentials,
        store=own,
        store_name=found.store_name,
        invitation=found,
    )


def _name_of(found: Invitation) -> str:
    """Who of the staff invites, as a merchant may know them."""
    return found.invited_by.get_full_name() or found.invited_by.email
