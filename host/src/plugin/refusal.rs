//! Why a plugin is not loaded.
//!
//! Holds: [`Refusal`], one variant per thing that can be wrong with a file or a table.
//! Promises: each has its own stable reason, names the file, and says what to do.
//! Leaves to others: finding it out (`trust`, `loader`, `table`).

use psa_host_api::{Code, Error};
use std::path::{Path, PathBuf};

/// A plugin that is not loaded, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file, or "(linked in)" for a plugin that the product registered.
    pub path: PathBuf,
    /// What was wrong.
    pub why: Why,
}

/// What was wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No such file.
    #[error("there is no such file. Check the path in \"plugins\"")]
    Missing,
    /// It cannot be read.
    #[error("it cannot be read: {0}. Check its permissions")]
    Unreadable(String),
    /// A folder, device, pipe, empty, or larger than a plugin can be.
    #[error("it is {0}. Name a plugin file")]
    NotAFile(&'static str),
    /// A link to somewhere else.
    #[error("it is a link out of its folder. Name the file itself")]
    Link,
    /// Others can write it.
    #[error(
        "{what} {path} can be written by {who}, who could put code into this process. Take the right away: chmod {fix} {path}"
    )]
    Writable {
        /// "the file" or "the folder".
        what: &'static str,
        /// Which.
        path: String,
        /// "everybody" or "its group".
        who: &'static str,
        /// For chmod.
        fix: &'static str,
    },
    /// Somebody else owns it.
    #[error("it belongs to user {0}, neither root nor the user of this process. Change its owner")]
    Owner(u32),
    /// Another content than the configuration promises.
    #[error(
        "its SHA-256 is {found}, the configuration says {wanted}. Install the file that was meant, or correct the digest"
    )]
    Digest {
        /// As configured.
        wanted: String,
        /// As found.
        found: String,
    },
    /// Not a shared library of this machine.
    #[error("it is not a shared library for this machine: {0}. Use a build for this platform")]
    Format(&'static str),
    /// It could not be copied to the private folder.
    #[error("it could not be copied to {folder}: {why}")]
    Copy {
        /// Where to.
        folder: String,
        /// What failed.
        why: String,
    },
    /// The dynamic loader refused it.
    #[error("the system could not load it: {0}")]
    Load(String),
    /// No entry.
    #[error("it exports no psa_plugin_entry, so it is no psa-bridge plugin")]
    NoEntry,
    /// The entry gave nothing.
    #[error("it does not work with ABI {ours}, which is the newest this host knows. Update the host")]
    TooNew {
        /// "1.0".
        ours: String,
    },
    /// Another major version.
    #[error("it is built for ABI {theirs}, this host speaks {ours}. {}", if *.newer { "Update the host" } else { "Rebuild the plugin with a newer SDK" })]
    AbiMajor {
        /// "2.0".
        theirs: String,
        /// "1.0".
        ours: String,
        /// Whether theirs is the newer one.
        newer: bool,
    },
    /// The table is too short, too long or oddly sized.
    #[error(
        "its table says {found} bytes, ABI {abi} has at least {least} in steps of {step}. Rebuild it with the headers of its ABI version"
    )]
    TableSize {
        /// As it says.
        found: u32,
        /// Its own version.
        abi: String,
        /// Of minor 0.
        least: usize,
        /// Alignment.
        step: usize,
    },
    /// A pointer that must not be NULL is.
    #[error("its {0} is NULL")]
    Null(&'static str),
    /// The list of operations is not plausible.
    #[error("its list of operations is not valid: {0}")]
    Operations(String),
    /// The manifest.
    #[error("{0}")]
    Manifest(String),
    /// The form in the manifest.
    #[error("the form in its manifest is not valid: {0}")]
    Form(String),
    /// Same minor, other layout.
    #[error("its types are laid out otherwise than its ABI version says, so it was built with a changed SDK: {0}")]
    Layout(String),
    /// Two plugins for one provider.
    #[error("the plugin id \"{id}\" is already taken by {other}. Remove one of the two")]
    Twice {
        /// The id.
        id: String,
        /// The file that has it.
        other: String,
    },
}

impl Why {
    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Why::Missing => "plugin_file_missing",
            Why::Unreadable(_) => "plugin_file_unreadable",
            Why::NotAFile(_) => "plugin_not_a_file",
            Why::Link => "plugin_link",
            Why::Writable { .. } => "plugin_writable",
            Why::Owner(_) => "plugin_owner",
            Why::Digest { .. } => "plugin_digest",
            Why::Format(_) => "plugin_format",
            Why::Copy { .. } => "plugin_copy",
            Why::Load(_) => "plugin_load",
            Why::NoEntry => "plugin_no_entry",
            Why::TooNew { .. } => "plugin_too_new",
            Why::AbiMajor { .. } => "plugin_abi_major",
            Why::TableSize { .. } => "plugin_table_size",
            Why::Null(_) => "plugin_null",
            Why::Operations(_) => "plugin_operations",
            Why::Manifest(_) => "plugin_manifest",
            Why::Form(_) => "plugin_form",
            Why::Layout(_) => "plugin_layout",
            Why::Twice { .. } => "plugin_twice",
        }
    }

    /// The same, for a file.
    pub(super) fn of(self, path: &Path) -> Refusal {
        Refusal { path: path.to_owned(), why: self }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the plugin {} is not loaded: {}.", self.path.display(), self.why)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        let code = match refusal.why {
            Why::Missing => Code::NotFound,
            Why::Copy { .. } => Code::Storage,
            Why::Writable { .. } | Why::Owner(_) | Why::Digest { .. } | Why::Link => Code::Forbidden,
            Why::AbiMajor { .. } | Why::TooNew { .. } => Code::Unsupported,
            Why::Twice { .. } => Code::Conflict,
            _ => Code::InvalidArgument,
        };
        let reason = refusal.why.reason();
        Error::new(code, refusal.to_string()).because(reason)
    }
}
