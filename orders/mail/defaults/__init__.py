"""Our own texts, for stores whose merchant has written none: one file per language and kind, and the few other words.

The first line of a file is the subject, the rest the body, in Liquid (../liquid.py). What a customer reads depends on
the store's language and not on that of whoever is logged in, so none of it goes through gettext.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
FALLBACK = "en"


@dataclass(frozen=True)
class Text:
    """Subject and body of one kind of mail, in Liquid."""

    subject: str
    body: str


@dataclass(frozen=True)
class Words:
    """What else a customer reads in one language: around a mail, and on the tracking page."""

    name: str  # the language's own name
    django: str  # what Django calls it, for names of months
    date: str  # Django's format of a day
    button: str
    test: str  # before the subject of a test
    days: tuple[str, str]  # one, several with {n}
    page_title: str  # {order}
    parcel_of: str  # {n}, {count}
    carrier: str
    number: str
    open_carrier: str  # {carrier}
    preparing: str
    next_preparing: str
    known: str
    next_known: str
    handed_over: str  # {day}
    next_handed_over: str
    cancelled: str
    next_cancelled: str
    write_to: str
    what_next: str
    missing: str
    next_missing: str


WORDS = {
    "en": Words(
        name="English",
        django="en",
        date="j F Y",
        button="Follow my parcel",
        test="[Test]",
        days=("1 day", "{n} days"),
        page_title="Your order {order}",
        parcel_of="Parcel {n} of {count}",
        carrier="Carrier",
        number="Tracking number",
        open_carrier="Follow it at {carrier}",
        preparing="Your parcel is being prepared",
        next_preparing="The tracking number appears on this page as soon as there is one. Keep the link: it stays the "
        "same.",
        known="Your parcel is being prepared",
        next_known="It already has a tracking number. The logistics company needs some time to process the parcel, so "
        "there may be nothing to see at the carrier for the first days. Please be patient.",
        handed_over="Handed to the carrier on {day}",
        next_handed_over="The first news can take a day or two, as the logistics company needs time to process the "
        "parcel, and it may be quiet for some days while it crosses a border. Should the number change, this page "
        "shows the new one.",
        cancelled="This order was cancelled or refunded",
        next_cancelled="If you think that this is a mistake, write to the store.",
        write_to="Questions? Write to",
        what_next="What happens next",
        missing="There is no parcel at this address",
        next_missing="Open the link in your mail once more, or copy the whole of it.",
    ),
    "zh": Words(
        name="简体中文",
        django="zh-hans",
        date="Y年n月j日",
        button="查询我的包裹",
        test="【测试】",
        days=("1 天", "{n} 天"),
        page_title="您的订单 {order}",
        parcel_of="第 {n} 个包裹，共 {count} 个",
        carrier="物流公司",
        number="物流单号",
        open_carrier="在 {carrier} 网站查询",
        preparing="您的包裹正在准备中",
        next_preparing="物流单号生成后会立即显示在本页。请保存此链接，链接始终有效。",
        known="您的包裹正在准备中",
        next_known="物流单号已经生成。物流公司处理包裹需要一些时间，最初几天可能查不到物流信息，请您耐心等待。",
        handed_over="已于{day}交给物流公司",
        next_handed_over="物流公司处理包裹需要时间，首次更新可能需要一两天，跨境运输途中也可能有几天没有更新。"
        "如果单号有变，本页会显示新的单号。",
        cancelled="该订单已取消或退款",
        next_cancelled="如有疑问，请联系店铺。",
        write_to="如有问题，请发邮件至",
        what_next="接下来",
        missing="未找到包裹信息",
        next_missing="请重新打开邮件中的链接，或完整复制该链接。",
    ),
    "es": Words(
        name="Español",
        django="es",
        date=r"j \d\e F \d\e Y",
        button="Seguir mi paquete",
        test="[Prueba]",
        days=("1 día", "{n} días"),
        page_title="Tu pedido {order}",
        parcel_of="Paquete {n} de {count}",
        carrier="Empresa de transporte",
        number="Número de seguimiento",
        open_carrier="Seguirlo en {carrier}",
        preparing="Estamos preparando tu paquete",
        next_preparing="El número de seguimiento aparecerá en esta página en cuanto lo tengamos. Guarda el enlace: "
        "seguirá siendo el mismo.",
        known="Estamos preparando tu paquete",
        next_known="Ya tiene número de seguimiento. La empresa de transporte necesita un tiempo para procesar el "
        "paquete, así que es posible que no veas nada durante los primeros días. Te pedimos un poco de paciencia.",
        handed_over="Entregado a la empresa de transporte el {day}",
        next_handed_over="La primera actualización puede tardar uno o dos días, porque la empresa de transporte "
        "necesita un tiempo para procesar el paquete, y puede haber días sin movimientos mientras cruza una frontera. "
        "Si el número cambia, esta página mostrará el nuevo.",
        cancelled="Este pedido se canceló o se reembolsó",
        next_cancelled="Si crees que es un error, escribe a la tienda.",
        write_to="¿Tienes alguna pregunta? Escribe a",
        what_next="Próximos pasos",
        missing="No hay ningún paquete en esta dirección",
        next_missing="Abre de nuevo el enlace de tu correo o cópialo entero.",
    ),
}
LANGUAGES = tuple(WORDS)


def words(language: str) -> Words:
    """The words of a language; English where we do not speak it."""
    return WORDS.get(language, WORDS[FALLBACK])


@cache
def default_text(kind: str, language: str) -> Text:
    """Our own text of a kind of mail. English where we do not speak the language; KeyError for a kind of no mail."""
    path = HERE / (language if language in WORDS else FALLBACK) / f"{kind}.txt"
    if not path.is_file():
        raise KeyError(kind)
    subject, _, body = path.read_text(encoding="utf-8").partition("\n")
    return Text(subject, body.strip() + "\n")
