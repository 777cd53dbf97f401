//! What can be chosen in the fields of a form, as the provider says.
//!
//! Holds: asking a plugin for options, remembering them, and whether what is chosen is among them.
//! Promises: what was read with other settings or secrets is never shown; a field that does not fit yet is in the way of
//! those alone that depend on it.
//! Leaves to others: drawing them (the page).

use super::settings::{at, refuse, rule_at};
use super::trial::{Issue, Tried};
use super::{ConnectionRoom, SecretOp, Trial};
use crate::cache::{Key, Kind};
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::form::Moment;
use psa_host_api::form::types::Options;
use psa_host_api::model::{FormOption, IssueLevel, Page, PageRequest};
use psa_host_api::ops::{FormOptionsRequest, ListFormOptions};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// What the lists of a connection are remembered under.
const OPTIONS: &str = "options";

impl ConnectionRoom {
    /// What can be chosen in a field, under exactly these settings.
    pub(crate) async fn options(
        &self,
        trial: &Trial,
        request: &FormOptionsRequest,
        context: &CallContext,
    ) -> Result<Page<FormOption>, Error> {
        let mut tried = self.prepare(trial, Moment::Creation).await?;
        check_request(&tried, request)?;
        forgive_later_steps(&mut tried);
        refuse(tried.issues.clone())?;
        let load = || async {
            let answer = self.try_run::<ListFormOptions>(&tried.row, tried.secrets.clone(), request, context).await?;
            let bytes = serde_json::to_vec(&answer).map_err(|error| Error::internal(error.to_string()))?;
            Ok(bytes.into())
        };
        let bytes = match remembered_as(trial, &tried, request)? {
            Some(key) => {
                let source = tried.plugin.form.definition().sources.get(&request.source);
                let ttl_ms = source.and_then(|source| source.ttl_s).map(|ttl_s| u64::from(ttl_s) * 1000);
                let place = &tried.row.place;
                self.choices.of(place.tenant.as_bytes(), &place.connection).get_or_load(key, ttl_ms, load).await?
            }
            None => load().await?,
        };
        serde_json::from_slice(&bytes).map_err(|error| Error::internal(error.to_string()))
    }

    /// Forgets the lists that were read for a connection, so that they are read again.
    pub(crate) fn forget_choices(&self, place: &Place) {
        self.choices.forget(place.tenant.as_bytes(), &place.connection);
    }

    /// Chosen values that are not in a list that is remembered and complete. What is not remembered is not looked for.
    pub(super) fn issues_of_choices(&self, trial: &Trial, tried: &Tried) -> Result<Vec<Issue>, Error> {
        let form = &tried.plugin.form;
        let visible = form.visible(&tried.row.settings);
        let mut issues = Vec::new();
        for field in form.definition().fields.iter().filter(|field| visible.contains(field.key.as_str())) {
            let Some(options) = field.options.as_ref().filter(|options| options.source.is_some()) else { continue };
            let Some(list) = self.remembered(trial, tried, options)? else { continue };
            let chosen = tried.row.settings.get(&field.key);
            if let Some((level, gone)) = missing(options, chosen, &list) {
                let message = format!("{gone} is not among what can be chosen for \"{}\"", field.key);
                let params = [("rule", "chosen"), ("values", gone.as_str())];
                issues.push(Issue { level, ..rule_at(at(form, &field.key), "option", message, params) });
            }
        }
        Ok(issues)
    }

    /// The whole list of a field's options, if it is remembered.
    fn remembered(&self, trial: &Trial, tried: &Tried, options: &Options) -> Result<Option<Vec<FormOption>>, Error> {
        let request = request_of(options, &tried.row.settings);
        let Some(key) = remembered_as(trial, tried, &request)? else { return Ok(None) };
        let place = &tried.row.place;
        let found = self.choices.of(place.tenant.as_bytes(), &place.connection).get(&key);
        let page: Option<Page<FormOption>> = found.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(page.filter(|page| page.next.is_none()).map(|page| page.items))
    }
}

/// What is asked for a field: its source, with the values of the fields that the form names as arguments.
pub(crate) fn request_of(options: &Options, settings: &Map<String, Value>) -> FormOptionsRequest {
    let args = options.args.iter().filter_map(|(name, from)| Some((name.clone(), settings.get(from)?.clone())));
    FormOptionsRequest {
        source: options.source.clone().unwrap_or_default(),
        args: args.collect(),
        query: None,
        page: PageRequest::default(),
    }
}

/// What is chosen and is not in a list, and how bad that is.
fn missing(options: &Options, chosen: Option<&Value>, list: &[FormOption]) -> Option<(IssueLevel, String)> {
    let known = |value: &Value| list.iter().any(|option| option.value == *value && !option.inactive);
    let gone: Vec<String> = match chosen? {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Array(items) => items.iter().filter(|item| !known(item)).map(Value::to_string).collect(),
        value if known(value) => Vec::new(),
        value => vec![value.to_string()],
    };
    if gone.is_empty() {
        return None;
    }
    // Who may type an id may know one that the list does not show.
    let level = if options.manual { IssueLevel::Warning } else { IssueLevel::Error };
    Some((level, gone.join(", ").replace('"', "")))
}

fn check_request(tried: &Tried, request: &FormOptionsRequest) -> Result<(), Error> {
    let wrong = |at: &str, code: &str, message: String| Err(Error::invalid(message.clone()).field(at, code, message));
    let Some(source) = tried.plugin.form.definition().sources.get(&request.source) else {
        return wrong("/source", "option", format!("the form has no source \"{}\"", request.source));
    };
    if let Some(name) = request.args.keys().find(|name| !source.args.contains(name)) {
        return wrong("/args", "unknown_field", format!("the source \"{}\" takes no \"{name}\"", request.source));
    }
    if request.query.is_some() && !source.search {
        return wrong("/query", "search", format!("the source \"{}\" cannot be searched", request.source));
    }
    Ok(())
}

/// Choices are made in later steps: what is wrong there, maybe since the provider has changed, does not keep their lists
/// from being read. The plugin does not see it.
fn forgive_later_steps(tried: &mut Tried) {
    let definition = tried.plugin.form.definition();
    let is_later = |issue: &Issue| {
        let key = issue.at.strip_prefix("/settings/")?;
        let field = definition.fields.iter().find(|field| field.key == key)?;
        let group = definition.groups.iter().find(|group| group.key == field.group)?;
        group.step.is_some_and(|step| step > 1).then(|| field.key.clone())
    };
    let later: Vec<String> = tried.issues.iter().filter_map(is_later).collect();
    tried.issues.retain(|issue| is_later(issue).is_none());
    for key in later {
        tried.row.settings.remove(&key);
    }
}

/// The key under which a list is remembered; none, if it was asked for with secrets that are not kept.
fn remembered_as(trial: &Trial, tried: &Tried, request: &FormOptionsRequest) -> Result<Option<Key>, Error> {
    let Some(before) = &tried.before else { return Ok(None) };
    if trial.secrets.values().any(|op| !matches!(op, SecretOp::Keep)) {
        return Ok(None);
    }
    // What decides who is asked and as whom; choices of later steps decide nothing but the arguments.
    let definition = tried.plugin.form.definition();
    let first = |key: &String| {
        let field = definition.fields.iter().find(|field| field.key == *key);
        let group = field.and_then(|field| definition.groups.iter().find(|group| group.key == field.group));
        group.is_none_or(|group| group.step.is_none_or(|step| step <= 1))
    };
    let settings: Map<String, Value> = tried
        .row
        .settings
        .iter()
        .filter(|(key, _)| first(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let words = serde_json::to_string(&(&tried.plugin.manifest.version, settings, before.credential_version, request))
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(Some(Key::new(Kind::Catalog, OPTIONS, crate::clock::hex(&Sha256::digest(words)))))
}
