"""The part of the Admin API's types that the pretend store speaks: names are the interface, the text is ours.

The objects stand in `types.sdl`. Connections and mutation payloads follow one pattern each and are made
from tables here. Documents are checked against this; what the fields answer lives in `reads_*`.
"""

from __future__ import annotations

import pathlib

from graphql import GraphQLSchema, build_schema

PAGE = "first: Int, after: String, last: Int, before: String, reverse: Boolean = false"

CONNECTIONS = [
    "BasicEvent",
    "Fulfillment",
    "FulfillmentEvent",
    "FulfillmentLineItem",
    "FulfillmentOrder",
    "FulfillmentOrderLineItem",
    "FulfillmentOrderMerchantRequest",
    "InventoryLevel",
    "LineItem",
    "Location",
    "Metafield",
    "Order",
    "OrderTransaction",
    "RefundLineItem",
    "WebhookSubscription",
]

# mutation: (arguments, payload fields, type of a user error)
MUTATIONS = {
    "customerCreate": ("input: CustomerInput!", "customer: Customer", "UserError"),
    "fulfillmentCancel": ("id: ID!", "fulfillment: Fulfillment", "UserError"),
    "fulfillmentCreate": ("fulfillment: FulfillmentInput!, message: String", "fulfillment: Fulfillment", "UserError"),
    "fulfillmentCreateV2": (
        "fulfillment: FulfillmentV2Input!, message: String",
        "fulfillment: Fulfillment",
        "UserError",
    ),
    "fulfillmentEventCreate": (
        "fulfillmentEvent: FulfillmentEventInput!",
        "fulfillmentEvent: FulfillmentEvent",
        "UserError",
    ),
    "fulfillmentTrackingInfoUpdate": (
        "fulfillmentId: ID!, trackingInfoInput: FulfillmentTrackingInput!, notifyCustomer: Boolean",
        "fulfillment: Fulfillment",
        "UserError",
    ),
    "fulfillmentTrackingInfoUpdateV2": (
        "fulfillmentId: ID!, trackingInfoInput: FulfillmentTrackingInput!, notifyCustomer: Boolean",
        "fulfillment: Fulfillment",
        "UserError",
    ),
    "fulfillmentOrderAcceptCancellationRequest": (
        "id: ID!, message: String",
        "fulfillmentOrder: FulfillmentOrder",
        "UserError",
    ),
    "fulfillmentOrderAcceptFulfillmentRequest": (
        "id: ID!, message: String, estimatedShippedAt: DateTime",
        "fulfillmentOrder: FulfillmentOrder",
        "UserError",
    ),
    "fulfillmentOrderCancel": (
        "id: ID!",
        "fulfillmentOrder: FulfillmentOrder replacementFulfillmentOrder: FulfillmentOrder",
        "FulfillmentOrderCancelError",
    ),
    "fulfillmentOrderClose": ("id: ID!, message: String", "fulfillmentOrder: FulfillmentOrder", "UserError"),
    "fulfillmentOrderHold": (
        "id: ID!, fulfillmentHold: FulfillmentOrderHoldInput!",
        "fulfillmentHold: FulfillmentHold fulfillmentOrder: FulfillmentOrder"
        " remainingFulfillmentOrder: FulfillmentOrder",
        "FulfillmentOrderHoldUserError",
    ),
    "fulfillmentOrderLineItemsPreparedForPickup": (
        "input: FulfillmentOrderLineItemsPreparedForPickupInput!",
        "",
        "FulfillmentOrderLineItemsPreparedForPickupUserError",
    ),
    "fulfillmentOrderMerge": (
        "fulfillmentOrderMergeInputs: [FulfillmentOrderMergeInput!]!",
        "fulfillmentOrderMerges: [FulfillmentOrderMergeResult!]",
        "FulfillmentOrderMergeUserError",
    ),
    "fulfillmentOrderMove": (
        "id: ID!, newLocationId: ID!, fulfillmentOrderLineItems: [FulfillmentOrderLineItemInput!]",
        "movedFulfillmentOrder: FulfillmentOrder originalFulfillmentOrder: FulfillmentOrder"
        " remainingFulfillmentOrder: FulfillmentOrder",
        "FulfillmentOrderMoveFulfillmentOrderMoveUserError",
    ),
    "fulfillmentOrderOpen": ("id: ID!", "fulfillmentOrder: FulfillmentOrder", "UserError"),
    "fulfillmentOrderRejectCancellationRequest": (
        "id: ID!, message: String",
        "fulfillmentOrder: FulfillmentOrder",
        "UserError",
    ),
    "fulfillmentOrderRejectFulfillmentRequest": (
        "id: ID!, message: String, reason: FulfillmentOrderRejectionReason, lineItems: [IncomingRequestLineItemInput!]",
        "fulfillmentOrder: FulfillmentOrder",
        "UserError",
    ),
    "fulfillmentOrderReleaseHold": (
        "id: ID!, holdIds: [ID!], externalId: String",
        "fulfillmentOrder: FulfillmentOrder",
        "FulfillmentOrderReleaseHoldUserError",
    ),
    "fulfillmentOrderReportProgress": (
        "id: ID!, progressReport: FulfillmentOrderReportProgressInput",
        "fulfillmentOrder: FulfillmentOrder",
        "FulfillmentOrderReportProgressUserError",
    ),
    "fulfillmentOrderReschedule": (
        "id: ID!, fulfillAt: DateTime!",
        "fulfillmentOrder: FulfillmentOrder",
        "FulfillmentOrderRescheduleUserError",
    ),
    "fulfillmentOrderSplit": (
        "fulfillmentOrderSplits: [FulfillmentOrderSplitInput!]!",
        "fulfillmentOrderSplits: [FulfillmentOrderSplitResult!]",
        "FulfillmentOrderSplitUserError",
    ),
    "fulfillmentOrderSubmitCancellationRequest": (
        "id: ID!, message: String",
        "fulfillmentOrder: FulfillmentOrder",
        "UserError",
    ),
    "fulfillmentOrderSubmitFulfillmentRequest": (
        "id: ID!, message: String, notifyCustomer: Boolean,"
        " fulfillmentOrderLineItems: [FulfillmentOrderLineItemInput!]",
        "originalFulfillmentOrder: FulfillmentOrder submittedFulfillmentOrder: FulfillmentOrder"
        " unsubmittedFulfillmentOrder: FulfillmentOrder",
        "UserError",
    ),
    "fulfillmentOrdersReroute": (
        "fulfillmentOrderIds: [ID!]!, includedLocationIds: [ID!], excludedLocationIds: [ID!]",
        "movedFulfillmentOrders: [FulfillmentOrder!]",
        "FulfillmentOrdersRerouteUserError",
    ),
    "fulfillmentOrdersSetFulfillmentDeadline": (
        "fulfillmentOrderIds: [ID!]!, fulfillmentDeadline: DateTime!",
        "success: Boolean",
        "FulfillmentOrdersSetFulfillmentDeadlineUserError",
    ),
    "fulfillmentServiceCreate": (
        "name: String!, callbackUrl: URL, trackingSupport: Boolean = false, inventoryManagement: Boolean = false,"
        " requiresShippingMethod: Boolean = true, fulfillmentOrdersOptIn: Boolean = true",
        "fulfillmentService: FulfillmentService",
        "UserError",
    ),
    "orderCancel": (
        "orderId: ID!, reason: OrderCancelReason!, restock: Boolean!, refund: Boolean,"
        " refundMethod: OrderCancelRefundMethodInput, notifyCustomer: Boolean = false, staffNote: String",
        "job: Job orderCancelUserErrors: [OrderCancelUserError!]!",
        "UserError",
    ),
    "orderCreate": (
        "order: OrderCreateOrderInput!, options: OrderCreateOptionsInput",
        "order: Order",
        "OrderCreateUserError",
    ),
    "refundCreate": ("input: RefundInput!", "order: Order refund: Refund", "UserError"),
    "webhookSubscriptionCreate": (
        "topic: WebhookSubscriptionTopic!, webhookSubscription: WebhookSubscriptionInput!",
        "webhookSubscription: WebhookSubscription",
        "UserError",
    ),
    "webhookSubscriptionDelete": ("id: ID!", "deletedWebhookSubscriptionId: ID", "UserError"),
    "webhookSubscriptionUpdate": (
        "id: ID!, webhookSubscription: WebhookSubscriptionInput!",
        "webhookSubscription: WebhookSubscription",
        "UserError",
    ),
}

# Errors that carry a code: "UserError" is the one that has none.
CODED_ERRORS = sorted({error for _, _, error in MUTATIONS.values() if error != "UserError"} | {"OrderCancelUserError"})


def build() -> GraphQLSchema:
    """The executable-looking schema that documents are validated against."""
    types = (pathlib.Path(__file__).parent / "types.sdl").read_text(encoding="utf-8")
    parts = [types.replace("PAGE,", PAGE + ",").replace("(PAGE)", f"({PAGE})")]
    parts += [f"type {name} {{ code: String field: [String!] message: String! }}" for name in CODED_ERRORS]
    for name in CONNECTIONS:
        parts.append(f"type {name}Connection {{ edges: [{name}Edge!]! nodes: [{name}!]! pageInfo: PageInfo! }}")
        parts.append(f"type {name}Edge {{ cursor: String! node: {name}! }}")
    roots = []
    for name, (arguments, fields, error) in MUTATIONS.items():
        payload = f"{name[0].upper()}{name[1:]}Payload"
        parts.append(f"type {payload} {{ {fields} userErrors: [{error}!]! }}")
        roots.append(f"  {name}({arguments}): {payload}")
    parts.append("type Mutation {\n" + "\n".join(roots) + "\n}")
    return build_schema("\n".join(parts))
