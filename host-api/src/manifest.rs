//! The manifest: what a plugin says about itself.
//!
//! Holds: its type and the checks that decide whether it is accepted.
//! Promises: an accepted manifest has a well-formed id, version and a form that loads, and its picture is one.
//! Leaves to others: the form (`form`).

mod icon;

pub use icon::{Icon, PictureKind};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Manifests above this are refused, in bytes: a form, a picture, and the rest.
pub const MANIFEST_BYTES_MAX: usize = 256 * 1024 + 96 * 1024 + 64 * 1024;

/// What a status belongs to at this provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusScope {
    /// To a board.
    Board,
    /// To a ticket type.
    Type,
    /// To the whole connection.
    #[default]
    Connection,
}

/// What the provider's board is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoardKind {
    /// A board.
    Board,
    /// A team.
    Team,
    /// A queue.
    Queue,
    /// It has none.
    #[default]
    None,
}

/// What the plugin and its provider can do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Capabilities {
    /// What a status belongs to.
    pub status_scope: StatusScope,
    /// What a board is.
    pub board_kind: BoardKind,
    /// Which visibilities a note can have.
    pub visibilities: Vec<crate::model::Visibility>,
    /// Whether the provider says which statuses are closed.
    pub closed_known: bool,
    /// Whether the provider can tell of changes by callbacks.
    pub callbacks: bool,
}

/// Who made it, and where help is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Vendor {
    /// Company or person.
    pub name: String,
    /// https address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Address for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
}

/// What a plugin says about itself. Unknown fields survive and do no harm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// `[a-z][a-z0-9]{1,31}`, also in the file's name.
    pub id: String,
    /// For people.
    pub name: String,
    /// SemVer of the plugin.
    pub version: String,
    /// Who made it.
    #[serde(default)]
    pub vendor: Vendor,
    /// SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Which SDK it was built with, `psa-host-api 0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// How many calls of one instance may run at once; 0: any number.
    #[serde(default)]
    pub concurrency: u32,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What stands for it on pages: `data:image/svg+xml;base64,…` or `data:image/png;base64,…`, at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// The form of a connection's settings: Form Schema 1.x.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub form: Value,
}

/// Why a manifest is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Over [`MANIFEST_BYTES_MAX`].
    #[error("the manifest has {0} bytes; at most {MANIFEST_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not JSON of the manifest's shape.
    #[error("the manifest is not valid: {0}")]
    Shape(String),
    /// A field's value is not allowed.
    #[error("the manifest's {field} is \"{value}\"; {rule}")]
    Field {
        /// Which one.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// The picture is none, or too large.
    #[error("the manifest's icon {0}")]
    Icon(&'static str),
}

impl Manifest {
    /// Reads and checks a manifest; the form inside is left to `form::Form::load`.
    pub fn load(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| ManifestError::Shape(error.to_string()))?;
        if !is_id(&manifest.id) {
            let rule = "2 to 32 characters, lower-case letters and digits, a letter first";
            return Err(ManifestError::Field { field: "id", value: clip(&manifest.id), rule });
        }
        if !is_semver(&manifest.version) {
            let rule = "three numbers with dots between, as SemVer says";
            return Err(ManifestError::Field { field: "version", value: clip(&manifest.version), rule });
        }
        if !manifest.form.is_object() {
            return Err(ManifestError::Shape("\"form\" must be a form object".into()));
        }
        manifest.picture()?;
        Ok(manifest)
    }

    /// The picture, if it has one.
    pub fn picture(&self) -> Result<Option<Icon>, ManifestError> {
        self.icon.as_deref().map(Icon::read).transpose().map_err(ManifestError::Icon)
    }
}

/// True for what can be a plugin's id.
pub fn is_id(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_semver(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or("");
    let mut numbers = 0;
    core.split('.').all(|part| {
        numbers += 1;
        !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit())
    }) && numbers == 3
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_versions_of_another_form_are_refused_by_name() {
        let manifest =
            |id: &str, version: &str| format!(r#"{{"id":"{id}","name":"x","version":"{version}","form":{{}}}}"#);
        assert!(Manifest::load(manifest("connectwise", "1.0.0-rc.1").as_bytes()).is_ok());
        for (id, version, field) in [
            ("Acme", "1.0.0", "id"),
            ("a", "1.0.0", "id"),
            ("../x", "1.0.0", "id"),
            ("acme", "1.0", "version"),
            ("acme", "1.0.x", "version"),
        ] {
            let error = Manifest::load(manifest(id, version).as_bytes()).unwrap_err();
            assert!(
                matches!(error, ManifestError::Field { field: found, .. } if found == field),
                "{id} {version}: {error}"
            );
        }
        assert!(matches!(Manifest::load(b"[]"), Err(ManifestError::Shape(_))));
        assert!(matches!(Manifest::load(&vec![b' '; MANIFEST_BYTES_MAX + 1]), Err(ManifestError::TooLarge(_))));
    }
}
