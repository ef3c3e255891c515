"""The forms of a store's mails: a text, refused with line and column, and in whose name the mails go."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext, gettext_lazy

from stores.models import MailSettings

from ..mail import rendering
from ..mail.liquid import SOURCE_LIMIT
from ..mail.variables import one_line


class TemplateForm(forms.Form):
    """Subject and body; refused with line and column, beside the field."""

    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=200)
    body = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=SOURCE_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "true"}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)
    order = forms.CharField(
        label=gettext_lazy("Order for the preview"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("Any order number of this store; empty for the newest."),
    )

    def clean_subject(self) -> str:
        """The subject, if it can be saved."""
        return self._checked(self.cleaned_data["subject"], one_line=True)

    def clean_body(self) -> str:
        """The text, with plain line ends, if it can be saved."""
        return self._checked(self.cleaned_data["body"].replace("\r\n", "\n").replace("\r", "\n"))

    def _checked(self, source: str, *, one_line: bool = False) -> str:
        problems = rendering.check(source, one_line=one_line)
        if problems:
            said = gettext("Line {line}, column {column}: {message}")
            raise forms.ValidationError(
                [said.format(line=each.line, column=each.column, message=each.message) for each in problems]
            )
        return source


class SettingsForm(forms.ModelForm):
    """In whose name the mails go, where answers go, and in which language they are."""

    class Meta:
        model = MailSettings
        fields = ("from_name", "support_email", "language", "tells_changed_number")
        labels = {
            "from_name": gettext_lazy("Name of the sender"),
            "support_email": gettext_lazy("Address for your customers' answers"),
            "language": gettext_lazy("Language of the mails and of the tracking page"),
            "tells_changed_number": gettext_lazy("Tell customers when the carrier replaces a number they were told"),
        }

    def clean_from_name(self) -> str:
        """One line, since it stands in a header."""
        return one_line(self.cleaned_data["from_name"], 100)
