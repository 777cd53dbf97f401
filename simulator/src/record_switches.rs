//! Switches of notes, time, documents and sign-in.
//!
//! Holds: [`RecordSwitches`].
//! Leaves to others: the switches of lists and connections (`world`).

use serde_json::{Value, json};

/// How the PSA behaves as a whole in these matters.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordSwitches {
    pub(crate) all_notes_missing: bool,
    pub(crate) time_end_required: bool,
    /// Texts of dates compare as the dates do; empty: all periods are open.
    pub(crate) time_closed_before: String,
    pub(crate) filename_unquoted: bool,
    pub(crate) document_bytes_max: u64,
    pub(crate) is_cloud_text: bool,
    pub(crate) client_id_forbidden: bool,
}

/// Name, meaning.
const SWITCHES: [(&str, &str); 7] = [
    ("all_notes_missing", "true: allNotes is not there, as on older servers"),
    ("time_end_required", "true: a time entry needs its end, as many tenants demand"),
    ("time_closed_before", "text: time before this date, such as 2024-02-01, is of closed periods; empty: none is"),
    ("filename_unquoted", "true: downloads name their file without quotes"),
    ("document_bytes_max", "number: larger documents are refused with 413; 0: none is"),
    ("is_cloud_text", "true: company info says IsCloud as the text \"True\""),
    ("client_id_forbidden", "true: a missing or unknown clientId is 403, not 401"),
];

impl RecordSwitches {
    /// For the control door.
    pub(crate) fn list(&self) -> impl Iterator<Item = Value> {
        SWITCHES.iter().map(|(name, about)| json!({"name": name, "value": self.get(name), "about": about}))
    }

    fn get(&self, name: &str) -> Value {
        match name {
            "all_notes_missing" => json!(self.all_notes_missing),
            "time_end_required" => json!(self.time_end_required),
            "time_closed_before" => json!(self.time_closed_before),
            "filename_unquoted" => json!(self.filename_unquoted),
            "document_bytes_max" => json!(self.document_bytes_max),
            "is_cloud_text" => json!(self.is_cloud_text),
            _ => json!(self.client_id_forbidden),
        }
    }

    /// Sets one; an error says what is possible.
    pub(crate) fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let flag = || value.as_bool().ok_or_else(|| format!("{name} must be true or false"));
        match name {
            "all_notes_missing" => self.all_notes_missing = flag()?,
            "time_end_required" => self.time_end_required = flag()?,
            "time_closed_before" => {
                let date = value.as_str().filter(|text| text.is_empty() || text.parse::<jiff::civil::Date>().is_ok());
                self.time_closed_before = date.ok_or("time_closed_before must be a date or empty")?.to_owned();
            }
            "filename_unquoted" => self.filename_unquoted = flag()?,
            "document_bytes_max" => {
                self.document_bytes_max = value.as_u64().ok_or("document_bytes_max must be a whole number")?;
            }
            "is_cloud_text" => self.is_cloud_text = flag()?,
            "client_id_forbidden" => self.client_id_forbidden = flag()?,
            _ => return Err(format!("there is no switch \"{name}\"; GET /_sim/switches lists them")),
        }
        Ok(())
    }
}
