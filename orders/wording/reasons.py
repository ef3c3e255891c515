"""The reasons that hold a shipment back, or that a person should know of: what is so, who acts, what releases it.

An entry offers its sentence in several lengths, the most telling first; sentences.py says the first
whose values are all there. The last needs no value, so that a sentence never shows a gap.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from stores.connectors.codes import Code

from ..choices import RowCode, WaitCode
from . import connection
from .entries import BY_ITSELF, Text, Who, Words, words

__all__ = ["WORDS", "Text", "Who", "Words", "words"]

_LOOK_FIRST = _("We look into the store first, and send again only what is not there.")
_DONE = _("Nothing has to be done.")
_AGAIN = _('Then press "try again now".')

# What holds a shipment back, or what a person should know about one that is in the store.
WORDS: dict[str, Words] = {
    # decide(): nothing goes now
    WaitCode.CANCELLED: words(
        Who.NOBODY,
        _("Nothing has to be done. Should the order be opened again in {platform}, its number follows."),
        _("The order was cancelled, fully refunded or thrown away on {since}, so no number is sent."),
        _("The order was cancelled, fully refunded or thrown away, so no number is sent."),
    ),
    WaitCode.GIVEN_UP: words(
        Who.STAFF,
        _('Press "try again now" to take it up again.'),
        _("Sending this number was given up (“{why}”)."),
        _("Sending this number was given up."),
    ),
    WaitCode.WITHDRAWN: words(
        Who.STAFF,
        _('Press "try again now" to send a number again.'),
        _("The number was taken back out of {platform} from here, so nothing is sent for this parcel."),
    ),
    WaitCode.OLDER_THAN_SYNC: words(
        Who.NOBODY,
        _("Moving the store's start date back to before the day of the order would include it."),
        _("The order is older than {sync_from}, where TrackSync begins in this store; it is left alone."),
        _("The order is older than the day on which TrackSync begins in this store; it is left alone."),
    ),
    WaitCode.UNPAID: words(
        Who.MERCHANT,
        _("The number is free to go once the payment for the order is booked."),
        _("The payment for this order has not been booked."),
    ),
    WaitCode.METHOD_MISSING: words(
        Who.STAFF,
        _("Enter the parcel's shipping method."),
        _("The parcel has no shipping method, so it is not known which of its numbers the store should show."),
    ),
    WaitCode.OWN_NUMBER_MISSING: words(
        Who.STAFF,
        _("The number goes out once we have given the parcel one of our own."),
        _("Parcels with this shipping method go by our own number, and this one has none; {other} is not sent for it."),
        _("Parcels with this shipping method go by our own number, and this one has none yet."),
    ),
    WaitCode.LOCAL_NUMBER_MISSING: words(
        Who.CARRIER,
        _("It goes out once the carrier has given its number and it is entered here."),
        _("The carrier has not given its number yet. We have {other}, and do not send it in place of the carrier's."),
        _("The carrier has not given its number yet."),
    ),
    WaitCode.LOOKS_LIKE_OWN: words(
        Who.STAFF,
        _("Replace it by the number that the carrier gave."),
        _("{number} is entered as the carrier's number, but begins with {prefix} like our own, so it is not sent."),
        _("The number entered as the carrier's begins like one of our own, so it is not sent."),
    ),
    WaitCode.NOT_DISPATCHED: words(
        Who.STAFF,
        _("It goes out by itself as soon as the parcel is handed to the carrier."),
        _("The number {number} is ready, but the parcel is still with us, and the store asked for it after dispatch."),
        _("The parcel is still with us, and the store asked for its number after dispatch."),
    ),
    # The row's own
    RowCode.CANCELLED_AFTER_SENT: words(
        Who.STAFF,
        _("Take the number back out of the store if the parcel does not leave, or give up if it should stay there."),
        _("The order was cancelled, refunded or thrown away on {since}, after its number {number} had gone there."),
        _("The order was cancelled, refunded or thrown away after its number had gone there."),
    ),
    RowCode.DISPATCH_REVERSED: words(
        Who.STAFF,
        _("Mark it as dispatched again, or take the number back out of the store."),
        _("The store shows {number}, but the parcel has come back to us and its dispatch was undone."),
        _("The store shows the number, but the parcel has come back to us and its dispatch was undone."),
    ),
    RowCode.UNITS_MISSING: words(
        Who.STAFF,
        _("Compare the parcel's contents with the order in {platform} and correct one of them."),
        _("The number is in the store, but the store had no room for {missing} of this parcel's units."),
        _("The number is in the store, but the store had no room for all units of this parcel."),
    ),
    RowCode.NUMBER_GONE: words(
        Who.MERCHANT,
        _('Press "try again now" to put it back, or give up to leave it as it is.'),
        _("The number {number} is no longer where we wrote it in {platform}; somebody took it away there."),
        _("The number is no longer where we wrote it in {platform}; somebody took it away there."),
    ),
    RowCode.UNEXPECTED: words(
        Who.STAFF,
        _("It is tried again on its own. If it stays so, give the time and the number to whoever runs TrackSync."),
        _("TrackSync itself made a mistake with this parcel; it is logged."),
    ),
    # The store says: this shipment, later
    Code.ON_HOLD: words(
        Who.MERCHANT,
        _("Release the order in {platform}; the number follows by itself."),
        _("{platform} keeps this order on hold: {holds}."),
        _("{platform} keeps this order on hold."),
    ),
    Code.SCHEDULED: words(
        Who.NOBODY,
        _("It goes out by itself on that day."),
        _("{platform} holds this order until {until}, as it was scheduled there."),
        _("{platform} holds this order until the day it is scheduled for."),
    ),
    Code.ROUTING: words(Who.NOBODY, BY_ITSELF, _("{platform} is still deciding where this order ships from.")),
    Code.ORDER_CHANGED: words(
        Who.NOBODY,
        _("It is read again and then sent."),
        _("The order was changed in {platform} at the very moment of sending."),
    ),
    Code.NO_TIME: words(
        Who.NOBODY,
        _("It goes out in the store's next turn."),
        _("The store's turn was over before this number was sent."),
    ),
    # The store says: this shipment, a person
    Code.ORDER_NOT_FOUND: words(
        Who.MERCHANT,
        _("If it should get its number: bring it back in {platform}, or let us read older orders. Then try again."),
        _("{platform} does not show us this order: it was deleted or thrown away, or is older than what we may read."),
    ),
    Code.ORDER_CANCELLED_IN_STORE: words(
        Who.STAFF,
        _("Stop the parcel if it is still here, then give up this number."),
        _("The order is cancelled in {platform}, so the store takes no number for it."),
    ),
    Code.OTHER_NUMBER_THERE: words(
        Who.MERCHANT,
        _("Remove that number in {platform} if ours should stand there; our staff can then try again."),
        _("The store shows another number already, {there}, that is none of ours. It was not overwritten."),
        _("The store shows another number already that is none of ours. It was not overwritten."),
    ),
    Code.OTHER_LOCATION: words(
        Who.MERCHANT,
        _("Move them in {platform} to a location that we ship from; our staff can then try again."),
        _("These items belong to {location} ({app}) in the store, so we may not fulfil them."),
        _("These items belong to {location} in the store, so we may not fulfil them."),
        _("These items belong to another location in the store, so we may not fulfil them."),
    ),
    Code.NOTHING_TO_FULFILL: words(
        Who.STAFF,
        _("Find out in {platform} whether the items were removed, refunded, or fulfilled by someone else."),
        _("The store has nothing left to fulfil for what is in this parcel."),
    ),
    Code.FULFILLMENT_CANCELLED: words(
        Who.STAFF,
        _('Press "try again now" if the number should stand there again, or give up.'),
        _("Somebody took back what we had written in {platform}, so the number is no longer there."),
    ),
    Code.FULFILLMENT_NOT_OURS: words(
        Who.MERCHANT,
        _("Take it back in {platform} itself, if it should go."),
        _("What is to be taken back is gone already, or was not written by us, so we did not touch it."),
    ),
    Code.ORDER_NOT_OPEN: words(
        Who.MERCHANT,
        _("Set the order to “Processing” in {platform} if it should get its number; our staff can then try again."),
        _("The order is not open in {platform} (“{status}”), so no number was put on it."),
        _("The order is not open in {platform}, so no number was put on it."),
    ),
    Code.REFUSED: words(
        Who.STAFF,
        _("The timeline below has the store's own words. Correct what they name and try again."),
        _("The store refused the number because of {field}."),
        _("The store refused the number and did not say clearly why."),
    ),
    # The store says: all of it
    **connection.WORDS,
    # No clear answer
    Code.ANSWER_LOST: words(Who.NOBODY, _LOOK_FIRST, _("The number was sent, but the store's answer was lost.")),
    Code.STORE_FAILED: words(
        Who.NOBODY,
        _LOOK_FIRST,
        _("The number was sent, and the store failed while it was working on it ({status})."),
        _("The number was sent, and the store failed while it was working on it."),
    ),
    # Warnings: it is there, and a person may want to know
    Code.COMPANY_CHANGED: words(Who.NOBODY, _DONE, _("The store shows the carrier under another name than we sent.")),
    Code.LINK_CHANGED: words(Who.NOBODY, _DONE, _("The store shows another tracking link than we sent.")),
    Code.CARRIER_NOT_MAPPED: words(
        Who.STAFF,
        _("Give the carrier, on its own page, the name that {platform} knows it by."),
        _("{platform} does not know the carrier: customers see the number without its name or without a link."),
    ),
    Code.STATUS_NOT_CHANGED: words(
        Who.MERCHANT,
        _("Change the order's status in {platform} by hand, if it should follow."),
        _("The number is there, but {platform} did not take the order's new status."),
    ),
    Code.DUPLICATE_CANCELLED: words(
        Who.NOBODY, _DONE, _("The store had two fulfillments of ours for the same items; the younger was cancelled.")
    ),
    Code.API_VERSION_RETIRED: words(
        Who.STAFF,
        _("Update TrackSync."),
        _("{platform} answered in a newer version than the one TrackSync was made for."),
    ),
    Code.CUSTOMERS_HIDDEN: words(
        Who.MERCHANT,
        _("Nothing has to be done for the numbers. For mail, the shop's plan has to allow customer data."),
        _("The store does not show us its customers' e-mail addresses."),
    ),
    Code.OLD_ORDERS_HIDDEN: words(
        Who.MERCHANT,
        _("Allow reading all orders if older ones should get numbers."),
        _("The store shows us only the orders of the last 60 days."),
    ),
    Code.SEVERAL_LOCATIONS: words(
        Who.STAFF,
        _("Choose the locations that we ship from on the store's page."),
        _("The store has several locations, and it was not chosen which of them we ship from."),
    ),
    Code.HEADER_STRIPPED: words(
        Who.MERCHANT,
        _("Numbers are not affected. Better ask your host to pass the Authorization header on to WordPress."),
        _(
            "The shop's host drops the part of our requests that holds the key, so the key travels in the address, "
            "which the host may write into its log."
        ),
    ),
    Code.ANSWERS_SOILED: words(
        Who.MERCHANT,
        _("Numbers are not affected. Better ask your host to switch PHP's display_errors off."),
        _("Error messages of the shop's PHP stand before what it answers; we read past them."),
    ),
}
