"""The addresses of the merchants' pages. Account pages are in stores/accounts, connecting in stores/urls.py."""

from __future__ import annotations

from django.urls import path

from .views import attention, choice, help, overview, shipment, store_orders, stores

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("stores/", stores.stores, name="stores"),
    path("stores/<int:store_id>/", stores.store, name="store"),
    path("sync/", choice.choice_pick, name="choice_pick"),
    path("stores/<int:store_id>/sync/", choice.choice, name="choice"),
    path("stores/<int:store_id>/sync/changes/", choice.choice_history, name="choice_history"),
    path("stores/<int:store_id>/sync/copy/", choice.choice_copy, name="choice_copy"),
    path("stores/<int:store_id>/sync/sent/", choice.choice_sent, name="choice_sent"),
    path("orders/", store_orders.store_orders, name="store_orders"),
    path("orders/store-orders.csv", store_orders.store_orders_csv, name="store_orders_csv"),
    path("shipments/<int:shipment_id>/", shipment.shipment, name="shipment"),
    path("shipments/<int:shipment_id>/look/", shipment.look, name="shipment_look"),
    path("shipments/<int:shipment_id>/try-again/", shipment.try_again, name="shipment_try_again"),
    path("shipments/<int:shipment_id>/cancel/", shipment.cancel, name="shipment_cancel"),
    path("attention/", attention.attention, name="attention"),
    path("attention/try-again/", attention.try_again, name="attention_try_again"),
    path("attention/give-up/", attention.give_up, name="give_up"),
    path("help/tracking-sync/", help.help_page, name="help"),
]
