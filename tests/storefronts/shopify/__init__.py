"""A pretend Shopify: the GraphQL Admin API over HTTP, with state, costs, faults and a book of its own.

Held to what a real store was seen to answer, never to our connector. `server` speaks HTTP and plays
the `faults`; `documents`, `execute` and `pricing` are GraphQL; `shop` holds one store's records, `routing` the
rules of fulfilment orders; `reads_*` and `mutations_*` are what an app may do, `merchant` and `control` what a
test may; `book` is what happened, `page` what people see.
"""
