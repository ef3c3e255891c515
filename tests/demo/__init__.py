"""`make demo`: everything real but the stores, which are pretend ones on this machine.

    python -m tests.demo [--once] [--pause SECONDS] [--folder DIRECTORY]

Merchants, stores, orders and parcels come in by the doors that a real house uses: `connect_store`, `pull_orders` and
`import_shipments`; the web server and `manage.py worker` run as they would in production. What happens is told in the
terminal, and the last word is the pretend stores' own book.

    story.py         who is in it, and what each store has to show in the end: the table
    cast.py          what parcels, orders and stores of the story are made of
    madeup.py        tracking numbers of the right shape
    storefronts/     the pretend stores and their books, one module for each platform
    connecting.py    the sheet from which the stores are connected
    warehouse.py     the files that a warehouse would export
    surroundings.py  folder, environment, ports
    parts.py         the processes, and how all of them end
    mails.py         the mails, as they were sent into files
    mail_page.py     the page on which they are read
    watching.py      sees what changes and tells it
    screen.py        eighty columns, colours where they are wanted
    verdict.py       the table against the books and the mails
    play.py          one thing after the other
"""
