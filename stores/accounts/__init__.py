"""The merchants' accounts on top of django-allauth: the banner, the verified address, staff behind it."""
