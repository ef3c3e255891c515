"""A pretend WooCommerce: WordPress's REST API over HTTP(S), with state, plugins, faults and a book of its own.

Held to what real stores were seen to answer, never to our connector. `server` speaks HTTP and plays the `faults` with
`weather`; `routes` finds who answers, after `access` has looked at the credentials. `shop` holds one store's records,
`statuses` what a change of status brings with it, `views` how records look from outside, `dates` the clocks of a shop.
`index`, `orders_read`, `orders_write`, `notes`, `refunds`, `trackings`, `fulfillments` and `webhooks` are what an app
may do; `authorize` and `page` are for browsers, `calls` are the store's own requests; `merchant` and `control` are what
a test may do; `book` is what happened.
"""
