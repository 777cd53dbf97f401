//! Mails that a PSA would have sent. None is sent: they are counted.
//!
//! Promises: what a client can prevent is counted when it does not: notifications are on unless switched off.
//! Source: facts 6, 7.2 and 10.1.

use super::state::State;
use serde_json::{Value, json};

/// The flag of a ticket, and whom it mails.
const AUTOMATIC: [(&str, &str); 3] = [
    ("automaticEmailContactFlag", "contact"),
    ("automaticEmailResourceFlag", "resource"),
    ("automaticEmailCcFlag", "cc"),
];

/// The flag of a time entry, and whom it mails.
const ACTIONS: [(&str, &str); 3] =
    [("emailContactFlag", "contact"), ("emailResourceFlag", "resource"), ("emailCcFlag", "cc")];

impl State {
    /// A save of a ticket or a note. `processNotifications` defaults to true: documented for tickets, assumed for notes.
    /// Staff hear of everything, the others only of what they may see.
    pub(super) fn mail_of_save(&mut self, ticket: u64, cause: &str, body: &Value, is_public: bool) {
        if body.get("processNotifications") == Some(&json!(false)) {
            return;
        }
        let Some(row) = self.tickets.get(&ticket) else { return };
        let mailed =
            AUTOMATIC.iter().filter(|(flag, to)| row.record[*flag] == true && (is_public || *to == "resource"));
        self.records.mails.extend(mailed.map(|(_, to)| json!({"ticket": ticket, "cause": cause, "to": to})));
    }

    /// A time entry: its flags are actions.
    pub(super) fn mail_of_time(&mut self, entry: &Value) {
        let mailed = ACTIONS.iter().filter(|(flag, _)| entry[*flag] == true);
        let mails = mailed.map(|(_, to)| json!({"ticket": entry["chargeToId"], "cause": "time", "to": to}));
        self.records.mails.extend(mails);
    }

    /// For the control door.
    pub(crate) fn all_mails(&self) -> Value {
        json!({"count": self.records.mails.len(), "items": self.records.mails})
    }
}

/// Whether customers see a note with these flags. Source: facts 7.2.
pub(super) fn is_public(note: &Value) -> bool {
    ["detailDescriptionFlag", "resolutionFlag"].iter().any(|flag| note[*flag] == true)
}
