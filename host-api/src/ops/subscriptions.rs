//! Requests about subscriptions, callbacks, and what has changed.

use crate::model::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Request of `desired_subscriptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DesiredSubscriptionsRequest {
    /// The product's address for callbacks, with [`TOKEN`] in the token's place; it may have a query of its own. Absent: there
    /// is none, so nothing can be registered, and only the rest of the answer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Answer of `desired_subscriptions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DesiredSubscriptions {
    /// What is to be registered for this connection; empty: nothing is.
    pub items: Vec<WantedSubscription>,
    /// Everything the provider offers.
    #[serde(default)]
    pub catalogue: Vec<SubscriptionKind>,
    /// How often changes are to be looked for without being told, in milliseconds; absent: as the host is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_every_ms: Option<u64>,
}

/// Request of `list_subscriptions`: all that the provider shows, others' too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListSubscriptionsRequest {
    /// Which page.
    pub page: PageRequest,
}

/// Request of `create_subscription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreateSubscriptionRequest {
    /// What is registered; its address has the token in it.
    pub subscription: WantedSubscription,
    /// By what people know it.
    pub description: String,
}

/// Request of `update_subscription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdateSubscriptionRequest {
    /// The provider's id.
    pub subscription: String,
    /// Whether it is to rest; absent: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive: Option<bool>,
}

/// Request of `delete_subscription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteSubscriptionRequest {
    /// The provider's id.
    pub subscription: String,
}

/// Request of `receive_callback`: what came in, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiveCallbackRequest {
    /// What it came to: kind, level and object as they were registered.
    pub kind: String,
    /// See `kind`.
    pub level: String,
    /// See `kind`.
    pub object: String,
    /// The query as it came, without the question mark.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, in base64.
    pub body: String,
}

/// Request of `changed_tickets`: a window of time on the provider's own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedTicketsRequest {
    /// RFC 3339 UTC, whole seconds: changed then or later.
    pub since: String,
    /// RFC 3339 UTC, whole seconds: and not after this. Absent: only the provider's time is asked for, no tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Answer of `changed_tickets`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedTickets {
    /// Whole, as `get_ticket` would give them.
    pub items: Vec<Ticket>,
    /// Opaque: give it back for the next page of the same window. Absent: the window is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What the provider's own clock showed when it answered, RFC 3339 UTC.
    pub server_time: String,
}
