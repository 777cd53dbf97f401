//! What there is in the activity: each action, what of its detail is shown, how good it is, what it is about.
//!
//! Promises: a field that is not listed here is not shown anywhere; an action that is not listed shows none.

use crate::web::view::Tone;

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Neither: it was changed here.
    Here,
    /// To the PSA.
    Sent,
    /// From the PSA.
    Received,
}

/// An action.
pub(super) struct Act {
    pub(super) action: &'static str,
    pub(super) class: Class,
    pub(super) tone: Tone,
    /// What kind of thing it is about: the key of a word.
    pub(super) what: &'static str,
    /// A page: `operation`, `link` and `ticket` by the subject, or a path below the connection; empty: none.
    pub(super) to: &'static str,
    /// What of its detail is shown.
    pub(super) fields: &'static [&'static str],
}

/// The one of a name.
pub(super) fn act(action: &str) -> &'static Act {
    ACTS.iter().find(|known| known.action == action).unwrap_or(&OTHER)
}

/// One that is not known here.
const OTHER: Act = Act { action: "", class: Class::Here, tone: Tone::Idle, what: "other", to: "", fields: &[] };

macro_rules! acts {
    ($($action:literal $class:ident $tone:ident $what:literal $to:literal [$($field:literal)*];)*) => {
        /// All of them.
        const ACTS: &[Act] = &[$(Act {
            action: $action,
            class: Class::$class,
            tone: Tone::$tone,
            what: $what,
            to: $to,
            fields: &[$($field),*],
        },)*];
    };
}

acts! {
    "connection.created" Here Idle "connection" "" ["plugin" "name"];
    "connection.updated" Here Idle "settings" "/settings"
        ["settings_changed" "settings" "secrets_entered" "secrets_cleared" "secrets_wanted" "fingerprints"];
    "connection.migrated" Here Idle "settings" "/settings" ["from" "to" "plugin" "secrets_moved" "secrets_wanted"];
    "connection.credentials" Here Idle "settings" "/settings" ["secrets" "tested"];
    "connection.active" Here Ok "connection" "" [];
    "connection.stopped" Here Bad "connection" "" ["reason" "detail"];
    "connection.resumed" Here Idle "connection" "" [];
    "connection.disconnected" Here Idle "connection" "" [];
    "connection.deleted" Here Idle "connection" "" ["dependents"];
    "members.broken" Here Warn "mapping" "/map/members" ["agents"];
    "members.mapped" Here Idle "mapping" "/map/members" ["agents"];
    "members.unmapped" Here Idle "mapping" "/map/members" ["agent"];
    "statuses.unmapped" Here Idle "mapping" "/map/statuses" ["scope" "values"];
    "priorities.unmapped" Here Idle "mapping" "/map/priorities" ["values"];
    "members.ignored" Here Idle "mapping" "/map/members" ["agent"];
    "statuses.mapped" Here Idle "mapping" "/map/statuses" ["scope" "values"];
    "priorities.mapped" Here Idle "mapping" "/map/priorities" ["values"];
    "link.created" Here Idle "link" "link" ["link" "product_ticket" "ticket"];
    "link.removed" Here Idle "link" "link" ["link" "product_ticket" "ticket"];
    "attachment.sent" Sent Ok "sent" "ticket" ["ticket" "title" "file_name" "public"];
    "operation.retried" Sent Idle "decision" "operation" ["operation" "link" "from" "reason"];
    "operation.adopted" Sent Idle "decision" "operation" ["operation" "link" "from" "reason"];
    "operation.discarded" Sent Idle "decision" "operation" ["operation" "link" "from" "reason"];
    "note.duplicated" Sent Bad "sent" "operation" ["operation" "link" "remote" "copies"];
    "ticket.duplicated" Sent Bad "sent" "operation" ["operation" "link" "remote" "copies"];
    "time.duplicated" Sent Bad "sent" "operation" ["operation" "link" "remote" "copies"];
    "subscription.registered" Received Ok "callbacks" "/callbacks" ["kind" "level" "object" "state"];
    "subscription.replaced" Received Idle "callbacks" "/callbacks" ["kind" "level" "object" "state"];
    "subscription.removed" Received Idle "callbacks" "/callbacks" ["kind" "level" "object" "state"];
    "subscription.heal" Received Idle "callbacks" "/callbacks" ["kind" "level" "object" "state"];
    "subscription.revived" Received Warn "callbacks" "/callbacks" ["kind" "level" "object" "state" "disabled_by"];
    "subscription.flapping" Received Bad "callbacks" "/callbacks" ["kind" "level" "object" "state" "disabled_by"];
    "page.refused" Here Warn "refused" "" ["attempt" "reason"];
    "tenant.erased" Here Idle "connection" "" [];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::words;

    fn is_action(word: &str) -> bool {
        word.split_once('.').is_some_and(|(of, what)| {
            !of.is_empty() && of.chars().chain(what.chars()).all(|c| c.is_ascii_lowercase() || c == '_')
        })
    }

    /// What is written anywhere is listed here, and is said in a sentence.
    #[test]
    fn every_action_that_is_written_is_known() {
        let mut source = Vec::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    source.push(std::fs::read_to_string(path).unwrap());
                }
            }
        }
        let mut written: Vec<String> = Vec::new();
        for text in &source {
            for call in ["scribe.both(", "scribe.entry(", "self.put(row, ", "self.record(row, ", "self.decision(&row, "]
            {
                for rest in text.split(call).skip(1) {
                    let named = rest.split(';').next().unwrap().split('"').nth(1).filter(|word| is_action(word));
                    written.extend(named.map(str::to_owned));
                }
            }
        }
        written.extend(["note.duplicated", "ticket.duplicated", "time.duplicated"].map(str::to_owned));
        assert!(written.len() > 20, "{written:?}");
        for action in written {
            assert_eq!(act(&action).action, action, "it is not listed");
            assert!(words::is_said(&format!("activity.{action}")), "{action} has no sentence");
        }
    }
}
