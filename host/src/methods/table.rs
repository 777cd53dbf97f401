//! The table of methods.

use super::nothing::{Done, Nothing};
use super::reference::{self, Told};
use super::typed::typed;
use super::{
    attachments, callbacks, changes, companies, connections, copying, events, history, links, mappings, members, notes,
    operations, plugins, priorities, rehearse, theme, tickets, time, trials, upkeep,
};
use crate::callbacks::Comparison;
use crate::connections::Connection;
use crate::core::Core;
use crate::core::kept::Kept;
use crate::json;
use crate::outbox::{Explanation, OperationView};
use crate::plugin::CallContext;
use crate::store::Dependents;
use psa_host_api::model::{
    Attachment, AttachmentContent, AuditEntry, CatalogEntry, Company, Configuration, Contact, ConversationEntry,
    FormOption, Member, Note, Page, Site, TestReport, Ticket, TimeEntry,
};
use psa_host_api::ops::RawAnswer;
use psa_host_api::{Code, Error};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Map, Value};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Parameters above this are refused, in bytes.
const PARAMS_BYTES_MAX: usize = 16 << 20;

/// A method on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>;

/// What has become of a method by the time its parameters are read.
pub(crate) enum Begun {
    /// It is over: nothing had to be waited for.
    Ended(Result<String, Error>),
    /// It goes on as this is polled.
    OnItsWay(Answer),
}

impl Begun {
    /// As something to be polled in either case.
    pub(crate) fn answer(self) -> Answer {
        match self {
            Begun::Ended(outcome) => Box::pin(std::future::ready(outcome)),
            Begun::OnItsWay(answer) => answer,
        }
    }
}

struct Row {
    name: &'static str,
    about: &'static str,
    params: fn() -> Schema,
    result: fn() -> Schema,
    /// `input` or `output`: the stream that a call of it must have beside the JSON. All others are empty and have none.
    stream: &'static str,
    run: fn(Arc<Core>, Map<String, Value>, CallContext) -> Begun,
}

// `known`: what gives the result without waiting, where that can be.
macro_rules! methods {
    ($($(#[doc = $about:literal])+ $name:literal $function:path, ($params:ty) -> $result:ty
        $(, $stream:literal)? $(, known $known:path)?;)*) => {
        const METHODS: &[Row] = &[$(Row {
            name: $name,
            about: concat!($($about),+),
            params: || schema_for!($params),
            result: || schema_for!($result),
            stream: concat!($($stream)?),
            run: |core, params, context| {
                let params: $params = match typed(Value::Object(params), $name) {
                    Ok(params) => params,
                    Err(error) => return Begun::Ended(Err(error)),
                };
                $(if let Some(known) = $known(&core, &params) {
                    return Begun::Ended(known.into_text());
                })?
                Begun::OnItsWay(Box::pin(async move {
                    let result: $result = $function(&core, params, &context).await?;
                    serde_json::to_string(&result).map_err(|error| Error::internal(error.to_string()))
                }))
            },
        },)*];
    };
}

methods! {
    /// The methods, with their schemas.
    "methods.list" list, (Nothing) -> MethodList;
    /// Plugins: loaded, refused, and at work when an earlier process died.
    "plugins.list" plugins::list, (Nothing) -> plugins::PluginList;
    /// The form of a plugin's connections, and the JSON Schema of what it takes.
    "plugins.form" plugins::form, (plugins::Of) -> plugins::FormOf;
    /// Keeps a new connection; the form of its plugin decides what is needed. Does not talk to the PSA.
    "connections.create" connections::create, (connections::Create) -> Connection;
    /// Changes name and settings. A secret that would then go elsewhere is not used until it is entered again.
    "connections.update" connections::update, (connections::Change) -> Connection;
    /// Tries new credentials and keeps them if they work, or if told to anyway.
    "connections.update_credentials" connections::update_credentials, (connections::Credentials) -> TestReport;
    /// One connection, without its secrets.
    "connections.get" connections::get, (connections::Of) -> Connection;
    /// A tenant's connections.
    "connections.list" connections::list, (connections::List) -> Page<Connection>;
    /// Tries the connection step by step; changes nothing at the PSA. One that passes is in use. The call ends well
    /// also when a step has failed: `passed` says whether it works.
    "connections.test" connections::test, (connections::Of) -> TestReport;
    /// Tests settings and secrets that are not kept; nothing of it is.
    "connections.try" trials::test, (trials::Try) -> TestReport;
    /// What is wrong with settings and secrets that are not kept: the form's rules, then the plugin's own.
    "connections.check" trials::check, (trials::Try) -> trials::Issues;
    /// What can be chosen in a field of the form, under settings that need not be kept.
    "connections.options" trials::options, (trials::Options) -> Page<FormOption>;
    /// Stops sending; what is handed in waits.
    "connections.pause" connections::pause, (connections::Act) -> Connection;
    /// Goes on after a pause, or after what stopped it was looked at.
    "connections.resume" connections::resume, (connections::Act) -> Connection;
    /// Forgets the credentials; links and history stay.
    "connections.disconnect" connections::disconnect, (connections::Act) -> Connection;
    /// Forgets a connection with all that belongs to it.
    "connections.delete" connections::delete, (connections::Delete) -> Dependents;
    /// One ticket.
    "tickets.get" tickets::get, (tickets::Get) -> Kept<Ticket>, known tickets::known;
    /// Tickets that match a filter.
    "tickets.search" tickets::search, (tickets::Search) -> Page<Ticket>;
    /// Boards, statuses of a board, priorities or types.
    "tickets.catalog" tickets::catalog, (tickets::Catalog) -> Page<CatalogEntry>;
    /// Creates a ticket at the PSA and links it.
    "tickets.create" tickets::create, (tickets::Create) -> OperationView;
    /// Moves a ticket to a status of its own board.
    "tickets.set_status" tickets::set_status, (tickets::SetStatus) -> OperationView;
    /// Changes other things of a linked ticket: summary, priority, owner, board, fields of the tenant's own.
    "tickets.update" changes::update, (changes::Update) -> OperationView;
    /// Moves a linked ticket to the one status of its board that closes.
    "tickets.close" changes::close, (changes::Close) -> OperationView;
    /// Notes and time of a ticket as people read them, also of tickets that were merged into it.
    "tickets.conversation" history::conversation, (history::OfTicket) -> Page<ConversationEntry>;
    /// What the PSA itself has recorded of a ticket's changes.
    "tickets.audit_trail" history::audit_trail, (history::OfTicket) -> Page<AuditEntry>;
    /// Ties a ticket of the product to one of the PSA.
    "links.create" links::create, (links::Create) -> links::Link;
    /// One link.
    "links.get" links::get, (links::Of) -> links::Link;
    /// Links of a tenant, connection or ticket.
    "links.list" links::list, (links::List) -> Page<links::Link>;
    /// Takes a link apart, once nothing of it waits any more.
    "links.unlink" links::unlink, (links::Unlink) -> links::Link;
    /// Adds a note to a linked ticket; visibility has no default.
    "notes.post" notes::post, (notes::Post) -> OperationView;
    /// Notes of a ticket, oldest first, as the PSA has them.
    "notes.list" notes::list, (notes::List) -> Page<Note>;
    /// One note, with its text.
    "notes.get" history::note, (history::GetNote) -> Note;
    /// Adds time to a linked ticket; nobody is mailed.
    "time.post" time::post, (time::Post) -> OperationView;
    /// Time of a ticket, oldest first, as the PSA has it.
    "time.list" time::list, (time::List) -> Page<TimeEntry>;
    /// Files at a ticket, as the PSA has them.
    "attachments.list" attachments::list, (attachments::List) -> Page<Attachment>;
    /// A file's bytes, to the call's output. If it fails, what came is not the file.
    "attachments.get" attachments::get, (attachments::Get) -> AttachmentContent, "output";
    /// Adds a file to a ticket, from the call's input. It is sent once, and looked for if its answer is lost; it is not
    /// kept to be sent later.
    "attachments.add" attachments::add, (attachments::Add) -> Attachment, "input";
    /// The provider's staff.
    "members.list" members::list, (members::List) -> Page<Member>;
    /// Which member may stand for which agent: by e-mail, then identifier, then name.
    "members.suggest" mappings::suggest, (mappings::Of) -> mappings::Suggestions;
    /// Lets members stand for agents.
    "members.map" mappings::map, (mappings::Map) -> Done;
    /// Takes a mapping away.
    "members.unmap" mappings::unmap, (mappings::Agent) -> Done;
    /// Says that nobody stands for an agent, on purpose.
    "members.ignore" mappings::ignore, (mappings::Agent) -> Done;
    /// The mappings of agents, and who has none.
    "members.mappings" mappings::members, (mappings::Of) -> mappings::MemberMappings;
    /// Lets statuses of a board stand for the product's.
    "statuses.map" mappings::map_statuses, (mappings::MapStatuses) -> Done;
    /// Lets statuses of other boards stand for what those of the same name stand for on one; what is mapped there stays.
    "statuses.copy" copying::copy_statuses, (copying::CopyStatuses) -> copying::Copied;
    /// The mappings of statuses.
    "statuses.mappings" mappings::statuses, (mappings::Of) -> mappings::StatusMappings;
    /// The product's statuses that nothing stands for on a board.
    "statuses.unmapped" mappings::unmapped, (mappings::Unmapped) -> mappings::UnmappedValues;
    /// Lets priorities stand for the product's.
    "priorities.map" priorities::map, (priorities::MapPriorities) -> Done;
    /// The mappings of priorities, and what has none.
    "priorities.mappings" priorities::mappings, (mappings::Of) -> priorities::PriorityMappings;
    /// What the product has: agents, statuses, priorities, teams, companies, categories.
    "product.set_values" mappings::set_values, (mappings::SetValues) -> Done;
    /// Companies by words of their names.
    "companies.search" companies::search, (companies::SearchCompanies) -> Page<Company>;
    /// People of companies.
    "contacts.search" companies::contacts, (companies::SearchContacts) -> Page<Contact>;
    /// Where a company is.
    "companies.sites" companies::sites, (companies::ListSites) -> Page<Site>;
    /// Devices and other things that are looked after.
    "configurations.list" companies::configurations, (companies::ListConfigurations) -> Page<Configuration>;
    /// A read of the provider's own interface, for what has no word here.
    "raw.read" history::raw, (history::ReadRaw) -> RawAnswer;
    /// What is registered at the PSA so that changes are told, and how that does.
    "callbacks.list" callbacks::list, (callbacks::Of) -> callbacks::Subscriptions;
    /// What is registered beside what should be; changes nothing.
    "callbacks.compare" callbacks::compare, (callbacks::Of) -> Comparison;
    /// Registers, puts to work again and removes what needs it, now; also what flaps.
    "callbacks.heal" callbacks::heal, (callbacks::Act) -> Comparison;
    /// Registers anew under other tokens; the old ones go on for a day.
    "callbacks.rotate" callbacks::rotate, (callbacks::Act) -> Comparison;
    /// What came in of late, the newest first, and whether it was proved.
    "callbacks.deliveries" callbacks::deliveries, (callbacks::ListDeliveries) -> Page<callbacks::Delivery>;
    /// One operation with every change of its state.
    "operations.get" operations::get, (operations::Of) -> operations::WithTransitions;
    /// Operations in the order they were accepted.
    "operations.list" operations::list, (operations::List) -> Page<OperationView>;
    /// What was accepted under a key of yours.
    "operations.lookup" operations::lookup, (operations::Lookup) -> OperationView;
    /// All of an operation in one text: what, where, each attempt, what was seen, what happens next.
    "operations.explain" operations::explain, (operations::Of) -> Explanation;
    /// Lets what is held go on; it is looked for before it is sent.
    "operations.retry" operations::retry, (operations::Decision) -> OperationView;
    /// Says which entity at the PSA a held operation has become.
    "operations.adopt" operations::adopt, (operations::Adopt) -> OperationView;
    /// Drops what is held or queued.
    "operations.discard" operations::discard, (operations::Decision) -> OperationView;
    /// Takes back what has not begun to be sent; else `too_late`.
    "operations.cancel" operations::cancel, (operations::Of) -> OperationView;
    /// The exact request a writing method would send; nothing is sent or kept.
    "rehearse" rehearse::run, (rehearse::Rehearse) -> rehearse::Rehearsed;
    /// What happened, oldest first.
    "activity.list" upkeep::activity, (upkeep::ListActivity) -> Page<upkeep::ActivityEntry>;
    /// The end of the chain, to be kept elsewhere.
    "activity.head" upkeep::head, (upkeep::OfTenant) -> upkeep::Head;
    /// Checks the chain, and that a head kept elsewhere is still part of it.
    "activity.verify" upkeep::verify, (upkeep::Verify) -> upkeep::Verified;
    /// Waits for the next event of a consumer. It comes again, also after a restart, until it is acknowledged.
    "events.next" events::next, (events::Next) -> events::Answer;
    /// Acknowledges an event and all before it.
    "events.ack" events::ack, (events::Ack) -> Done;
    /// The contrast of the page's colours with a product's own in their place: to be asked at start-up.
    "theme.report" theme::report, (theme::ThemeTokens) -> crate::web::ThemeReport;
    /// How things stand: per connection what waits, for how long, and why.
    "health" upkeep::health, (upkeep::AskHealth) -> upkeep::Health;
    /// Which key seals, and what each key has sealed.
    "vault.status" upkeep::vault_status, (Nothing) -> crate::vault::Status;
    /// Seals everything with a new key while work goes on.
    "vault.rotate" upkeep::rotate, (upkeep::Rotate) -> crate::vault::Rotation;
    /// Takes a key away that nothing and nobody names any more.
    "vault.retire" upkeep::retire, (upkeep::Retire) -> crate::vault::Status;
    /// Everything of a tenant, without secrets and bodies.
    "tenant.export" upkeep::export, (upkeep::OfTenant) -> upkeep::Export;
    /// Removes everything of a tenant for good; of the activity the bare chain stays.
    "tenant.erase" upkeep::erase, (upkeep::Erase) -> upkeep::Erased;
    /// Copies the database into a new file; the only right way to copy it.
    "store.backup" upkeep::backup, (upkeep::Backup) -> upkeep::BackedUp;
}

/// All methods.
#[derive(Debug, Serialize, JsonSchema)]
struct MethodList {
    /// By name, in the order of the documentation.
    items: Vec<Method>,
}

/// One method.
#[derive(Debug, Serialize, JsonSchema)]
struct Method {
    /// Its name.
    name: &'static str,
    /// What it does.
    about: &'static str,
    /// JSON Schema of its parameters.
    params: Schema,
    /// JSON Schema of its result.
    result: Schema,
    /// True: a call of it needs an input.
    input: bool,
    /// True: a call of it needs an output.
    output: bool,
}

async fn list(_: &Core, _: Nothing, _: &CallContext) -> Result<MethodList, Error> {
    let method = |row: &Row| Method {
        name: row.name,
        about: row.about.trim(),
        params: (row.params)(),
        result: (row.result)(),
        input: row.stream == "input",
        output: row.stream == "output",
    };
    Ok(MethodList { items: METHODS.iter().map(method).collect() })
}

/// Begins a method, without waiting for a disk, a network or a plugin. An error: there is no such call.
pub(crate) fn begin(core: &Arc<Core>, name: &str, params: &[u8], context: CallContext) -> Result<Begun, Error> {
    let Some(row) = METHODS.iter().find(|row| row.name == name) else {
        let name: String = name.chars().take(64).collect();
        let message = format!("there is no method \"{name}\"; methods.list says which there are");
        return Err(Error::new(Code::InvalidArgument, message).because("unknown_method"));
    };
    let params = json::object(params, PARAMS_BYTES_MAX).map_err(|error| match error {
        json::JsonError::TooLarge(..) => Error::new(Code::TooLarge, format!("{name}: the parameters have {error}")),
        _ => Error::invalid(format!("{name}: the parameters are not valid: {error}")).because("not_json"),
    })?;
    check_streams(row, &context)?;
    core.connections.begin_use();
    Ok((row.run)(core.clone(), params, context))
}

/// A stream that nobody would read or write, or one that is missing, is the caller's mistake.
fn check_streams(row: &Row, context: &CallContext) -> Result<(), Error> {
    let streams = &context.streams;
    for (stream, given) in [("input", streams.input().is_some()), ("output", streams.output().is_some())] {
        let wanted = row.stream == stream;
        if wanted != given {
            let (verb, what) = if stream == "input" { ("takes", "an input") } else { ("gives", "an output") };
            let message = match wanted {
                true => format!("{} {verb} {what}: set it in the options of the call", row.name),
                false => format!("{} {verb} no {stream}: leave it out of the options of the call", row.name),
            };
            return Err(Error::invalid(message).because("stream"));
        }
    }
    Ok(())
}

/// All schemas in one object: `{"methods": {name: {about, params, result, input, output}}}`.
pub(crate) fn schemas() -> Value {
    let methods = METHODS.iter().map(|row| {
        let (input, output) = (row.stream == "input", row.stream == "output");
        let (params, result) = ((row.params)(), (row.result)());
        let schemas = serde_json::json!(
            {"about": row.about.trim(), "params": params, "result": result, "input": input, "output": output});
        (row.name.to_owned(), schemas)
    });
    serde_json::json!({"methods": methods.collect::<Map<String, Value>>()})
}

/// The methods for people, as Markdown.
pub(crate) fn reference() -> String {
    let schema = |make: fn() -> Schema| make().to_value();
    let told = METHODS.iter().map(|row| Told {
        name: row.name,
        about: row.about.trim(),
        stream: row.stream,
        params: schema(row.params),
        result: schema(row.result),
    });
    reference::text(&told.collect::<Vec<_>>())
}
