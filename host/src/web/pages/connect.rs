//! A new connection, in steps: sign in, then what can only be chosen once signed in, then the rest.
//!
//! Promises: nothing is kept until the sign-in has worked; from then on the connection is there, and leaving half-way loses
//! nothing; it sends nothing before the last step.

use super::filling::{Filling, button, refused};
use super::frame::{Framed, framed, plugin_name};
use super::settings::before_secrets;
use crate::connections::{NewConnection, Update, report_of};
use crate::web::ask::{Ask, Reply, segment};
use crate::web::form::FormView;
use crate::web::view::{Body, Crumb, Look, PluginName, View};
use crate::works::{self, Kind};
use psa_host_api::form::Form;
use psa_host_api::ops::{Nothing, TestConnection};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Connect {
    pub(crate) plugin: PluginName,
    pub(crate) step: u32,
    pub(crate) steps: Vec<Step>,
    pub(crate) form: FormView,
}

/// A step, and whether it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) number: u32,
    /// The titles of its groups.
    pub(crate) title: String,
    pub(crate) current: bool,
    pub(crate) done: bool,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let filling = new(ask)?;
    respond(ask, None, &filling, 200).await
}

fn new<'a>(ask: &'a Ask<'a>) -> Result<Filling<'a>, Error> {
    let plugin = ask.core.connections.plugin(ask.segment("plugin"))?;
    let mut filling = Filling::new(ask, plugin, None);
    filling.step = Some(1);
    Ok(filling)
}

/// The first step: what works is kept.
pub(crate) async fn begin(ask: &Ask<'_>) -> Result<Reply, Error> {
    let mut filling = new(ask)?;
    filling.take();
    if !filling.check().await? || !filling.test().await? {
        return respond(ask, None, &filling, 422).await;
    }
    let made = NewConnection {
        tenant: ask.who.tenant.clone(),
        plugin: filling.plugin.manifest.id.clone(),
        name: filling.name.clone(),
        settings: filling.settings.clone(),
        secrets: filling.replaced(),
    };
    let made = ask.core.connections.create(made, &ask.by()).await?;
    filling.saved();
    match later(&filling.plugin.form, 1) {
        Some(next) => {
            Ok(Reply::Done { to: ask.of_connection(&made.connection, &format!("/setup/{next}")), word: "begun" })
        }
        None => {
            let place = crate::store::Place { tenant: made.tenant, connection: made.connection };
            let report = filling.report().cloned();
            if let Some(report) = report {
                ask.core.connections.tested(&ask.core.connections.stored(&place)?, &report).await?;
            }
            Ok(Reply::Done { to: ask.of_connection(&place.connection, ""), word: "connected" })
        }
    }
}

/// The next step that has groups.
fn later(form: &Form, step: u32) -> Option<u32> {
    form.definition().groups.iter().filter_map(|group| group.step).filter(|other| *other > step).min()
}

/// The step of the path, of a connection that is there.
async fn further<'a>(ask: &'a Ask<'a>, framed: &Framed) -> Result<Filling<'a>, Error> {
    let plugin = ask.core.connections.plugin(&framed.summary.connection.plugin)?;
    let step = ask.segment("step").parse::<u32>().ok().filter(|step| *step > 1);
    let known = |step: &u32| plugin.form.definition().groups.iter().any(|group| group.step == Some(*step));
    let step = step.filter(known).ok_or_else(|| Error::new(Code::NotFound, "there is no such step"))?;
    let connection = ask.core.connections.get(&ask.place()).await?;
    let mut filling = Filling::new(ask, plugin, Some(connection));
    filling.step = Some(step);
    Ok(filling)
}

pub(crate) async fn step(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let filling = further(ask, &framed).await?;
    respond(ask, Some(&framed), &filling, 200).await
}

/// A later step: what is right is kept; the last one tests and puts to work.
pub(crate) async fn go_on(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let mut filling = further(ask, &framed).await?;
    filling.take();
    let action = ask.form.get("_action").unwrap_or_default();
    if action.starts_with("reload:") {
        ask.core.connections.forget_choices(&ask.place());
    }
    if action.starts_with("reload:") || action.starts_with("find:") {
        return respond(ask, Some(&framed), &filling, 200).await;
    }
    let rev = filling.rev()?;
    if !filling.check().await? {
        return respond(ask, Some(&framed), &filling, 422).await;
    }
    if let Some(first) = before_secrets(ask, &filling)? {
        return Ok(first);
    }
    let place = ask.place();
    let update = Update {
        settings: Some(filling.settings.clone()),
        secrets: filling.replaced(),
        clear: filling.cleared(),
        rev: Some(rev),
        strict: true,
        ..Update::default()
    };
    let kept = match ask.core.connections.update(&place, update, &ask.by()).await {
        Ok(kept) => kept,
        Err(error) if error.code == Code::Conflict => {
            // Somebody else was quicker: what was entered stands, and is sent in again over what is there now.
            filling.issues.push(refused(error));
            let now = ask.core.connections.get(&place).await?;
            filling.connection = Some(now);
            filling.forget_rev();
            return respond(ask, Some(&framed), &filling, 409).await;
        }
        Err(error) => return Err(error),
    };
    filling.kept(kept);
    let step = filling.step.unwrap_or(1);
    if let Some(next) = later(&filling.plugin.form, step) {
        return Ok(Reply::Done { to: ask.of_connection(&place.connection, &format!("/setup/{next}")), word: "kept" });
    }
    let before = ask.core.connections.stored(&place)?;
    let report = report_of(ask.core.connections.run::<TestConnection>(&place, &Nothing {}, ask.context).await)?;
    ask.core.connections.tested(&before, &report).await?;
    ask.core.outbox.rested(&place);
    if !filling.tested(report) {
        return respond(ask, Some(&framed), &filling, 422).await;
    }
    // Nobody waits for it; the overview says how far it is.
    works::begin(ask.core, &place, Kind::Import, ask.by());
    Ok(Reply::Done { to: ask.of_connection(&place.connection, ""), word: "connected" })
}

async fn respond(ask: &Ask<'_>, framed: Option<&Framed>, filling: &Filling<'_>, status: u16) -> Result<Reply, Error> {
    let id = filling.plugin.manifest.id.clone();
    let step = filling.step.unwrap_or(1);
    let last = later(&filling.plugin.form, step).is_none();
    let key = match (step, last) {
        (1, false) => "connect.first",
        (_, true) => "connect.last",
        _ => "connect.next",
    };
    let (action, leave) = match framed {
        None => (ask.href(&format!("/new/{}", segment(&id))), ask.href("/")),
        Some(framed) => {
            let connection = &framed.summary.connection.place.connection;
            (ask.of_connection(connection, &format!("/setup/{step}")), ask.of_connection(connection, ""))
        }
    };
    let form = filling.view(action, leave, vec![button(ask, "go_on", key, Look::Primary)]).await;
    let plugin = plugin_name(ask, &id);
    let title = ask.words.fill("connect.title", &[("plugin", &plugin.name)]);
    let crumbs = vec![
        Crumb { label: ask.words.say("index.title"), href: Some(ask.href("/")) },
        Crumb { label: title.clone(), href: None },
    ];
    let steps = steps(ask, &filling.plugin.form, step);
    let body = Body::Connect(Box::new(Connect { plugin, step, steps, form }));
    Ok(Reply::View(status, Box::new(View { title, crumbs, frame: None, notices: Vec::new(), body })))
}

fn steps(ask: &Ask<'_>, form: &Form, current: u32) -> Vec<Step> {
    let groups = &form.definition().groups;
    let mut numbers: Vec<u32> = groups.iter().map(|group| group.step.unwrap_or(1)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let title = |number: u32| {
        let titles = groups.iter().filter(|group| group.step.unwrap_or(1) == number);
        let text =
            |title| psa_host_api::form::text(title, ask.words.locale(), &form.definition().default_locale).to_owned();
        titles.map(|group| text(&group.title)).collect::<Vec<_>>().join(", ")
    };
    numbers
        .into_iter()
        .map(|number| Step { number, title: title(number), current: number == current, done: number < current })
        .collect()
}
