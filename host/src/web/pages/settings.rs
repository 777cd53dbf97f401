//! The settings of a connection, and its credentials alone.

use super::filling::{Filling, button, issue, refused};
use super::frame::{Framed, framed};
use super::problem::{self, Trouble};
use crate::connections::Update;
use crate::store::StopReason;
use crate::web::ask::{Ask, Reply, segment};
use crate::web::form::{ButtonView, FormView};
use crate::web::permission::Permission;
use crate::web::security;
use crate::web::view::{Body, Fact, Look, Notice, Tone, View};
use psa_host_api::model::IssueLevel;
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) form: FormView,
    /// What stays as it is, beside a form that asks for credentials alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<Fact>,
    /// Stored settings that no form explains: they are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hidden: Option<String>,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let Some(filling) = filling(ask, &framed).await? else { return hidden(ask, &framed) };
    respond(ask, &framed, &filling, 200).await
}

/// The form of a connection; none if its plugin is not here.
async fn filling<'a>(ask: &'a Ask<'a>, framed: &Framed) -> Result<Option<Filling<'a>>, Error> {
    let Ok(plugin) = ask.core.connections.plugin(&framed.summary.connection.plugin) else { return Ok(None) };
    let connection = ask.core.connections.get(&ask.place()).await?;
    Ok(Some(Filling::new(ask, plugin, Some(connection))))
}

/// Without the plugin nobody knows which of the settings are secrets: none is shown.
fn hidden(ask: &Ask<'_>, framed: &Framed) -> Result<Reply, Error> {
    let form = FormView::default();
    let said = Some(ask.words.say("settings.hidden"));
    ask.page(framed.view(ask, "settings", Body::Settings(Box::new(Settings { form, kept: Vec::new(), hidden: said }))))
}

async fn respond(ask: &Ask<'_>, framed: &Framed, filling: &Filling<'_>, status: u16) -> Result<Reply, Error> {
    let id = &framed.summary.connection.place.connection;
    let failed = filling.report().is_some_and(|report| !report.passed);
    let buttons = if ask.may(Permission::Configure) { buttons(ask, failed) } else { Vec::new() };
    let form = filling.view(ask.of_connection(id, "/settings"), ask.of_connection(id, ""), buttons).await;
    let body = Body::Settings(Box::new(Settings { form, kept: Vec::new(), hidden: None }));
    Ok(Reply::View(status, Box::new(framed.view(ask, "settings", body))))
}

fn buttons(ask: &Ask<'_>, failed: bool) -> Vec<ButtonView> {
    let mut buttons = vec![
        button(ask, "test_save", "settings.test_save", Look::Primary),
        ButtonView { swap: "#test-report".to_owned(), ..button(ask, "test", "settings.test", Look::Plain) },
    ];
    if failed {
        buttons.push(button(ask, "save_paused", "settings.save_paused", Look::Plain));
    }
    buttons
}

pub(crate) async fn send(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let Some(mut filling) = filling(ask, &framed).await? else { return hidden(ask, &framed) };
    filling.take();
    let action = ask.form.get("_action").unwrap_or("test_save");
    if let Some(group) = action.strip_prefix("reload:") {
        ask.core.connections.forget_choices(&ask.place());
        return respond(ask, &framed, &filling, if group.is_empty() { 422 } else { 200 }).await;
    }
    if action.starts_with("find:") {
        return respond(ask, &framed, &filling, 200).await;
    }
    if let Some(first) = before_secrets(ask, &filling)? {
        return Ok(first);
    }
    filling.rev()?;
    if !filling.check().await? {
        return respond(ask, &framed, &filling, 422).await;
    }
    let passed = if action == "save_paused" { false } else { filling.test().await? };
    match (action, passed) {
        ("test", _) => respond(ask, &framed, &filling, 200).await,
        ("save_paused", _) | (_, true) => save(ask, &framed, filling, passed).await,
        _ => respond(ask, &framed, &filling, 422).await,
    }
}

/// What comes before secrets are changed, or where they are sent: leave, and proof of who it is.
pub(super) fn before_secrets(ask: &Ask<'_>, filling: &Filling<'_>) -> Result<Option<Reply>, Error> {
    if !filling.touches_secrets() {
        return Ok(None);
    }
    if !ask.may(Permission::Secrets) {
        return Ok(Some(problem::reply(ask.who, ask.words, &Trouble::Forbidden(Permission::Secrets))));
    }
    // The draft has what was typed: nothing is lost on the way.
    let back = format!("/c/{}/settings", segment(ask.segment("connection")));
    let first = security::step_up(&ask.core.vault, ask.who, &[Permission::Secrets], &back, ask.words.now())?;
    Ok(first.map(Reply::Elsewhere))
}

async fn save(ask: &Ask<'_>, framed: &Framed, filling: Filling<'_>, passed: bool) -> Result<Reply, Error> {
    let place = ask.place();
    let update = Update {
        name: filling.renamed(),
        settings: Some(filling.settings.clone()),
        secrets: filling.replaced(),
        clear: filling.cleared(),
        rev: filling.sent_rev(),
        strict: true,
    };
    match ask.core.connections.update(&place, update, &ask.by()).await {
        Ok(_) => {}
        Err(error) if error.code == Code::Conflict => return conflict(ask, framed, filling, error).await,
        Err(error) => return Err(error),
    }
    filling.saved();
    if let Some(report) = filling.report().filter(|_| passed) {
        ask.core.connections.tested(&ask.core.connections.stored(&place)?, report).await?;
    } else {
        let detail = ask.words.fill("paused.by", &[("name", &ask.by())]);
        ask.core.connections.stop(&place, StopReason::Paused, detail, None, &ask.by()).await?;
    }
    ask.core.outbox.rested(&place);
    let word = if passed { "saved" } else { "saved_paused" };
    Ok(Reply::Done { to: ask.of_connection(&place.connection, "/settings"), word })
}

/// Somebody else was quicker: what is there now, and what was entered, side by side.
async fn conflict(ask: &Ask<'_>, framed: &Framed, mut filling: Filling<'_>, error: Error) -> Result<Reply, Error> {
    let now = ask.core.connections.get(&ask.place()).await?;
    let differing: Vec<String> = filling
        .settings
        .iter()
        .filter(|(key, value)| now.settings.get(*key) != Some(*value))
        .filter_map(|(key, _)| filling.plugin.form.field(key).map(|_| key.clone()))
        .collect();
    for key in differing {
        let theirs = now.settings.get(&key).map_or_else(|| "-".to_owned(), |value| value.to_string());
        let message = ask.words.fill("settings.conflict.field", &[("theirs", theirs.trim_matches('"'))]);
        filling.issues.push(issue(format!("/settings/{key}"), IssueLevel::Warning, "theirs", message));
    }
    filling.issues.push(refused(error));
    // From here on what is sent in is meant to take the place of what is there now.
    let id = &framed.summary.connection.place.connection;
    let mut form =
        filling.view(ask.of_connection(id, "/settings"), ask.of_connection(id, ""), buttons(ask, false)).await;
    form.rev = Some(now.rev);
    let body = Body::Settings(Box::new(Settings { form, kept: Vec::new(), hidden: None }));
    Ok(Reply::View(409, Box::new(framed.view(ask, "settings", body))))
}

pub(crate) async fn ask_again(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let Some(mut filling) = filling(ask, &framed).await? else { return hidden(ask, &framed) };
    filling.reauth = true;
    filling.expect_new();
    respond_again(ask, &framed, &filling, 200).await
}

pub(crate) async fn sign_in_again(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let Some(mut filling) = filling(ask, &framed).await? else { return hidden(ask, &framed) };
    filling.reauth = true;
    filling.take();
    let replaced = filling.replaced();
    filling.check_secrets();
    if filling.has_errors() {
        return respond_again(ask, &framed, &filling, 422).await;
    }
    if replaced.is_empty() {
        filling.issues.push(issue(String::new(), IssueLevel::Error, "nothing", ask.words.say("reauth.nothing")));
        return respond_again(ask, &framed, &filling, 422).await;
    }
    if !filling.may_test() {
        return respond_again(ask, &framed, &filling, 429).await;
    }
    let place = ask.place();
    let report = ask.core.connections.update_credentials(&place, replaced, false, &ask.by(), ask.context).await;
    ask.core.outbox.rested(&place);
    let passed = match report {
        Ok(report) => filling.tested(report),
        Err(error) if error.code == Code::InvalidArgument && !error.fields.is_empty() => {
            for field in error.fields {
                filling.issues.push(issue(field.at, IssueLevel::Error, &field.code, field.message));
            }
            false
        }
        Err(error) if error.code == Code::Conflict => {
            filling.issues.push(refused(error));
            false
        }
        Err(error) => return Err(error),
    };
    if !passed {
        return respond_again(ask, &framed, &filling, 422).await;
    }
    filling.saved();
    Ok(Reply::Done { to: ask.of_connection(&place.connection, ""), word: "signed_in" })
}

async fn respond_again(ask: &Ask<'_>, framed: &Framed, filling: &Filling<'_>, status: u16) -> Result<Reply, Error> {
    let id = &framed.summary.connection.place.connection;
    let buttons = vec![button(ask, "save", "settings.test_save", Look::Primary)];
    let form = filling.view(ask.of_connection(id, "/reauth"), ask.of_connection(id, ""), buttons).await;
    let fields = filling.plugin.form.definition().fields.iter().filter(|field| field.identity);
    let kept = fields
        .filter_map(|field| {
            let value = filling.settings.get(&field.key)?;
            let name = filling.words_of(&field.label);
            let choices = field.options.as_ref().and_then(|options| options.fixed.as_ref());
            let chosen = choices.and_then(|choices| choices.iter().find(|choice| choice.value == *value));
            let value = match chosen {
                Some(choice) => filling.words_of(&choice.label),
                None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            };
            Some(Fact { name, value, mono: field.mono, when: None })
        })
        .collect();
    let body = Body::Settings(Box::new(Settings { form, kept, hidden: None }));
    let mut view: View = framed.view(ask, "reauth", body);
    let waiting = framed.summary.queued + framed.summary.in_doubt + framed.summary.held;
    let mut text = framed.summary.connection.detail.clone().unwrap_or_default();
    if waiting > 0 {
        text = format!("{text} {}", ask.words.count("standing.waiting", waiting));
    }
    if status == 200 && !text.is_empty() {
        let chip = &framed.standing.chip;
        view.notices.push(Notice { tone: chip.tone.max(Tone::Info), ..Notice::warn(chip.label.clone(), text) });
    }
    Ok(Reply::View(status, Box::new(view)))
}
