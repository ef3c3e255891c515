"""The questions as a form: the two of the choice, the delay, and who mails, of which only what the store can do.

Where the platform writes by itself and only the merchant can switch that off, whoever wants another sender has to say
that it is off: a tick, which is no part of the choice itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stores import placing
from stores.choices import MailSender, NumberSource, Timing
from stores.connectors import registry
from stores.models import Store, SyncPreference

from ...mail.switched_off import word_of, writes_by_itself

LONGEST_DELAY = 24 * 60  # hours, as the model has it
TICK = "is_switched_off"


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
    is_switched_off = forms.BooleanField(required=False)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.platform = store.get_platform_display()
        self.asks_for_tick = writes_by_itself(store)
        self.marks_whole_orders = registry.capabilities(store.platform).completes
        self.senders = senders(store)
        offered = [(sender.value, sender.label) for sender in self.senders if not sender.why_not]
        field = self.fields["mail_sender"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        field.choices = offered
        field.error_messages["invalid_choice"] = gettext("This store cannot have that one; choose another.")

    def clean(self) -> dict[str, Any]:
        """Another sender than the platform itself needs the word that the platform keeps quiet."""
        given = super().clean() or self.cleaned_data
        needs_tick = self.asks_for_tick and given.get("mail_sender") not in (None, MailSender.STORE)
        if needs_tick and not given.get("is_switched_off"):
            self.add_error(
                "is_switched_off",
                gettext(
                    "{platform} still writes to your customers by itself, so nothing is saved. Switch its mail off "
                    "there and tick this, or choose that {platform} writes."
                ).format(platform=self.platform),
            )
        # Where the platform writes it has to be on, and elsewhere nobody asks.
        given["is_switched_off"] = needs_tick and bool(given.get("is_switched_off"))
        return given

    @property
    def answers(self) -> dict[str, Any]:
        """The choice of a valid form, without the tick."""
        return {name: value for name, value in self.cleaned_data.items() if name != TICK}

    @property
    def is_ticked(self) -> bool:
        """Whether a valid form says that the platform's own mail is switched off."""
        return bool(self.cleaned_data[TICK])


def saved_answers(preference: SyncPreference) -> dict[str, Any]:
    """What is saved, by the names of the form's fields."""
    return {
        "timing": preference.timing,
        "number_source": preference.number_source,
        "delay_hours": preference.delay_hours,
        "mail_sender": preference.mail_sender,
    }


def first_answers(store: Store) -> dict[str, Any]:
    """What the page shows to begin with: what is saved, with a sender that the store can have, and the tick."""
    saved = saved_answers(store.preference) | {TICK: word_of(store) is not None}
    possible = [sender.value for sender in senders(store) if not sender.why_not]
    if saved["mail_sender"] not in possible:
        saved["mail_sender"] = possible[0]
    return saved


def senders(store: Store) -> list[Sender]:
    """Who may write to the customers of this store, and why others may not. One at least may."""
    platform = store.get_platform_display()
    reads = bool(store.facts.get("reads_customers", True))
    blind = gettext(
        "{platform} does not let us read your customers' e-mail addresses. Reconnect the store once it does."
    ).format(platform=platform)
    return [
        Sender(
            MailSender.TRACKSYNC,
            gettext("We write, in your words"),
            gettext("After your store shows the number. At most one mail of each kind for a parcel."),
            "" if reads else blind,
        ),
        Sender(
            MailSender.STORE,
            gettext("{platform} writes").format(platform=platform),
            _own_notice(store),
            "",
        ),
        Sender(
            MailSender.NOBODY,
            gettext("Nobody writes"),
            _where_it_is_found(store),
            "",
        ),
    ]


def _own_notice(store: Store) -> str:
    """When the store's own mail goes."""
    if not registry.capabilities(store.platform).completes:
        return gettext("Your store's own notice, sent when the items are marked as fulfilled.")
    if store.completes_orders:
        return gettext("Your store's own mail, sent when the order is marked as completed.")
    return gettext("Your store's own mail, sent when you complete the order.")


def _where_it_is_found(store: Store) -> str:
    """Whether customers see a number that nobody writes to them about: not in every place of every store."""
    if placing.is_a_question(store):
        return gettext("The number stands in your store; its page here says where, and who sees it there.")
    return gettext("The number stands in your store, and your customers find it there.")
