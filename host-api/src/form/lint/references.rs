//! What a form names beside its fields: options, sources, tables, steps of a test, migrations.

use super::Lint;
use crate::form::settings;
use crate::form::types::*;
use std::collections::BTreeSet;

/// What a product can say it has.
const ROWS: [&str; 6] = ["agents", "ticket_statuses", "ticket_priorities", "teams", "companies", "categories"];

impl Lint<'_> {
    pub(super) fn options(&mut self, at: &str, options: Option<&Options>) {
        let Some(options) = options else { return };
        if options.fixed.is_some() == options.source.is_some() {
            self.say(at, "options.shape", "must have either \"static\" or \"source\"");
        }
        for (position, choice) in options.fixed.iter().flatten().enumerate() {
            let at = format!("{at}/static/{position}");
            self.text(&format!("{at}/label"), Some(&choice.label));
            self.text(&format!("{at}/help"), choice.help.as_ref());
            self.text(&format!("{at}/group"), choice.group.as_ref());
            if options.fixed.iter().flatten().take(position).any(|earlier| earlier.value == choice.value) {
                self.say(format!("{at}/value"), "options.twice", "is there already");
            }
        }
        let Some(name) = &options.source else { return };
        let Some(source) = self.form.sources.get(name) else {
            return self.say(format!("{at}/source"), "options.source", format!("there is no source \"{name}\""));
        };
        for (argument, from) in &options.args {
            if !source.args.contains(argument) {
                let message = format!("the source \"{name}\" takes no \"{argument}\"");
                self.say(format!("{at}/args/{argument}"), "options.argument", message);
            }
            let field = self.form.fields.iter().find(|field| field.key == *from);
            if from != "@scope" && field.is_none() {
                self.say(format!("{at}/args/{argument}"), "options.argument", format!("there is no field \"{from}\""));
            } else if field.is_some_and(|field| field.kind == FieldType::Secret) {
                let message = format!("\"{from}\" is a secret; it is told nobody");
                self.say(format!("{at}/args/{argument}"), "options.argument", message);
            }
        }
        if options.search && !source.search {
            self.say(format!("{at}/search"), "options.search", format!("the source \"{name}\" cannot be searched"));
        }
    }

    /// Lists that the provider fills.
    pub(super) fn sources(&mut self) {
        for (name, source) in &self.form.sources {
            let at = format!("/sources/{name}");
            let names = std::iter::once(name).chain(&source.args);
            if !names.into_iter().all(|name| settings::is_key(name)) {
                self.say(&at, "key.form", "its name and those of its arguments must look like keys of fields");
            }
        }
    }

    /// Steps of a test.
    pub(super) fn test(&mut self) {
        let Some(test) = &self.form.test else { return };
        for (position, step) in test.steps.iter().enumerate() {
            let is_new = !test.steps[..position].contains(step);
            if !settings::is_key(step) || !is_new {
                self.say(
                    format!("/test/steps/{position}"),
                    "test.step",
                    "must look like the key of a field, and be there once",
                );
            }
        }
        if test.timeout_s == Some(0) {
            self.say("/test/timeout_s", "validate.limit", "must be at least 1");
        }
    }

    pub(super) fn mappings(&mut self) {
        let mut keys = BTreeSet::new();
        for (position, mapping) in self.form.mappings.iter().enumerate() {
            let at = format!("/mappings/{position}");
            self.key(&at, &mapping.key, keys.insert(mapping.key.as_str()));
            self.text(&format!("{at}/title"), mapping.title.as_ref());
            let rows = mapping.rows.strip_prefix("host:");
            if mapping.rows != "free" && !rows.is_some_and(|rows| ROWS.contains(&rows)) {
                let message = format!("must be \"free\", or \"host:\" and one of {}", ROWS.join(", "));
                self.say(format!("{at}/rows"), "mapping.rows", message);
            }
            self.words(&format!("{at}/directions"), &mapping.directions, &["both", "out", "in"]);
            self.words(&format!("{at}/auto"), &mapping.auto, &["email", "identifier", "name"]);
            let cardinality = mapping.cardinality.as_slice();
            self.words(
                &format!("{at}/cardinality"),
                cardinality,
                &["one_to_one", "many_to_one", "one_to_many", "many_to_many"],
            );
            if mapping.columns.is_empty() {
                self.say(format!("{at}/columns"), "mapping.columns", "must have at least one");
            }
            let mut columns = BTreeSet::new();
            for (index, column) in mapping.columns.iter().enumerate() {
                self.key(&format!("{at}/columns/{index}"), &column.key, columns.insert(column.key.as_str()));
                let scoped = column.options.args.values().any(|from| from == "@scope");
                if scoped && mapping.scope.is_none() {
                    self.say(format!("{at}/columns/{index}/options/args"), "mapping.scope", "\"@scope\" needs a scope");
                }
                self.options(&format!("{at}/columns/{index}/options"), Some(&column.options));
            }
            if let Some(scope) = &mapping.scope {
                let known = self.form.sources.contains_key(&scope.source);
                let selected = self.form.fields.iter().any(|field| field.key == scope.selected_by);
                if !known || !selected {
                    self.say(format!("{at}/scope"), "mapping.scope", "must name a source and a field of this form");
                }
            }
            if let Some(unmapped) = &mapping.unmapped
                && !unmapped.choices.contains(&unmapped.default)
            {
                self.say(format!("{at}/unmapped"), "mapping.unmapped", "its default is none of its choices");
            }
        }
    }

    pub(super) fn migrations(&mut self) {
        let mut reached = self.form.reads_from;
        for (position, migration) in self.form.migrations.iter().enumerate() {
            let at = format!("/migrations/{position}");
            if migration.from != reached || migration.to <= migration.from {
                self.say(&at, "migration.order", format!("must lead on from {reached}"));
            }
            reached = migration.to;
            for (index, op) in migration.ops.iter().enumerate() {
                self.migration_op(&format!("{at}/ops/{index}"), op);
            }
        }
        if reached != self.form.settings_version {
            self.say("/migrations", "migration.order", "must lead from reads_from to settings_version without a gap");
        }
    }

    fn migration_op(&mut self, at: &str, op: &MigrationOp) {
        let keys: Vec<&String> = match op {
            MigrationOp::Rename(moved) | MigrationOp::Copy(moved) => vec![&moved.from, &moved.to],
            MigrationOp::Set(set) => vec![&set.key],
            MigrationOp::Drop(dropped) => vec![&dropped.key],
            MigrationOp::Map(map) => vec![&map.key],
            MigrationOp::Split(split) => std::iter::once(&split.from).chain(&split.to).collect(),
        };
        if !keys.iter().all(|key| settings::is_key(key)) {
            self.say(at, "key.form", "must name keys of fields");
        }
        let is_secret =
            |key: &String| self.form.fields.iter().any(|field| field.key == *key && field.kind == FieldType::Secret);
        match op {
            MigrationOp::Set(set) if is_secret(&set.key) => {
                self.say(at, "migration.secret", "a form holds no value of a secret");
            }
            MigrationOp::Split(split) if split.sep.is_empty() || split.to.len() < 2 => {
                self.say(at, "migration.op", "needs a sign between at least two parts");
            }
            MigrationOp::Rename(moved) | MigrationOp::Copy(moved) if moved.from == moved.to => {
                self.say(at, "migration.op", "leads from a name to itself");
            }
            _ => {}
        }
    }

    fn words(&mut self, at: &str, found: impl AsRef<[String]>, known: &[&str]) {
        if !found.as_ref().iter().all(|word| known.contains(&word.as_str())) {
            self.say(at, "mapping.word", format!("can be {}", known.join(", ")));
        }
    }
}
