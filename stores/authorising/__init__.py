"""Connecting with one click: the merchant says yes in their shop, and the shop gives us the access.

    pending      who was sent to which shop, until they come back
    invitations  links with which a merchant connects one shop through an app that our staff made for it
    offers       which of this is possible on this installation
    finishing    the shop has said yes: connected, reconnected, or taken up again

What the platforms are asked and what they answer is in connectors/, the pages are in orders/views/stores/one_click*.py.
"""
