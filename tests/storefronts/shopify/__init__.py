"""A pretend Shopify: the GraphQL Admin API over HTTP, with state, costs, faults and a book of its own.

Held to what a real store was seen to answer, never to our connector. `server` speaks HTTP, `documents`
and `execute` GraphQL, `shop` holds one store's records, `routing` the rules of fulfilment orders,
`mutations_*` what an app may change, `control` what a test or a merchant may change, `book` what happened.
"""
