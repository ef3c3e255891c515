"""From a mail's text to its HTML: paragraphs, lists, links and one button. The text is the only source.

Everything is escaped here and nowhere else, whoever wrote it. Only addresses that the merchant wrote, the tracking page
and the store's own become links: a customer who calls themselves "http://…" gets no link made of it.

Mail programs know tables, attributes and a <style> in the head; no style attribute is used, so that the preview can be
shown under a strict Content-Security-Policy. https://www.caniemail.com/
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

URL = re.compile(r"https?://[^\s<>\"'，。；：！？（）]+")
_TRAILING = ".,;:!?)]"
_ITEM = re.compile(r"[-•*] +(.*)")

# Light first; what a mail program does not understand it leaves out, and black on white remains.
STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; padding: 0; background: #f4f5f4; }
.ground { background: #f4f5f4; }
.ground > tbody > tr > td { padding: 24px 12px; }
.sheet { background: #ffffff; color: #1c2420; border-radius: 10px; max-width: 600px; }
.sheet td { font: 16px/1.55 -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC",
  "Microsoft YaHei", sans-serif;
  overflow-wrap: anywhere; }
.text { padding: 28px 32px; }
.text p, .text ul { margin: 0 0 16px; }
.text ul { padding-left: 20px; }
.text a { color: #0b6b4f; }
.button td { border-radius: 8px; background: #0b6b4f; }
.text .button a { display: inline-block; padding: 12px 22px; color: #ffffff; font-weight: 600; text-decoration: none; }
.text .button font { color: inherit; }
.button { margin: 0 0 16px; }
@media (max-width: 480px) {
  .ground > tbody > tr > td { padding: 0; }
  .text { padding: 22px 18px; }
  .sheet { border-radius: 0; }
}
@media (prefers-color-scheme: dark) {
  body, .ground { background: #131816; }
  .sheet { background: #1b2220; color: #e8eeea; }
  .text a { color: #6fd3ae; }
  .button td { background: #57c49d; }
  .text .button a { color: #0b1a14; }
}
"""


@dataclass(frozen=True)
class Links:
    """What may become a link: `whole` addresses, and what begins with one of `beginnings`."""

    whole: frozenset[str]
    beginnings: tuple[str, ...] = ()

    @classmethod
    def written_in(cls, source: str, *known: str) -> Links:
        """Those that the template itself spells out, to the first variable in them, and those known to be good."""
        whole, beginnings = set(known), []
        for url in URL.findall(source):
            beginning, has_variable, _rest = url.partition("{")
            if not has_variable:
                whole.add(url.rstrip(_TRAILING))
            elif beginning.count("/") >= 3:  # the whole host is the merchant's own word
                beginnings.append(beginning)
        return cls(frozenset(whole), tuple(beginnings))

    def allow(self, url: str) -> bool:
        """Whether this address may be a link."""
        return url in self.whole or url.startswith(self.beginnings)


def document(text: str, *, title: str, language: str, button_url: str, button: str, links: Links) -> str:
    """The whole HTML of a mail. `button_url`: the address that becomes a button where it stands alone on a line."""
    return format_html(
        '<!doctype html>\n<html lang="{}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="supported-color-schemes" content="light dark">\n'
        '<meta name="format-detection" content="telephone=no">\n'
        "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
        '<table class="ground" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'
        '<tr><td align="center">\n'
        '<table class="sheet" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'
        '<tr><td class="text" align="left">\n{}\n</td></tr></table>\n</td></tr></table>\n</body>\n</html>\n',
        "zh-Hans" if language == "zh" else language,
        title,
        mark_safe(STYLE),  # noqa: S308  (our own words, above)
        body(text, button_url=button_url, button=button, links=links),
    )


def body(text: str, *, button_url: str, button: str, links: Links) -> SafeString:
    """The paragraphs, lists and buttons of a text."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        for kind, lines in _runs(paragraph.split("\n"), button_url):
            if kind == "button":
                parts.append(_button(button_url, button))
            elif kind == "list":
                items = "".join(f"<li>{_linked(line, links)}</li>" for line in lines)
                parts.append(f"<ul>{items}</ul>")
            else:
                parts.append("<p>" + "<br>\n".join(_linked(line, links) for line in lines) + "</p>")
    return mark_safe("\n".join(parts))  # noqa: S308  (every piece was escaped by _linked or format_html)


def _runs(lines: list[str], button_url: str) -> list[tuple[str, list[str]]]:
    """Neighbouring lines of one kind together: ("text" | "list" | "button", lines)."""
    runs: list[tuple[str, list[str]]] = []
    for line in (line.strip() for line in lines):
        item = _ITEM.fullmatch(line)
        kind = "button" if button_url and line == button_url else "list" if item else "text"
        shown = item.group(1) if item else line
        if not line:
            continue
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(shown)
        else:
            runs.append((kind, [shown]))
    return runs


def _button(url: str, label: str) -> str:
    return format_html(
        '<table class="button" role="presentation" cellpadding="0" cellspacing="0" border="0">'
        '<tr><td align="center" bgcolor="#0b6b4f"><a href="{}"><font color="#ffffff">{}</font></a></td></tr></table>',
        url,
        label,
    )


def _linked(line: str, links: Links) -> str:
    """One line, escaped, with the addresses that may be links."""
    made, position = [], 0
    for found in URL.finditer(line):
        url = found.group().rstrip(_TRAILING)
        if not links.allow(url):
            continue
        made.append(escape(line[position : found.start()]))
        made.append(format_html('<a href="{}">{}</a>', url, url))
        position = found.start() + len(url)
    made.append(escape(line[position:]))
    return "".join(made)
