"""Acts of a person that change something beyond a form: each asks first, and happens only by POST.

A ConfirmedAct is described once and offered twice: as an action of a list, for all chosen rows, and as
a button on the page of one. Rows that it cannot apply to are left out before the question is put, and
the answer says how many and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from .forms import ActForm

Text = Any  # a string, or one that is translated when it is shown
EXAMPLES = 10
LOGGED = 1000


@dataclass(frozen=True)
class Done:
    """What came of an act, as it is told to the person."""

    text: str
    level: int = messages.SUCCESS


Run = Callable[[list[int], dict[str, Any], datetime, Any], Done]


@dataclass(frozen=True)
class ConfirmedAct:
    """One thing a person can do, described."""

    name: str  # part of an address and of a form: letters and underscores
    label: Text  # on the button
    question: Text  # over the form: what will happen
    permission: str  # asked as has_<permission>_permission
    legal: Callable[[QuerySet[Any]], QuerySet[Any]]  # those it applies to
    why_not: Text  # why it does not apply to the others
    run: Run  # (ids, the form's data, now, who)
    form: type[ActForm] = ActForm
    most: int = 0  # so many rows at once; 0 = any number
    offered_in_list: bool = True
    grave: bool = False  # cannot be taken back


def in_list(act: ConfirmedAct) -> Callable[..., HttpResponse | None]:
    """The act as an action of a changelist."""

    @admin.action(description=act.label, permissions=[act.permission])
    def action(modeladmin: ConfirmedActs, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return modeladmin.act_on_many(request, act, queryset)

    action.__name__ = act.name
    return action


class ConfirmedActs(admin.ModelAdmin):
    """Offers `confirmed` acts in the list and on the page of a row."""

    confirmed: Sequence[ConfirmedAct] = ()
    subject_model: type[Model] | None = None  # what the acts work on, where it is not the admin's own model

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actions = [in_list(act) for act in self.confirmed if act.offered_in_list]

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<path:object_id>/act/<slug:name>/", self.admin_site.admin_view(self.act_on_one), name=self._url_name()
        )
        return [page, *super().get_urls()]

    def subjects(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What the acts work on, for the chosen rows."""
        return queryset

    def buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """The acts that this person may do with this row now: label, address, grave."""
        here = type(obj)._default_manager.filter(pk=obj.pk)
        return [
            {"label": act.label, "url": self.act_url(act, obj), "grave": act.grave, "name": act.name}
            for act in self.confirmed
            if self._may(request, act) and act.legal(here).exists()
        ]

    def act_url(self, act: ConfirmedAct, obj: Any) -> str:
        """The address of the question."""
        return reverse(f"admin:{self._url_name()}", args=[quote(obj.pk), act.name])

    # --- many, from the list ---------------------------------------------------------------------

    def act_on_many(self, request: HttpRequest, act: ConfirmedAct, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask, and on the confirmed POST do it to those of the chosen rows that it applies to."""
        subjects = self.subjects(queryset)
        chosen = subjects.order_by().values_list("pk", flat=True)
        ids = list(act.legal(subjects).order_by().values_list("pk", flat=True))
        left_out = chosen.count() - len(ids)
        if not ids or (act.most and len(ids) > act.most):
            self.message_user(request, self._cannot(act, left_out, len(ids)), messages.WARNING)
            return None
        is_confirmed = "confirmed" in request.POST
        form = act.form(request.POST if is_confirmed else None)
        if is_confirmed and form.is_valid():
            self._do(request, act, ids, form, left_out)
            return None
        across = request.POST.get("select_across") == "1"
        hidden = [("action", act.name), ("select_across", "1" if across else "0")]
        picked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        hidden += [(ACTION_CHECKBOX_NAME, pk) for pk in (picked[:1] if across else picked)]
        return self._ask(request, act, ids, form, left_out, hidden, back=request.get_full_path())

    # --- one, from its page ------------------------------------------------------------------------

    def act_on_one(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """The question on GET, the act on POST; for one row."""
        act = next((act for act in self.confirmed if act.name == name), None)
        obj = self.get_object(request, object_id)
        if act is None or obj is None:
            raise Http404
        if not (self.has_view_permission(request, obj) and self._may(request, act)):
            raise PermissionDenied
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(obj.pk)])
        if not act.legal(type(obj)._default_manager.filter(pk=obj.pk)).exists():
            self.message_user(request, self._cannot(act, 1, 0), messages.WARNING)
            return HttpResponseRedirect(page)
        is_confirmed = request.method == "POST"
        form = act.form(request.POST if is_confirmed else None, subject=obj)
        if is_confirmed and form.is_valid():
            self._do(request, act, [obj.pk], form, 0)
            return HttpResponseRedirect(page)
        return self._ask(request, act, [obj.pk], form, 0, [], back=page, obj=obj)

    # --- both ----------------------------------------------------------------------------------------

    def _do(self, request: HttpRequest, act: ConfirmedAct, ids: list[int], form: ActForm, left_out: int) -> None:
        done = act.run(ids, form.cleaned_data, timezone.now(), request.user)
        text = done.text
        if left_out:
            text += " " + self._left_out(act, left_out)
        self.message_user(request, text, done.level)
        if done.level <= messages.SUCCESS and len(ids) <= LOGGED:
            LogEntry.objects.log_actions(request.user.pk or 0, self._subjects_of(ids), CHANGE, change_message=done.text)

    def _ask(
        self,
        request: HttpRequest,
        act: ConfirmedAct,
        ids: list[int],
        form: ActForm,
        left_out: int,
        hidden: list[tuple[str, str]],
        *,
        back: str,
        obj: Any = None,
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": act.label,
            "act": act,
            "form": form,
            "hidden": hidden,
            "count": len(ids),
            "examples": [str(row) for row in self.for_examples(self._subjects_of(ids[:EXAMPLES]))],
            "more": max(len(ids) - EXAMPLES, 0),
            "left_out": self._left_out(act, left_out) if left_out else "",
            "back": back,
            "original": obj,
            "is_popup": False,
        }
        return TemplateResponse(request, "admin/confirm_act.html", context)

    def for_examples(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that the question names, with what their names need."""
        return queryset

    def _subjects_of(self, ids: list[int]) -> QuerySet[Any]:
        return (self.subject_model or self.model)._default_manager.filter(pk__in=ids)

    def _may(self, request: HttpRequest, act: ConfirmedAct) -> bool:
        return bool(getattr(self, f"has_{act.permission}_permission")(request))

    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_act"

    def _cannot(self, act: ConfirmedAct, left_out: int, legal: int) -> str:
        if legal:
            return gettext("{label}: choose {most} at the most.").format(label=act.label, most=act.most)
        return gettext("{label}: nothing was done.").format(label=act.label) + " " + self._left_out(act, left_out)

    def _left_out(self, act: ConfirmedAct, left_out: int) -> str:
        text = ngettext("{n} is left out: {why}", "{n} are left out: {why}", left_out)
        return text.format(n=left_out, why=act.why_not)
