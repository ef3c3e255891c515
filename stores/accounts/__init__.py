"""Accounts on top of django-allauth: whose address it is, links that verify it, the gate before the staff's pages."""
