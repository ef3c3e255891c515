"""The closed list of what a connector can report. A leaf: everyone may import it.

A code is stored on rows and compared; its sentence is made in orders/wording.py. `{values}` in the
comments name what travels with the code.
"""

from __future__ import annotations

import enum


class Code(enum.StrEnum):
    """What happened, in one word; beside each the values that travel with it."""

    # TryAgainLater: this shipment, by itself
    ON_HOLD = "on_hold"  # {holds: the store's own display reasons}
    SCHEDULED = "scheduled"  # {until: ISO time}
    ROUTING = "routing"  # the store has not made its fulfillment orders yet
    ORDER_CHANGED = "order_changed"  # what was read had changed when it was written; read again
    NO_TIME = "no_time"  # the turn was over before this one was sent

    # ShipmentRejected: this shipment, a person
    ORDER_NOT_FOUND = "order_not_found"  # deleted, or older than the store lets us see
    ORDER_CANCELLED_IN_STORE = "order_cancelled_in_store"
    OTHER_NUMBER_THERE = "other_number_there"  # {there: the number}
    OTHER_LOCATION = "other_location"  # {location: its name, app: the service's name or ""}
    NOTHING_TO_FULFILL = "nothing_to_fulfill"  # the store has nothing left for these items
    FULFILLMENT_CANCELLED = "fulfillment_cancelled"  # ours was cancelled in the store, the number is the same
    FULFILLMENT_NOT_OURS = "fulfillment_not_ours"  # asked to cancel one that is gone or not ours
    REFUSED = "refused"  # {field}: the store refused and reading again did not tell why
    ORDER_NOT_OPEN = (
        "order_not_open"  # {status}: unpaid, failed, in the bin …; the store would take a number all the same
    )

    # StoreBusy: the whole store, by itself
    THROTTLED = "throttled"
    NO_ANSWER = "no_answer"  # to a read: time-out, reset, name not resolved
    SERVER_ERROR = "server_error"  # 5xx, or an internal error, to a read {status}
    NOT_JSON = "not_json"  # a page instead of an answer, to a read

    # StoreDisconnected: the whole store, a person
    TOKEN_REFUSED = "token_refused"  # noqa: S105 -- a code, not a token
    RECONNECT_NEEDED = "reconnect_needed"  # what renews the access is dead or thrown away: the merchant consents again
    TOKEN_KIND_REFUSED = "token_kind_refused"  # noqa: S105 -- {status}: tokens that never end are no longer taken
    CONSENT_OVER = "consent_over"  # the code that the shop gave for a consent was used already, or is too old
    SCOPE_MISSING = "scope_missing"  # {scopes}
    SHOP_FROZEN = "shop_frozen"  # unpaid or locked {status}
    SHOP_NOT_FOUND = "shop_not_found"
    WRONG_SHOP = "wrong_shop"  # {shop}: another shop answered
    ADDRESS_REFUSED = "address_refused"  # {address, why}: why is one of addresses.Why
    CREDENTIALS_INCOMPLETE = "credentials_incomplete"  # {missing}
    USER_LACKS_RIGHTS = "user_lacks_rights"  # the key is good, its user is neither administrator nor shop manager
    API_CLOSED = "api_closed"  # {said: the store's own code}: a plugin or setting keeps everybody out of the API
    SHUT_OUT = "shut_out"  # {status}: a firewall, bot check or "coming soon" page in place of data, a quarter hour long
    PERMALINKS = "permalinks"  # WordPress without its API's addresses: Settings > Permalinks > Post name
    PLATFORM_MISSING = "platform_missing"  # WordPress answers, the shop's plugin is switched off or not there
    ADDRESS_MOVED = "address_moved"  # {to: the base address that the store sends us to, "" where it is none}
    CERTIFICATE_REFUSED = "certificate_refused"  # expired, self-signed, for another name: the host has to renew it
    HTTPS_NOT_SEEN = (
        "https_not_seen"  # a proxy hides https from the shop, which takes no key then; the key itself is good
    )

    # OutcomeUnknown
    ANSWER_LOST = "answer_lost"  # time-out, reset, cut or unreadable answer after a write
    STORE_FAILED = "store_failed"  # 5xx or an internal error after a write {status}

    # Warnings on a Receipt or on StoreFacts
    COMPANY_CHANGED = "company_changed"  # the store shows another carrier name
    LINK_CHANGED = "link_changed"  # the store shows another link
    CARRIER_NOT_MAPPED = (
        "carrier_not_mapped"  # the store shows the number without the carrier's name, or without a link
    )
    STATUS_NOT_CHANGED = "status_not_changed"  # the number is there; the store did not let the order's status follow
    DUPLICATE_CANCELLED = "duplicate_cancelled"  # two of ours for the same lines: the younger was cancelled
    API_VERSION_RETIRED = "api_version_retired"
    CUSTOMERS_HIDDEN = "customers_hidden"
    OLD_ORDERS_HIDDEN = "old_orders_hidden"  # orders older than 60 days
    SEVERAL_LOCATIONS = "several_locations"
    HEADER_STRIPPED = "header_stripped"  # the host drops the Authorization header: the key goes in the address instead
    ANSWERS_SOILED = (
        "answers_soiled"  # PHP warnings or a byte order mark stand before the data: switch display_errors off
    )
