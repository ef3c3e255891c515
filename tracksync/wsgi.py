"""The WSGI entry point (gunicorn tracksync.wsgi)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracksync.settings")
application = get_wsgi_application()
