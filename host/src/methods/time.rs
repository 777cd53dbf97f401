//! Methods of time.

use super::waiting;
use crate::core::Core;
use crate::outbox::{NewTime, OperationView};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Billable, Page, PageRequest, TimeEntry, Visibility};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;

/// Longer work is a mistake in a date, in milliseconds.
const LONGEST_MS: i64 = 31 * 24 * 3_600_000;

/// Parameters of time.post.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Post {
    /// Whose.
    pub(super) tenant: String,
    /// On which link.
    pub(super) link: String,
    /// RFC 3339; whole seconds are sent.
    started_at: String,
    /// RFC 3339; whole seconds are sent.
    ended_at: String,
    /// What was done, plain text.
    notes: String,
    /// Where else the text is shown, as a note of this visibility; left out: at the time entry only. Nobody is mailed.
    #[serde(default)]
    show_as: Option<Visibility>,
    /// What was done, for staff.
    #[serde(default)]
    internal_notes: Option<String>,
    /// Whether it is charged; left out: as the provider's rules say.
    #[serde(default)]
    billable: Option<Billable>,
    /// The provider's kind of work.
    #[serde(default)]
    work_type: Option<String>,
    /// The provider's role in which it was done.
    #[serde(default)]
    work_role: Option<String>,
    /// The provider's id of the member who worked.
    #[serde(default)]
    member: Option<String>,
    /// The product's id of who worked; the member mapped to it is taken. Without either, the connection's account is.
    #[serde(default)]
    pub(super) agent: Option<String>,
    /// Your own key: handed in twice with the same content it is done once.
    #[serde(default)]
    client_key: Option<String>,
    /// How long to wait for its end, in milliseconds, also longer than `call_timeout_ms`; it is safe on disk either way.
    #[serde(default)]
    wait_ms: u64,
}

impl Post {
    /// What the provider is asked for, but for the ticket.
    pub(super) fn entry(&self) -> Result<ops::AddTimeEntryRequest, Error> {
        let (started, ended) = (seconds(&self.started_at, "/started_at")?, seconds(&self.ended_at, "/ended_at")?);
        let lasted = ended.as_millisecond().saturating_sub(started.as_millisecond());
        if lasted <= 0 || lasted > LONGEST_MS {
            let message = "must be later than started_at, by 31 days at most";
            return Err(Error::invalid(format!("time.post: ended_at {message}")).field("/ended_at", "order", message));
        }
        let internal = self.internal_notes.as_ref().filter(|text| !text.is_empty());
        for (name, text) in [("notes", Some(&self.notes)), ("internal_notes", internal)] {
            text.map_or(Ok(()), |text| crate::outbox::check_text("time.post", name, text))?;
        }
        Ok(ops::AddTimeEntryRequest {
            ticket: String::new(),
            member: self.member.clone(),
            started_at: started.to_string(),
            ended_at: ended.to_string(),
            notes: self.notes.clone(),
            show_as: self.show_as,
            internal_notes: self.internal_notes.clone(),
            billable: self.billable,
            work_type: self.work_type.clone(),
            work_role: self.work_role.clone(),
        })
    }
}

fn seconds(text: &str, at: &str) -> Result<jiff::Timestamp, Error> {
    let time = text.parse::<jiff::Timestamp>().ok();
    time.and_then(|time| jiff::Timestamp::from_second(time.as_second()).ok()).ok_or_else(|| {
        let message = "must be a time like 2026-01-31T12:00:00Z";
        Error::invalid(format!("{at}: {message}")).because("wrong_type").field(at, "time", message)
    })
}

pub(crate) async fn post(core: &Core, params: Post, context: &CallContext) -> Result<OperationView, Error> {
    let time = NewTime { entry: params.entry()?, agent: params.agent };
    let row = core.outbox.accept_time(&params.tenant, &params.link, time, params.client_key.as_deref()).await?;
    waiting::for_end(core, row, params.wait_ms, context).await
}

/// Parameters of time.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The provider's id of the ticket.
    ticket: String,
    /// Only those made after the one with this id.
    #[serde(default)]
    after: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn list(core: &Core, params: List, context: &CallContext) -> Result<Page<TimeEntry>, Error> {
    let List { tenant, connection, ticket, after, page } = params;
    let request = ops::ListTimeEntriesRequest { ticket, after, page };
    core.connections.run::<ops::ListTimeEntries>(&Place { tenant, connection }, &request, context).await
}
