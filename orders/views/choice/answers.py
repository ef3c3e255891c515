"""The questions as a form: the two of the choice, the delay, and who mails, of which only what the store can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores.choices import MailSender, NumberSource, Timing
from stores.connectors import registry
from stores.models import Store, SyncPreference

LONGEST_DELAY = 24 * 60  # hours, as the model has it


@dataclass(frozen=True)
class Sender:
    """One answer to "who mails?"; `why_not`: why this store cannot have it, "" where it can."""

    value: str
    label: str
    means: str
    why_not: str


class Answers(forms.Form):
    """What a merchant chose for one store. Nothing is saved here."""

    timing = forms.ChoiceField(choices=Timing.choices, error_messages={"required": _("Choose when a number goes.")})
    number_source = forms.ChoiceField(
        choices=NumberSource.choices, error_messages={"required": _("Choose which number goes.")}
    )
    delay_hours = forms.IntegerField(
        validators=[
            MinValueValidator(0, _("Enter 0 or more hours.")),
            MaxValueValidator(LONGEST_DELAY, _("Enter at most 1440 hours, which is 60 days.")),
        ],
        error_messages={
            "required": _("Enter a whole number of hours, 0 for none."),
            "invalid": _("Enter a whole number of hours, 0 for none."),
        },
    )
    mail_sender = forms.ChoiceField(error_messages={"required": _("Choose who writes to your customers.")})

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.senders = senders(store)
        offered = [(sender.value, sender.label) for sender in self.senders if not sender.why_not]
        field = self.fields["mail_sender"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        field.choices = offered
        field.error_messages["invalid_choice"] = gettext("This store cannot have that one; choose another.")


def saved_answers(preference: SyncPreference) -> dict[str, Any]:
    """What is saved, by the names of the form's fields."""
    return {
        "timing": preference.timing,
        "number_source": preference.number_source,
        "delay_hours": preference.delay_hours,
        "mail_sender": preference.mail_sender,
    }


def first_answers(store: Store) -> dict[str, Any]:
    """What the page shows to begin with: what is saved, with a sender that the store can have."""
    saved = saved_answers(store.preference)
    possible = [sender.value for sender in senders(store) if not sender.why_not]
    if saved["mail_sender"] not in possible:
        saved["mail_sender"] = possible[0]
    return saved


def senders(store: Store) -> list[Sender]:
    """Who may write to the customers of this store, and why others may not. One at least may."""
    platform = store.get_platform_display()
    always = registry.capabilities(store.platform).mails_always
    reads = bool(store.facts.get("reads_customers", True))
    noisy = gettext(
        "{platform} writes to the customer by itself when an order is completed. That cannot be switched off from "
        "here, and your customers should not get two mails."
    ).format(platform=platform)
    blind = gettext(
        "{platform} does not let us read your customers' e-mail addresses. Reconnect the store once it does."
    ).format(platform=platform)
    return [
        Sender(
            MailSender.TRACKSYNC,
            gettext("We write, in your words"),
            gettext("After your store shows the number. At most one mail of each kind for a parcel."),
            noisy if always else "" if reads else blind,
        ),
        Sender(
            MailSender.STORE,
            gettext("{platform} writes").format(platform=platform),
            gettext("Your store's own notice, sent when the items are marked as fulfilled."),
            "",
        ),
        Sender(
            MailSender.NOBODY,
            gettext("Nobody writes"),
            gettext("The number stands in your store, and your customers find it there."),
            noisy if always else "",
        ),
    ]
