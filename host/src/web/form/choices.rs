//! Lists that the provider fills, for the fields of a page.
//!
//! Promises: every list is asked for once, all at the same time, and together they take no longer than their time; what is
//! not there by then costs its own field only.

use crate::connections::Trial;
use crate::lists::Walk;
use crate::web::ask::Ask;
use psa_host_api::Error;
use psa_host_api::form::Form;
use psa_host_api::form::types::{Field, Options};
use psa_host_api::model::{FormOption, PageRequest};
use psa_host_api::ops::FormOptionsRequest;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// All lists of a page together.
const TIME: Duration = Duration::from_secs(3);
/// Pages of one list.
const PAGES_MAX: usize = 20;

/// What became of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum List {
    /// Here it is.
    Loaded(Vec<FormOption>),
    /// It depends on a field that is not filled in: its key.
    Needs(String),
    /// It could not be had, for this reason.
    Failed(Box<Error>),
    /// It is not there yet.
    Slow,
}

/// The lists of these fields, by the field's key.
pub(crate) async fn load(
    ask: &Ask<'_>,
    form: &Form,
    settings: &Map<String, Value>,
    trial: &Trial,
    wanted: impl Fn(&Field) -> bool,
) -> HashMap<String, List> {
    let mut lists: HashMap<String, List> = HashMap::new();
    let mut asked: Vec<(FormOptionsRequest, Vec<String>)> = Vec::new();
    for field in form.definition().fields.iter().filter(|field| wanted(field)) {
        let Some(options) = field.options.as_ref().filter(|options| options.source.is_some()) else { continue };
        match request(options, settings) {
            Err(missing) => drop(lists.insert(field.key.clone(), List::Needs(missing))),
            Ok(request) => match asked.iter_mut().find(|(other, _)| *other == request) {
                Some((_, fields)) => fields.push(field.key.clone()),
                None => asked.push((request, vec![field.key.clone()])),
            },
        }
    }
    let most =
        |request: &FormOptionsRequest| form.definition().sources.get(&request.source).and_then(|source| source.max);
    let running: Vec<Loading<'_>> =
        asked.iter().map(|(request, _)| Box::pin(whole(ask, trial, request, most(request))) as Loading<'_>).collect();
    let done = together(running).await;
    for ((_, fields), list) in asked.into_iter().zip(done) {
        for field in fields {
            lists.insert(field, list.clone());
        }
    }
    lists
}

type Loading<'a> = Pin<Box<dyn Future<Output = List> + Send + 'a>>;

/// Runs all at the same time, and takes what is there when the time is over.
async fn together(mut running: Vec<Loading<'_>>) -> Vec<List> {
    let mut done: Vec<Option<List>> = running.iter().map(|_| None).collect();
    let all = poll_fn(|context| {
        for (one, done) in running.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(list) = one.as_mut().poll(context) {
                *done = Some(list);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    let _ = tokio::time::timeout(TIME, all).await;
    done.into_iter().map(|list| list.unwrap_or(List::Slow)).collect()
}

/// The request of a field's list, or the field that has to be filled in first.
fn request(options: &Options, settings: &Map<String, Value>) -> Result<FormOptionsRequest, String> {
    let mut args = BTreeMap::new();
    for (name, field) in &options.args {
        match settings.get(field).filter(|value| !value.is_null() && value.as_str() != Some("")) {
            Some(value) => drop(args.insert(name.clone(), value.clone())),
            None => return Err(field.clone()),
        }
    }
    let source = options.source.clone().unwrap_or_default();
    Ok(FormOptionsRequest { source, args, query: None, page: PageRequest::default() })
}

async fn whole(ask: &Ask<'_>, trial: &Trial, request: &FormOptionsRequest, most: Option<u32>) -> List {
    match pages(ask, trial, request, most.map_or(usize::MAX, |most| most as usize)).await {
        Ok(items) => List::Loaded(items),
        Err(error) => List::Failed(Box::new(error)),
    }
}

async fn pages(
    ask: &Ask<'_>,
    trial: &Trial,
    request: &FormOptionsRequest,
    most: usize,
) -> Result<Vec<FormOption>, Error> {
    let mut items = Vec::new();
    let (mut walk, mut turned) = (Walk::default(), 0);
    let mut request = request.clone();
    loop {
        let page = ask.core.connections.options(trial, &request, ask.context).await?;
        items.extend(page.items);
        if items.len() >= most || turned >= PAGES_MAX {
            return Ok(items);
        }
        match walk.next(page.next)? {
            Some(next) => (request.page, turned) = (next, turned + 1),
            None => return Ok(items),
        }
    }
}
