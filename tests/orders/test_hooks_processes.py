"""Several web processes receive the same messages at the same moment: each is taken once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid

import pytest
from django_q.models import OrmQ

from orders.models import OrderHint
from stores.models import HookDelivery
from tests import factories
from tests.conftest import ROOT

from .hooking import SECRET, hinted, order_gid

pytestmark = [pytest.mark.postgres, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

MESSAGES = 60
ORDERS = 3

RECEIVE = """
import sys, time
import django; django.setup()
from collections import Counter
from tests.orders.hooking import send
path, begin = sys.argv[1], float(sys.argv[2])
send(path, secret="a first one, to have everything loaded")
time.sleep(max(0.0, begin - time.time()))
print(Counter(send(path, content={"id": n % %ORDERS% + 1}, delivery=f"d-{n}")[0] for n in range(%MESSAGES%)))
"""


def test_the_same_delivery_to_several_processes_at_once_is_one_row_and_one_hint(database_url: str) -> None:
    store = factories.a_store(credentials={"client_id": "c", "client_secret": SECRET}, hook_key=uuid.uuid4())
    program = RECEIVE.replace("%ORDERS%", str(ORDERS)).replace("%MESSAGES%", str(MESSAGES))
    variables = os.environ | {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tracksync.settings"}
    begin = time.time() + 4.0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"/hooks/shopify/{store.hook_key}/", str(begin)],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=60)[0].strip() for process in processes]

    assert told == [f"Counter({{200: {MESSAGES}}})"] * 3
    assert HookDelivery.objects.filter(store=store).count() == MESSAGES
    assert hinted() == [order_gid(n) for n in range(1, ORDERS + 1)]
    assert OrderHint.objects.filter(store=store).count() == ORDERS
    assert OrmQ.objects.count() == 1
