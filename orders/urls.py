"""The addresses of the merchants' pages. Account pages are in stores/accounts, connecting in stores/urls.py."""

from __future__ import annotations

from django.urls import path

from .views import (
    attention,
    choice,
    help,
    mail_preview,
    mail_templates,
    mail_waiting,
    overview,
    shipment,
    store_orders,
    stores,
    tracking,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("stores/", stores.stores, name="stores"),
    path("stores/connect/", stores.connect_pick, name="connect"),
    path("stores/connect/<slug:platform>/", stores.connect_store, name="connect_store"),
    path("stores/<int:store_id>/", stores.store, name="store"),
    path("stores/<int:store_id>/pause/", stores.store_pause, name="store_pause"),
    path("stores/<int:store_id>/resume/", stores.store_resume, name="store_resume"),
    path("stores/<int:store_id>/check/", stores.store_check, name="store_check"),
    path("stores/<int:store_id>/reconnect/", stores.store_reconnect, name="store_reconnect"),
    path("stores/<int:store_id>/locations/", stores.store_locations, name="store_locations"),
    path("stores/<int:store_id>/start/", stores.store_start, name="store_start"),
    path("stores/<int:store_id>/disconnect/", stores.store_disconnect, name="store_disconnect"),
    path("stores/<int:store_id>/download/", stores.store_download, name="store_download"),
    path("sync/", choice.choice_pick, name="choice_pick"),
    path("stores/<int:store_id>/sync/", choice.choice, name="choice"),
    path("stores/<int:store_id>/sync/changes/", choice.choice_history, name="choice_history"),
    path("stores/<int:store_id>/sync/copy/", choice.choice_copy, name="choice_copy"),
    path("stores/<int:store_id>/sync/sent/", choice.choice_sent, name="choice_sent"),
    path("stores/<int:store_id>/mails/", mail_templates.mail_templates, name="mail_templates"),
    path("stores/<int:store_id>/mails/<slug:kind>/", mail_templates.mail_template, name="mail_template"),
    path("stores/<int:store_id>/mails/<slug:kind>/preview/", mail_preview.mail_preview, name="mail_preview"),
    path("stores/<int:store_id>/waiting/", mail_waiting.mail_waiting, name="mail_waiting"),
    path("orders/", store_orders.store_orders, name="store_orders"),
    path("orders/store-orders.csv", store_orders.store_orders_csv, name="store_orders_csv"),
    path("shipments/<int:shipment_id>/", shipment.shipment, name="shipment"),
    path("shipments/<int:shipment_id>/look/", shipment.look, name="shipment_look"),
    path("shipments/<int:shipment_id>/try-again/", shipment.try_again, name="shipment_try_again"),
    path("shipments/<int:shipment_id>/cancel/", shipment.cancel, name="shipment_cancel"),
    path("attention/", attention.attention, name="attention"),
    path("attention/try-again/", attention.try_again, name="attention_try_again"),
    path("attention/give-up/", attention.give_up, name="give_up"),
    path("t/<slug:token>", tracking.tracking, name="tracking"),
    path("help/tracking-sync/", help.help_page, name="help"),
]
