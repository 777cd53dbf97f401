//! Lists that the provider fills, for the fields of a page.
//!
//! Promises: every list is asked for once, all at the same time, and together they take no longer than their time; what is
//! not there by then costs its own field only; a list that was shown within a day is shown at once, and read anew behind the
//! page when its time is over; a list that takes longer than the page goes on behind it; of a list that can be searched no more is read than is shown.

use super::search::{self, Found, Lookup, Search};
use crate::connections::{Keeping, Listed, Trial};
use crate::core::Core;
use crate::lists::Walk;
use crate::plugin::{CallContext, Terms};
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
use std::sync::OnceLock;
use std::task::Poll;
use std::time::Duration;

/// All lists of a page together.
const TIME: Duration = Duration::from_secs(3);
/// Behind the page a list may take so long, in milliseconds.
const BEHIND_MS: u64 = 30_000;
/// Pages of one list.
const PAGES_MAX: usize = 20;

/// What became of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum List {
    /// Here it is; of one that is too long to show, with what was looked for.
    Loaded(Listed, Option<Found>),
    /// It depends on a field that is not filled in: its key.
    Needs(String),
    /// It could not be had, for this reason.
    Failed(Box<Error>),
    /// It is not there yet.
    Slow,
}

/// How much of a list is read.
#[derive(Clone, Copy)]
struct Bounds {
    /// Entries, as the form says.
    most: usize,
    /// It can be searched: what is too long to show is not read on.
    searched: bool,
}

/// The lists of these fields, by the field's key. `words`: what is looked for in a field.
pub(crate) async fn load(
    ask: &Ask<'_>,
    form: &Form,
    settings: &Map<String, Value>,
    trial: &Trial,
    wanted: impl Fn(&Field) -> bool,
    words: impl Fn(&Field) -> Option<String>,
) -> HashMap<String, List> {
    let mut lists: HashMap<String, List> = HashMap::new();
    let mut asked: Vec<Asked> = Vec::new();
    for field in form.definition().fields.iter().filter(|field| wanted(field)) {
        let Some(options) = field.options.as_ref().filter(|options| options.source.is_some()) else { continue };
        match request(options, settings) {
            Err(missing) => drop(lists.insert(field.key.clone(), List::Needs(missing))),
            Ok(request) => {
                let lookup = Lookup::new(field, words(field), settings.get(&field.key));
                match asked.iter_mut().find(|other| other.request == request) {
                    Some(other) => other.lookups.push(lookup),
                    None => asked.push(Asked::new(form, request, lookup)),
                }
            }
        }
    }
    let running = asked.iter().map(|one| Box::pin(one.run(ask, trial)) as Waited<'_, Vec<Found>>);
    let found = together(running.collect()).await;
    for (one, found) in asked.into_iter().zip(found) {
        let list = one.list.into_inner().unwrap_or(List::Slow);
        let mut found = found.unwrap_or_default().into_iter();
        for lookup in one.lookups {
            let mut list = list.clone();
            if let List::Loaded(listed, place) = &mut list
                && search::is_long(listed)
            {
                *place = found.next().or_else(|| Some(Found::late(listed, &lookup)));
            }
            lists.insert(lookup.field, list);
        }
    }
    lists
}

/// A list that is asked for, and what is looked for in it.
struct Asked {
    request: FormOptionsRequest,
    bounds: Bounds,
    lookups: Vec<Lookup>,
    /// Here before what is looked for in it.
    list: OnceLock<List>,
}

impl Asked {
    fn new(form: &Form, request: FormOptionsRequest, lookup: Lookup) -> Asked {
        let source = form.definition().sources.get(&request.source);
        let most = source.and_then(|source| source.max).map_or(usize::MAX, |most| most as usize);
        let bounds = Bounds { most, searched: source.is_some_and(|source| source.search) };
        Asked { request, bounds, lookups: vec![lookup], list: OnceLock::new() }
    }

    /// Reads the list; if it is long, looks for what is wanted of it.
    async fn run(&self, ask: &Ask<'_>, trial: &Trial) -> Vec<Found> {
        let list = whole(ask, trial, &self.request, self.bounds).await;
        let mut all = Vec::new();
        if let List::Loaded(listed, _) = self.list.get_or_init(|| list)
            && search::is_long(listed)
        {
            let search = Search { request: &self.request, listed, searched: self.bounds.searched };
            for lookup in &self.lookups {
                all.push(search.run(ask, trial, lookup).await);
            }
        }
        all
    }
}

type Waited<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs all at the same time, and takes what is there when the time is over.
async fn together<T>(mut running: Vec<Waited<'_, T>>) -> Vec<Option<T>> {
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    let all = poll_fn(|context| {
        for (one, done) in running.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = one.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    let _ = tokio::time::timeout(TIME, all).await;
    done
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

async fn whole(ask: &Ask<'_>, trial: &Trial, request: &FormOptionsRequest, bounds: Bounds) -> List {
    match at_once(ask, trial, request, bounds).await {
        Ok(listed) => List::Loaded(listed, None),
        Err(error) => List::Failed(Box::new(error)),
    }
}

/// As it was shown last, if that was within a day; else as it is now.
async fn at_once(ask: &Ask<'_>, trial: &Trial, request: &FormOptionsRequest, bounds: Bounds) -> Result<Listed, Error> {
    let Some(kept) = ask.core.connections.keeping(trial, request).await? else {
        return pages(ask.core, trial, request, bounds, ask.context).await;
    };
    let now_ms = ask.core.clock.boot_ms();
    let found = kept.get(now_ms);
    let reading = || {
        let (core, trial, request) = (ask.core.clone(), trial.clone(), request.clone());
        tokio::spawn(async move { read(&core, &trial, &request, bounds, &kept).await })
    };
    match found {
        Some((listed, false)) => Ok(listed),
        Some((listed, true)) => {
            // What cannot be read now is read when somebody looks again: until then the older one stays.
            drop(reading());
            Ok(listed)
        }
        // It goes on when nobody waits any more: who looks again has it.
        None => reading().await.unwrap_or_else(|_| Err(Error::internal("the reading panicked"))),
    }
}

/// Reads a list page by page, and keeps it to be shown.
async fn read(
    core: &Core,
    trial: &Trial,
    request: &FormOptionsRequest,
    bounds: Bounds,
    kept: &Keeping,
) -> Result<Listed, Error> {
    let read_ms = core.clock.boot_ms();
    let context = CallContext::until(read_ms.saturating_add(BEHIND_MS), Terms::default());
    let listed = pages(core, trial, request, bounds, &context).await?;
    kept.keep(&listed, read_ms, core.clock.boot_ms());
    Ok(listed)
}

async fn pages(
    core: &Core,
    trial: &Trial,
    request: &FormOptionsRequest,
    bounds: Bounds,
    context: &CallContext,
) -> Result<Listed, Error> {
    let mut items: Vec<FormOption> = Vec::new();
    let (mut walk, mut turned) = (Walk::default(), 0);
    let mut request = request.clone();
    loop {
        let page = core.connections.options(trial, &request, context).await?;
        items.extend(page.items);
        let next = walk.next(page.next)?;
        let enough = items.len() >= bounds.most || bounds.searched && search::is_too_many(items.len());
        match next {
            Some(next) if !enough && turned < PAGES_MAX => (request.page, turned) = (next, turned + 1),
            next => return Ok(Listed { items, whole: next.is_none() }),
        }
    }
}
