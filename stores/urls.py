"""The addresses of the account pages of our own; allauth's are below accounts/ too."""

from __future__ import annotations

from django.urls import path

from .accounts import views as accounts

urlpatterns = [
    path("account/", accounts.account, name="account"),
    path("account/send-verification/", accounts.send_verification, name="send_verification"),
    path("account/verify/<str:token>/", accounts.verify_address, name="verify_address"),
]
