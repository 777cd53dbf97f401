//! Filling in a plugin's form: what the pages of a new connection, of its settings and of its credentials have in common.
//!
//! Promises: what is tested is what stands in the form; nothing is kept that was not right; after an error nothing has to be
//! entered twice, and no secret comes back to the browser.

use crate::connections::{Connection, Issue, SecretOp, Trial, issue_of};
use crate::plugin::Plugin;
use crate::web::ask::Ask;
use crate::web::form::built::{Building, LABEL_CHARS_MAX, cut};
use crate::web::form::choices::{self, List};
use crate::web::form::entered::{self, Entered};
use crate::web::form::{ButtonView, FormView, NameView, report};
use crate::web::permission::Permission;
use crate::web::view::Look;
use psa_host_api::form::types::{Field, FieldType, Group, Text};
use psa_host_api::model::{IssueLevel, StepState, TestReport};
use psa_host_api::{Code, Error};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The field of a form that holds a draft's id.
const DRAFT_FIELD: &str = "_draft";
/// The longest name of a connection, in characters.
const NAME_CHARS_MAX: usize = 120;

/// A form that is being filled in.
pub(crate) struct Filling<'a> {
    ask: &'a Ask<'a>,
    pub(crate) plugin: Arc<Plugin>,
    /// None for a new one.
    pub(crate) connection: Option<Connection>,
    /// Which step of a new connection; none: all of them.
    pub(crate) step: Option<u32>,
    /// Only secrets that are entered again to sign in.
    pub(crate) reauth: bool,
    pub(crate) name: Option<String>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) secrets: BTreeMap<String, SecretOp>,
    pub(crate) issues: Vec<Issue>,
    report: Option<TestReport>,
    draft: Option<String>,
    /// Drawn from what is there now, not from what the form was made from.
    anew: bool,
}

impl<'a> Filling<'a> {
    /// A form as it stands before anything was entered.
    pub(crate) fn new(ask: &'a Ask<'a>, plugin: Arc<Plugin>, connection: Option<Connection>) -> Filling<'a> {
        let settings = match &connection {
            Some(connection) => connection.settings.clone(),
            None => ask.core.connections.first_settings(&plugin.form),
        };
        let name = Some(connection.as_ref().map_or_else(|| plugin.manifest.name.clone(), |known| known.name.clone()));
        let (secrets, issues, report, draft, anew) = Default::default();
        Filling {
            ask,
            plugin,
            connection,
            step: None,
            reauth: false,
            name,
            settings,
            secrets,
            issues,
            report,
            draft,
            anew,
        }
    }

    /// New secrets are what somebody has come for.
    pub(crate) fn expect_new(&mut self) {
        let asked = self.plugin.form.definition().fields.iter().filter(|field| self.is_on_page(field));
        self.secrets = asked.map(|field| (field.key.clone(), SecretOp::Replace(SecretString::default()))).collect();
    }

    /// A text of the form in the reader's language.
    pub(crate) fn words_of(&self, text: &Text) -> String {
        let words =
            psa_host_api::form::text(text, self.ask.words.locale(), &self.plugin.form.definition().default_locale);
        cut(words, LABEL_CHARS_MAX)
    }

    /// What the form's own rules say of secrets that were entered.
    pub(crate) fn check_secrets(&mut self) {
        let form = &self.plugin.form;
        let check = |(name, secret): (&String, &SecretString)| form.check_secret(name, secret.expose_secret());
        let found: Vec<Issue> = self.replaced().iter().filter_map(check).map(|issue| issue_of(form, issue)).collect();
        self.issues.extend(found);
    }

    /// Takes what was sent in.
    pub(crate) fn take(&mut self) {
        let (ask, target) = (self.ask, self.target());
        let before = ask.form.get(DRAFT_FIELD);
        let drafted = before.map(|id| ask.core.drafts.secrets(ask.who, &target, id, ask.core.clock.boot_ms()));
        let Entered { settings, secrets, spaced, unsure } =
            entered::read(&self.plugin.form, &ask.form, &self.settings, &drafted.unwrap_or_default(), |field| {
                self.is_drawn(field) && self.fixed(field).is_none()
            });
        self.settings = settings;
        self.secrets = secrets;
        for field in spaced {
            let message = ask.words.say("form.secret.spaced");
            self.issues.push(issue(format!("/secrets/{field}"), IssueLevel::Warning, "spaced", message));
        }
        for field in unsure {
            let message = ask.words.say("form.secret.unsure");
            self.issues.push(issue(format!("/secrets/{field}"), IssueLevel::Error, "unsure", message));
        }
        if let Some(name) = ask.form.get("_name") {
            self.name = Some(name.trim().to_owned());
        }
        // What was entered waits until it is saved, whatever comes of this request.
        let waiting: BTreeMap<String, SecretString> = self.replaced();
        let (now, random) = (ask.core.clock.boot_ms(), &*ask.core.random);
        self.draft = ask.core.drafts.keep((ask.who, &target), before, waiting, (now, random));
    }

    /// It was saved: nothing waits any more.
    pub(crate) fn saved(&self) {
        if let Some(draft) = &self.draft {
            self.ask.core.drafts.forget(self.ask.who, &self.target(), draft);
        }
    }

    /// What a draft belongs to.
    fn target(&self) -> String {
        match &self.connection {
            Some(connection) => connection.connection.clone(),
            None => format!("new {}", self.plugin.manifest.id),
        }
    }

    /// Secrets that were entered.
    pub(crate) fn replaced(&self) -> BTreeMap<String, SecretString> {
        let replaced = self.secrets.iter().filter_map(|(name, op)| match op {
            SecretOp::Replace(secret) if !secret.expose_secret().is_empty() => Some((name.clone(), secret.clone())),
            _ => None,
        });
        replaced.collect()
    }

    /// Secrets that are to go.
    pub(crate) fn cleared(&self) -> Vec<String> {
        let cleared = self.secrets.iter().filter(|(_, op)| matches!(op, SecretOp::Clear));
        cleared.map(|(name, _)| name.clone()).collect()
    }

    /// Whether saving this needs more than the permission to configure.
    pub(crate) fn touches_secrets(&self) -> bool {
        let stored = self.connection.as_ref().map(|connection| &connection.settings);
        let bound = |field: &Field| {
            field.secret.as_ref().is_some_and(|secret| {
                secret.bound_to.iter().any(|key| stored.is_some_and(|stored| stored.get(key) != self.settings.get(key)))
            })
        };
        let moved = self.plugin.form.definition().fields.iter().any(bound);
        moved || self.secrets.values().any(|op| !matches!(op, SecretOp::Keep))
    }

    /// What would be tried.
    pub(crate) fn trial(&self) -> Trial {
        Trial {
            tenant: self.ask.who.tenant.clone(),
            plugin: self.plugin.manifest.id.clone(),
            connection: self.connection.as_ref().map(|connection| connection.connection.clone()),
            settings: self.settings.clone(),
            secrets: self.secrets.clone(),
        }
    }

    /// Looks for everything that is wrong. True: nothing is in the way.
    pub(crate) async fn check(&mut self) -> Result<bool, Error> {
        let name = self.name.as_deref().unwrap_or_default();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            let message = self.ask.words.say("form.name.wrong");
            self.issues.push(issue("/name".to_owned(), IssueLevel::Error, "name", message));
        }
        self.issues.extend(self.ask.core.connections.issues(&self.trial(), self.ask.context).await?);
        Ok(!self.has_errors())
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.issues.iter().any(|issue| issue.level == IssueLevel::Error)
    }

    /// Tests exactly what stands in the form. True: it works.
    pub(crate) async fn test(&mut self) -> Result<bool, Error> {
        if !self.may_test() {
            return Ok(false);
        }
        let report = match self.ask.core.connections.try_settings(&self.trial(), self.ask.context).await {
            Ok(report) => report,
            // The same account twice: the form says so where the account is named.
            Err(error) if error.code == Code::Conflict => {
                self.issues.push(refused(error));
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        Ok(self.tested(report))
    }

    /// A test knocks at the provider: so often, and not more.
    pub(crate) fn may_test(&mut self) -> bool {
        let (ask, target) = (self.ask, self.target());
        let Err(wait_ms) = ask.core.pace.one_more_test(ask.who, &target, ask.words.now()) else { return true };
        let wait = ask.words.span(u64::try_from(wait_ms).unwrap_or(0).max(1_000));
        let message = ask.words.fill("form.test.too_many", &[("wait", &wait)]);
        self.issues.push(issue(String::new(), IssueLevel::Error, "too_many", message));
        false
    }

    /// Notes what a test has found; failed steps are also said at their fields.
    pub(crate) fn tested(&mut self, report: TestReport) -> bool {
        for step in report.steps.iter().filter(|step| step.state == StepState::Failed) {
            for field in step.fields.iter().filter(|key| self.plugin.form.field(key).is_some()) {
                let level = if report.passed { IssueLevel::Warning } else { IssueLevel::Error };
                self.issues.push(issue(format!("/settings/{field}"), level, &step.step, step.message.clone()));
            }
        }
        let passed = report.passed;
        self.report = Some(report);
        passed
    }

    pub(crate) fn report(&self) -> Option<&TestReport> {
        self.report.as_ref()
    }

    fn is_of_step(&self, group: &Group) -> bool {
        self.step.is_none_or(|step| group.step.unwrap_or(1) == step)
    }

    fn is_on_page(&self, field: &Field) -> bool {
        let group = self.plugin.form.definition().groups.iter().find(|group| group.key == field.group);
        let asked_again = field.secret.as_ref().is_some_and(|secret| secret.reauth);
        if self.reauth { asked_again } else { group.is_some_and(|group| self.is_of_step(group)) }
    }

    /// Why a field cannot be changed here.
    fn fixed(&self, field: &Field) -> Option<String> {
        let words = self.ask.words;
        let may = |needed: Permission| self.ask.may(needed);
        let needed = |permission: Permission| {
            let named = words.say(&format!("permission.{}", permission.word()));
            Some(words.fill("form.fixed.permission", &[("permission", &named)]))
        };
        if field.kind == FieldType::Secret && !may(Permission::Secrets) {
            return needed(Permission::Secrets);
        }
        if !self.reauth && !may(Permission::Configure) {
            return needed(Permission::Configure);
        }
        let stored = self.connection.as_ref().is_some_and(|known| known.settings.contains_key(&field.key));
        (field.immutable && stored).then(|| words.say("form.fixed.immutable"))
    }

    /// What was read is drawn, and what is drawn is read: else what nobody has seen would be changed.
    fn is_drawn(&self, field: &Field) -> bool {
        let group = self.plugin.form.definition().groups.iter().find(|group| group.key == field.group);
        let waits = group.is_some_and(|group| group.needs.is_some()) && self.connection.is_none();
        // What is on its way out is shown only while it holds something.
        let gone = field.deprecated.is_some() && !self.settings.contains_key(&field.key);
        self.is_on_page(field) && !waits && !gone
    }

    /// Another name than the form was made with: somebody else's change of it meanwhile is not undone.
    pub(crate) fn renamed(&self) -> Option<String> {
        let before = self.ask.form.get("_was");
        self.name.clone().filter(|name| Some(name.as_str()) != before)
    }

    /// It was kept; what follows is about what is there now.
    pub(crate) fn kept(&mut self, connection: Connection) {
        self.saved();
        self.settings = connection.settings.clone();
        self.connection = Some(connection);
        (self.secrets, self.draft, self.anew) = (BTreeMap::new(), None, true);
    }

    /// What is sent in next is meant for what is there now.
    pub(crate) fn forget_rev(&mut self) {
        self.anew = true;
    }

    /// Secrets that nobody has tried yet are not tried by a list, time and again.
    fn for_lists(&self) -> Trial {
        let tried = self.report.as_ref().is_some_and(|report| report.passed);
        let secrets = if tried { self.secrets.clone() } else { BTreeMap::new() };
        Trial { secrets, ..self.trial() }
    }

    /// The form with everything that is known of it.
    pub(crate) async fn view(&self, action: String, leave: String, buttons: Vec<ButtonView>) -> FormView {
        let ready = self.connection.is_some();
        let wanted = |field: &Field| ready && self.is_drawn(field);
        let lists: HashMap<String, List> = if self.reauth {
            HashMap::new()
        } else {
            let words = |field: &Field| self.ask.form.filled(&format!("{}.find", field.key)).map(str::to_owned);
            choices::load(self.ask, &self.plugin.form, &self.settings, &self.for_lists(), wanted, words).await
        };
        let secrets = self.connection.as_ref().map(|known| known.secret_states.clone()).unwrap_or_default();
        let computed = self.computed();
        let fixed = |field: &Field| self.fixed(field);
        let building = Building {
            form: &self.plugin.form,
            words: self.ask.words,
            settings: &self.settings,
            ops: &self.secrets,
            secrets: &secrets,
            lists: &lists,
            issues: &self.issues,
            computed: &computed,
            fixed: &fixed,
        };
        let name_error = self.issues.iter().find(|issue| issue.at == "/name").map(|issue| issue.message.clone());
        let mut groups =
            building.groups(|group| self.reauth || self.is_of_step(group), |field| self.is_drawn(field), ready);
        if buttons.is_empty() {
            // Who only looks sends nothing in.
            groups.iter_mut().for_each(|group| group.reload = false);
        }
        let asks_name = !self.reauth && self.step.is_none_or(|step| step == 1);
        let name = asks_name.then(|| NameView {
            was: self
                .ask
                .form
                .get("_was")
                .map(str::to_owned)
                .or_else(|| self.connection.as_ref().map(|known| known.name.clone()))
                .unwrap_or_default(),
            value: self.name.clone().unwrap_or_default(),
            error: name_error,
            fixed: buttons.is_empty(),
        });
        FormView {
            action,
            rev: self
                .connection
                .as_ref()
                .map(|connection| self.sent_rev().filter(|_| !self.anew).unwrap_or(connection.rev)),
            draft: self.draft.clone(),
            name,
            errors: building.errors(),
            groups,
            report: self.report.as_ref().map(|report| report::view(self.ask.words, report)),
            buttons,
            leave,
        }
    }

    /// The revision that the form was made from: it stays the same through errors, so that nothing newer is overwritten.
    pub(crate) fn sent_rev(&self) -> Option<i64> {
        self.ask.form.get("_rev").and_then(|rev| rev.parse().ok())
    }

    /// The same; without it nobody could tell whose change this would undo.
    pub(crate) fn rev(&self) -> Result<i64, Error> {
        self.sent_rev().ok_or_else(|| {
            let message = "this form has no revision: open it again and repeat";
            Error::invalid(message).because("rev").field("/_rev", "required", message)
        })
    }

    fn computed(&self) -> BTreeMap<String, String> {
        let address = self.ask.core.callbacks.address().map(str::to_owned);
        address.map(|address| BTreeMap::from([("host:webhook_url".to_owned(), address)])).unwrap_or_default()
    }
}

/// Something to say about what was entered.
pub(crate) fn issue(at: String, level: IssueLevel, code: &str, message: String) -> Issue {
    Issue { at, level, code: code.to_owned(), message, params: BTreeMap::new() }
}

/// That a room has said no.
pub(crate) fn refused(error: Error) -> Issue {
    issue(String::new(), IssueLevel::Error, error.reason.as_deref().unwrap_or("conflict"), error.message)
}

/// A button of a form.
pub(crate) fn button(ask: &Ask<'_>, value: &str, key: &str, look: Look) -> ButtonView {
    ButtonView { value: value.to_owned(), label: ask.words.say(key), look, anyway: false, swap: String::new() }
}
