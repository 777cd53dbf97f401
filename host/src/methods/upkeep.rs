//! Methods of the activity, the vault, the store, and how things stand.

use super::nothing::Nothing;
use super::paging::{self, Paged};
use super::plugins::{self, Refused};
use crate::callbacks::CallbackHealth;
use crate::clock::{hex, rfc3339};
use crate::core::{Core, blocking};
use crate::outbox::Halt;
use crate::plugin::CallContext;
use crate::store::{ConnectionState, Place, Record, StopReason};
use crate::vault::{Rotation, Status};
use psa_host_api::model::{Page, PageRequest};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Parameters that name a tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfTenant {
    /// Whose.
    tenant: String,
}

/// Parameters of activity.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListActivity {
    /// Whose.
    tenant: String,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

/// An entry of the activity.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ActivityEntry {
    /// Its place in the chain, from 1.
    seq: i64,
    /// RFC 3339 UTC.
    at: String,
    /// Who.
    actor: String,
    /// What.
    action: String,
    /// Through which connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// With what.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// More; absent if it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
}

pub(crate) async fn activity(core: &Core, params: ListActivity, _: &CallContext) -> Result<Page<ActivityEntry>, Error> {
    let paged = Paged::of(&params.page)?;
    let found = core.store.activity(&params.tenant, paged.after_number()?, paged.ask())?;
    Ok(paging::page(
        &paged,
        found,
        |entry| entry.seq.to_string(),
        |entry| ActivityEntry {
            seq: entry.seq,
            at: rfc3339(entry.at),
            actor: entry.actor,
            action: entry.action,
            connection: entry.connection,
            subject: entry.subject,
            detail: entry.detail.and_then(|text| serde_json::from_str(&text).ok()),
        },
    ))
}

/// The end of a tenant's chain: keep it elsewhere, and nothing before it can be changed unseen.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// The last entry; 0 if there is none.
    seq: i64,
    /// Its mac, in hex.
    mac: String,
}

pub(crate) async fn head(core: &Core, params: OfTenant, _: &CallContext) -> Result<Head, Error> {
    let head = core.store.activity_head(&params.tenant)?;
    Ok(head.map_or(Head { seq: 0, mac: String::new() }, |entry| Head { seq: entry.seq, mac: hex(&entry.mac) }))
}

/// Parameters of activity.verify.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    /// Whose.
    tenant: String,
    /// A head that was exported earlier.
    #[serde(default)]
    head: Option<Head>,
}

/// What the check of a chain has found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Verified {
    /// Whether the chain is whole.
    whole: bool,
    /// Entries that were looked at.
    entries: u64,
    /// The first entry that is not what it was, or is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<i64>,
}

pub(crate) async fn verify(core: &Core, params: Verify, _: &CallContext) -> Result<Verified, Error> {
    const BATCH: usize = 500;
    let (mut before, mut seq, mut entries) = (Vec::new(), 0, 0);
    let mut head_seen = params.head.as_ref().is_none_or(|head| head.seq == 0);
    let broken = |entries, at| Ok(Verified { whole: false, entries, broken_at: Some(at) });
    loop {
        // A long chain must not keep others waiting.
        tokio::task::yield_now().await;
        let batch = core.store.activity(&params.tenant, seq, BATCH)?;
        if batch.is_empty() {
            break;
        }
        for entry in batch {
            if entry.seq != seq + 1 || !core.scribe.follows(&params.tenant, &before, &entry)? {
                return broken(entries, seq + 1);
            }
            if let Some(head) = params.head.as_ref().filter(|head| head.seq == entry.seq) {
                if head.mac != hex(&entry.mac) {
                    return broken(entries, entry.seq);
                }
                head_seen = true;
            }
            (before, seq, entries) = (entry.mac, entry.seq, entries + 1);
        }
    }
    if head_seen { Ok(Verified { whole: true, entries, broken_at: None }) } else { broken(entries, seq + 1) }
}

pub(crate) async fn vault_status(core: &Core, _: Nothing, _: &CallContext) -> Result<Status, Error> {
    Ok(core.vault.status()?)
}

/// Parameters of vault.rotate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotate {
    /// The key to seal with from now on; left out: a new one in the key file, or an interrupted rotation goes on.
    #[serde(default)]
    key: Option<String>,
}

pub(crate) async fn rotate(core: &Core, params: Rotate, _: &CallContext) -> Result<Rotation, Error> {
    let vault = core.vault.clone();
    blocking(move || vault.rotate(params.key.as_deref())).await
}

/// Parameters of vault.retire.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retire {
    /// The key that nothing names any more.
    key: String,
}

pub(crate) async fn retire(core: &Core, params: Retire, _: &CallContext) -> Result<Status, Error> {
    let vault = core.vault.clone();
    blocking(move || vault.retire(&params.key)).await?;
    Ok(core.vault.status()?)
}

/// Parameters of health.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskHealth {
    /// Whose.
    tenant: String,
    /// Which page of the connections.
    #[serde(default)]
    page: PageRequest,
}

/// How things stand.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Health {
    /// Why nothing can be written now; absent if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// False: the database belongs to another environment, so nothing is sent.
    sends: bool,
    /// Plugin files that were found in a folder and not loaded, as in plugins.list; empty if all is well.
    refused: Vec<Refused>,
    /// Each connection.
    connections: Page<ConnectionHealth>,
}

/// How things stand with a connection.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConnectionHealth {
    /// Its id.
    connection: String,
    /// Where it is in its life.
    state: ConnectionState,
    /// Why it is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<StopReason>,
    /// All that keeps this process from sending anything through it until somebody does something about it, in the words
    /// of operations.explain. Empty: nothing does.
    halted: Vec<Halt>,
    /// Operations that wait to be sent.
    queued: u64,
    /// Operations that may be in the PSA.
    in_doubt: u64,
    /// Operations that wait for a person.
    held: u64,
    /// Lanes that wait for a doubt to be settled.
    blocked_lanes: u64,
    /// How long the oldest operation that has not ended has been waiting, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_ms: Option<i64>,
    /// How long nothing more is sent because the PSA asked for it or did not answer, in milliseconds; that ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    limited_ms: Option<u64>,
    /// What comes in from the PSA.
    callbacks: CallbackHealth,
    /// What its cache has done.
    cache: crate::cache::Statistics,
}

pub(crate) async fn health(core: &Core, params: AskHealth, _: &CallContext) -> Result<Health, Error> {
    let paged = Paged::of(&params.page)?;
    let found = core.connections.list(&params.tenant, &paged.after, paged.ask()).await?;
    let now = core.clock.now_unix_ms();
    let mut rows = Vec::with_capacity(found.len());
    for connection in found {
        let place = Place { tenant: connection.tenant, connection: connection.connection.clone() };
        let standing = core.store.standing(&place)?;
        rows.push(ConnectionHealth {
            callbacks: core.callbacks.health(&place)?,
            halted: core.outbox.halts(
                &connection.plugin,
                connection.state,
                connection.reason,
                connection.detail.as_deref(),
                core.environment.foreign(),
            ),
            state: connection.state,
            reason: connection.reason,
            queued: standing.queued,
            in_doubt: standing.in_doubt,
            held: standing.held,
            blocked_lanes: standing.blocked,
            oldest_ms: standing.oldest.map(|oldest| now.saturating_sub(oldest)),
            limited_ms: core.outbox.limited_ms(&place),
            cache: core.connections.caches.of(place.tenant.as_bytes(), &place.connection).statistics(),
            connection: connection.connection,
        });
    }
    Ok(Health {
        store: core.store.trouble().map(|error| error.to_string()),
        sends: core.environment.is_ours(),
        refused: core.connections.with_registry(plugins::refused),
        connections: paging::page(&paged, rows, |row| row.connection.clone(), |row| row),
    })
}

/// Parameters of store.backup.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backup {
    /// A file that is not there yet; what is not absolute begins at the process's own folder.
    path: std::path::PathBuf,
}

/// Result of store.backup.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BackedUp {
    /// The file.
    path: String,
    /// Its size.
    bytes: u64,
}

pub(crate) async fn backup(core: &Core, params: Backup, _: &CallContext) -> Result<BackedUp, Error> {
    let store = core.store.clone();
    let path = params.path;
    blocking(move || {
        store.backup(&path)?;
        let bytes = std::fs::metadata(&path).map_or(0, |facts| facts.len());
        Ok(BackedUp { path: path.display().to_string(), bytes })
    })
    .await
}

/// Result of tenant.export.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Export {
    /// Each row: its table, and its columns. Secrets and bodies are not among them.
    rows: Vec<ExportedRow>,
}

/// A row.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExportedRow {
    /// Which table.
    table: String,
    /// Its columns.
    row: Value,
}

pub(crate) async fn export(core: &Core, params: OfTenant, _: &CallContext) -> Result<Export, Error> {
    let rows = core.store.export(&params.tenant)?;
    Ok(Export { rows: rows.into_iter().map(|(table, row)| ExportedRow { table, row }).collect() })
}

/// Parameters of tenant.erase.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erase {
    /// Whose.
    tenant: String,
    /// The tenant once more: this cannot be undone.
    confirm: String,
    /// Who does it.
    by: String,
}

/// Result of tenant.erase.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Erased {
    /// Rows that are gone, not counting what went with them.
    rows: u64,
}

pub(crate) async fn erase(core: &Core, params: Erase, _: &CallContext) -> Result<Erased, Error> {
    let Erase { tenant, confirm, by } = params;
    if confirm != tenant {
        let message = "confirm must repeat the tenant";
        return Err(Error::new(Code::InvalidArgument, message).field("/confirm", "equal", message));
    }
    super::check_word("by", &by)?;
    crate::connections::check_tenant(&tenant)?;
    crate::removal::withdraw_all(core, &tenant).await?;
    core.connections.close_tenant(&tenant).await?;
    let place = Place { tenant: tenant.clone(), connection: String::new() };
    let entry = core.scribe.entry(&place, &by, "tenant.erased", None, &json!({}))?;
    let event = core.scribe.event(&tenant, "tenant.erased", json!({"by": by}));
    let rows = core.store.erase(&tenant, Record { entries: vec![entry], events: vec![event] }).await?;
    let store = core.store.clone();
    blocking(move || Ok(store.shrink()?)).await?;
    Ok(Erased { rows })
}
