//! The codes both C ABIs speak, in one table, and the error that crosses a boundary as JSON.
//!
//! Holds: [`Code`], what each code means and who must act, and [`Error`], its JSON form.
//! Promises: a code never changes its number or its name; an unknown number is read as [`Code::Internal`].
//! Leaves to others: what a provider's answer means (each plugin's `error.rs`), what egress saw (the host).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who has to do something about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// Nobody: it is a success or an expected answer.
    Nobody,
    /// The programmer of the product (or of the plugin, for what a plugin passes to a service).
    Caller,
    /// The administrator of the connection: credentials, rights, mappings, disk.
    Administrator,
    /// The host: it tries again by itself, or the problem is a defect of ours.
    Host,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, applied: $applied:literal, acts: $acts:ident;)*) => {
        /// The outcome of a call or a service. Numbers and names are stable for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[repr(i32)]
        pub enum Code { $($(#[$doc])* $name = $number,)* }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The stable name, as in JSON: `outcome_unknown`.
            pub const fn name(self) -> &'static str { match self { $(Code::$name => $text,)* } }

            /// The code of a number; an unknown one is [`Code::Internal`], so that a newer peer is never misread as success.
            pub const fn from_number(number: i32) -> Code { match number { $($number => Code::$name,)* _ => Code::Internal } }

            /// True if a write that ended so may have been applied at the PSA.
            pub const fn may_be_applied(self) -> bool { match self { $(Code::$name => $applied,)* } }

            /// Who has to act.
            pub const fn acts(self) -> Acts { match self { $(Code::$name => Acts::$acts,)* } }
        }
    };
}

codes! {
    /// Done.
    Ok = 0, "ok", applied: true, acts: Nobody;
    /// The caller's mistake: a field, a type, a method name.
    InvalidArgument = 1, "invalid_argument", applied: false, acts: Caller;
    /// The PSA refused the credentials.
    Unauthenticated = 2, "unauthenticated", applied: false, acts: Administrator;
    /// Not allowed for these credentials, or by the host's egress policy.
    Forbidden = 3, "forbidden", applied: false, acts: Administrator;
    /// What was named does not exist, or not for this tenant.
    NotFound = 4, "not_found", applied: false, acts: Caller;
    /// It contradicts something that is there.
    Conflict = 5, "conflict", applied: false, acts: Caller;
    /// The PSA's own validation said no.
    Rejected = 6, "rejected", applied: false, acts: Caller;
    /// The PSA asks to slow down; `retry_after_ms` says for how long.
    RateLimited = 7, "rate_limited", applied: false, acts: Host;
    /// Nothing left this machine: safe to repeat.
    NotSent = 8, "not_sent", applied: false, acts: Host;
    /// A write may have been applied: never repeat blindly.
    OutcomeUnknown = 9, "outcome_unknown", applied: true, acts: Host;
    /// The PSA, or the way to it, does not work now.
    Unavailable = 10, "unavailable", applied: false, acts: Host;
    /// The time given for it is over.
    Timeout = 11, "timeout", applied: true, acts: Host;
    /// Somebody asked for its end.
    Cancelled = 12, "cancelled", applied: true, acts: Caller;
    /// This plugin or platform cannot do it.
    Unsupported = 13, "unsupported", applied: false, acts: Caller;
    /// The write was recorded instead of sent.
    Rehearsed = 14, "rehearsed", applied: false, acts: Nobody;
    /// Stored credentials cannot be decrypted.
    Unreadable = 15, "unreadable", applied: false, acts: Administrator;
    /// A defect of the host or of a plugin.
    Internal = 16, "internal", applied: true, acts: Host;
    /// The handle is closed, or was opened before a fork.
    Closed = 17, "closed", applied: false, acts: Caller;
    /// Disk full, damaged, read-only, or migrated by a newer library.
    Storage = 18, "storage", applied: false, acts: Administrator;
    /// Over a documented limit.
    TooLarge = 19, "too_large", applied: false, acts: Caller;
}

/// What a provider's refusal is about. A plugin that does not say means the connection, because a wrong
/// `operation` would end a write for good and a wrong `connection` only delays it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpeaksOf {
    /// This one operation: the next one may well succeed.
    Operation,
    /// The connection: site, keys, rights, network.
    #[default]
    Connection,
}

/// One field that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// JSON pointer into the request, or the provider's own name of the field.
    pub at: String,
    /// Stable machine word, `max_length`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// What the provider said, as far as it helps its support.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProviderAnswer {
    /// HTTP status.
    pub status: Option<u16>,
    /// The provider's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The id under which the provider's support finds the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// An error as it crosses a boundary. Its text never holds a secret or a note's body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{}: {message}", .code.name())]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// Refines the code, stable too: `too_late`, `egress_host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was wrong, where, and what to do.
    #[serde(default)]
    pub message: String,
    /// The fields that were wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// What the provider answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderAnswer>,
    /// When to try again, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What the refusal is about; only plugins say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks_of: Option<SpeaksOf>,
    /// More, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl Error {
    /// An error of a code, with a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            reason: None,
            message: message.into(),
            fields: Vec::new(),
            provider: None,
            retry_after_ms: None,
            speaks_of: None,
            details: None,
        }
    }

    /// The caller's mistake.
    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(Code::InvalidArgument, message)
    }

    /// A defect of ours or of a plugin.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(Code::Internal, message)
    }

    /// The same, refined by a stable reason.
    pub fn because(mut self, reason: impl Into<String>) -> Error {
        self.reason = Some(reason.into());
        self
    }

    /// The same, naming a field.
    pub fn field(mut self, at: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Error {
        self.fields.push(FieldError { at: at.into(), code: code.into(), message: message.into() });
        self
    }

    /// The same, saying what it is about.
    pub fn of(mut self, about: SpeaksOf) -> Error {
        self.speaks_of = Some(about);
        self
    }

    /// The JSON object of this error.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_else(|_| r#"{"code":"internal","message":"the error could not be written"}"#.into())
    }

    /// Reads what a plugin passed to `complete` with an error code: error JSON, or plain text that becomes the message.
    ///
    /// `code` is the number that was passed; it outranks the one in the JSON, so that the two can never disagree.
    pub fn from_body(code: Code, body: &[u8]) -> Error {
        let text = String::from_utf8_lossy(body);
        if text.trim_start().starts_with('{') {
            // A plugin may leave out the code; the number is there.
            if let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(&text) {
                fields.insert("code".into(), Value::String(code.name().into()));
                if let Ok(error) = serde_json::from_value::<Error>(Value::Object(fields)) {
                    return error;
                }
            }
            return Error::new(code, "the plugin's error text is not the error JSON of the contract");
        }
        Error::new(code, text.trim().chars().take(2_000).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_go_both_ways_and_unknown_numbers_are_internal() {
        for (position, code) in Code::ALL.iter().enumerate() {
            assert_eq!(*code as i32, position as i32);
            assert_eq!(Code::from_number(position as i32), *code);
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        assert_eq!(Code::from_number(-1), Code::Internal);
        assert_eq!(Code::from_number(4711), Code::Internal);
    }

    #[test]
    fn the_number_outranks_the_code_in_the_body_and_text_becomes_the_message() {
        let error = Error::from_body(Code::Rejected, br#"{"code":"ok","message":"no","speaks_of":"operation"}"#);
        assert_eq!((error.code, error.message.as_str()), (Code::Rejected, "no"));
        assert_eq!(error.speaks_of, Some(SpeaksOf::Operation));
        assert_eq!(Error::from_body(Code::Timeout, b" too slow ").message, "too slow");
        assert_eq!(Error::from_body(Code::Internal, b"\xff{").code, Code::Internal);
    }
}
