//! Settings that an older plugin has kept, brought to the form of the one that is here.
//!
//! Promises: a row changes in one unit of work or not at all; a secret moves by its name, keeps where it may go, and is
//! not seen by any plugin; what cannot be brought on stays as it was, and its connection says why it stands still.
//! Leaves to others: what the steps do (`psa_host_api::form`).

use super::ConnectionRoom;
use super::rules::{is_a_persons, secrets_wanted, start, stop, versions};
use super::settings::{bound, to_keep};
use crate::activity::HOST;
use crate::plugin::{CallContext, Plugin, Terms};
use crate::sealed::{NewSecret, TriedSecrets, renamed, seal_secret};
use crate::store::{Place, SealedSecret, SecretChanges, StopReason, StoredConnection};
use psa_host_api::form::{Form, Migrated, Moment};
use psa_host_api::ops::{MigrateSettings, MigrateSettingsRequest};
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

/// How long a plugin may take, in milliseconds: it has nothing to wait for.
const PLUGIN_MS: u64 = 2_000;

/// Why settings were not brought on.
enum Failure {
    /// They cannot be: a person has to look.
    Settings(String),
    /// Something else was in the way: a key, the disk. The next use tries again.
    Other(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Other(error.into())
    }
}

impl ConnectionRoom {
    /// The row of a place, brought to the form of its plugin if it is older.
    pub(crate) async fn current(&self, place: &Place) -> Result<StoredConnection, Error> {
        let stored = self.stored(place)?;
        self.brought_on(stored).await
    }

    /// The same of a row. What could not be brought on comes back as it is: `check_form` refuses to use it.
    pub(super) async fn brought_on(&self, stored: StoredConnection) -> Result<StoredConnection, Error> {
        let Ok(plugin) = self.plugin(&stored.plugin) else { return Ok(stored) };
        if stored.form_version >= plugin.form.definition().settings_version {
            return Ok(stored);
        }
        match self.migrate(&plugin, &stored).await {
            Ok(()) => {}
            Err(Failure::Settings(why)) => {
                let detail = format!("{} {why}", between(&plugin, &stored));
                self.stop(&stored.place, StopReason::Settings, detail, None, HOST).await?;
            }
            Err(Failure::Other(error)) => {
                let what = format!("the settings of connection {} are still of an older form: {error}", stored.place);
                self.runtime.log.warn("host", &what);
            }
        }
        self.stored(&stored.place)
    }

    /// Refuses settings of another form than the plugin has.
    pub(super) fn check_form(&self, plugin: &Plugin, stored: &StoredConnection) -> Result<(), Error> {
        let here = plugin.form.definition().settings_version;
        if stored.form_version == here {
            return Ok(());
        }
        if stored.form_version > here {
            let message = format!(
                "these settings were kept by a newer plugin, {} {} (version {} of its form); the one here, {}, reads up \
                 to version {here}. Install the newer one again: nothing is lost",
                stored.plugin, stored.plugin_version, stored.form_version, plugin.manifest.version
            );
            return Err(Error::new(Code::Unsupported, message).because("settings_newer"));
        }
        let why = stored.detail.clone().unwrap_or_else(|| between(plugin, stored));
        Err(Error::new(Code::Unreadable, why).because("settings_older"))
    }

    async fn migrate(&self, plugin: &Plugin, stored: &StoredConnection) -> Result<(), Failure> {
        let (form, from) = (&plugin.form, stored.form_version);
        let secrets = self.store.secret_names(&stored.place)?;
        let names: Vec<String> = secrets.iter().map(|secret| secret.name.clone()).collect();
        let steps = form.migrate(from, &stored.settings, &names);
        let mut migrated = steps.map_err(|error| Failure::Settings(format!("{error}.")))?;
        if plugin.operations().any(|name| name == "migrate_settings") {
            migrated.settings = self.ask_plugin(plugin, stored, migrated.settings).await?;
        }
        let settings = form.normalised(&migrated.settings);
        check(form, from, &settings, &migrated, stored)?;
        let settings = to_keep(form, &settings, &migrated.settings);
        let changes = self.moved_secrets(form, stored, &settings, &migrated, &secrets)?;
        self.keep(plugin, stored, settings, changes, &secrets).await
    }

    /// What the form's own steps cannot say.
    async fn ask_plugin(
        &self,
        plugin: &Plugin,
        stored: &StoredConnection,
        settings: Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let to = plugin.form.definition().settings_version;
        let request = MigrateSettingsRequest { from: stored.form_version, to, settings: settings.clone() };
        let half = StoredConnection { settings, ..stored.clone() };
        let without = plugin.form.secrets().map(str::to_owned).collect();
        let tried = TriedSecrets { without, ..TriedSecrets::default() };
        let deadline = self.runtime.clock.boot_ms().saturating_add(PLUGIN_MS);
        let context = CallContext::until(deadline, Terms::default());
        let answer = self.try_run::<MigrateSettings>(&half, tried, &request, &context).await;
        let answer = answer.map_err(|error| Failure::Settings(format!("The plugin says: {}.", error.message)))?;
        if let Some(secret) = plugin.form.secrets().find(|secret| answer.settings.contains_key(*secret)) {
            return Err(Failure::Settings(format!(
                "The plugin put \"{secret}\" among the settings, which is a secret."
            )));
        }
        Ok(answer.settings)
    }

    /// What becomes of the stored secrets.
    fn moved_secrets(
        &self,
        form: &Form,
        stored: &StoredConnection,
        settings: &Map<String, Value>,
        migrated: &Migrated,
        secrets: &[SealedSecret],
    ) -> Result<SecretChanges, Error> {
        let mut changes = SecretChanges { drop_tokens: true, ..SecretChanges::default() };
        for (to, from) in migrated.secrets.iter().filter(|(to, from)| to != from) {
            if let Some(secret) = secrets.iter().find(|secret| secret.name == *from) {
                changes.put.push(renamed(&self.vault, &stored.place, secret, to)?);
            }
        }
        let entered = (self.runtime.clock.now_unix_ms(), HOST);
        for (name, value) in &migrated.become_secrets {
            let (bound, value) = (bound(form, name, settings), SecretString::from(value.clone()));
            let new = NewSecret { name, version: stored.credential_version + 1, bound, value: &value, entered };
            changes.put.push(seal_secret(&self.vault, &stored.place, new)?);
        }
        let gone = secrets.iter().filter(|secret| migrated.secrets.get(&secret.name) != Some(&secret.name));
        changes.remove = gone.map(|secret| secret.name.clone()).collect();
        Ok(changes)
    }

    async fn keep(
        &self,
        plugin: &Plugin,
        stored: &StoredConnection,
        settings: Map<String, Value>,
        changes: SecretChanges,
        secrets: &[SealedSecret],
    ) -> Result<(), Failure> {
        let (form, place) = (&plugin.form, &stored.place);
        let visible = form.visible(&settings);
        let there = secrets.iter().filter(|secret| !changes.remove.contains(&secret.name)).chain(&changes.put);
        let moved: Vec<String> = there
            .filter(|secret| form.is_secret(&secret.name) && visible.contains(secret.name.as_str()))
            .filter(|secret| secret.bound != bound(form, &secret.name, &settings))
            .map(|secret| secret.name.clone())
            .collect();
        let (form_version, plugin_version) = (form.definition().settings_version, plugin.manifest.version.clone());
        let body = json!({"connection": place.connection, "from": stored.form_version, "to": form_version,
            "plugin": plugin_version, "secrets_moved": changes.put.iter().map(|secret| &secret.name).collect::<Vec<_>>(),
            "secrets_wanted": moved});
        let record = self.scribe.both(place, HOST, "connection.migrated", Some(&place.connection), body)?;
        let (expected, now) = (versions(stored), self.runtime.clock.now_unix_ms());
        let entered = !changes.put.is_empty() || !changes.remove.is_empty();
        let change = Box::new(move |row: &mut StoredConnection| {
            // Another process was faster, or a person.
            if versions(row) != expected {
                return false;
            }
            row.settings = settings;
            row.settings_version += 1;
            row.credential_version += i64::from(entered);
            (row.form_version, row.plugin_version) = (form_version, plugin_version);
            if !moved.is_empty() && !is_a_persons(row.reason) {
                stop(row, StopReason::Settings, secrets_wanted(&moved));
            } else if moved.is_empty() && row.reason == Some(StopReason::Settings) {
                // It stood still because this had failed before.
                start(row);
            }
            row.changed = now;
            true
        });
        self.store.change(place, change, changes, record).await?;
        self.forget_cache(place);
        Ok(())
    }
}

/// What the new form says of the outcome. A required field that came since, without a default, is asked for later.
fn check(
    form: &Form,
    from: u32,
    settings: &Map<String, Value>,
    migrated: &Migrated,
    stored: &StoredConnection,
) -> Result<(), Failure> {
    let new = migrated.become_secrets.iter().map(|(name, _)| name.as_str());
    let secrets: Vec<&str> =
        migrated.secrets.keys().map(String::as_str).filter(|name| form.is_secret(name)).chain(new).collect();
    let is_new = |key: &str| form.field(key).and_then(|field| field.since).is_some_and(|since| since > from);
    let found = form.check_at(&form.declared(settings), &secrets, Moment::Change(&stored.settings));
    match found.into_iter().find(|issue| !(issue.code == "required" && is_new(&issue.field))) {
        None => Ok(()),
        Some(issue) => Err(Failure::Settings(format!("\"{}\" {}.", issue.field, issue.message))),
    }
}

/// Both versions, in words.
fn between(plugin: &Plugin, stored: &StoredConnection) -> String {
    format!(
        "Its settings were kept by {} {} (version {} of its form) and could not be brought to version {} of {}.",
        stored.plugin,
        stored.plugin_version,
        stored.form_version,
        plugin.form.definition().settings_version,
        plugin.manifest.version
    )
}
