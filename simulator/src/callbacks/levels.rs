//! Which types and levels of callbacks there are, and which records a level means. Source: facts 11.1.
//!
//! Promises: words are compared without regard to case; what the table does not have is refused.
//! Leaves to others: the words of the refusal (`connectwise::callbacks`).

use serde_json::Value;

/// Type, its levels.
const LEVELS: [(&str, &[&str]); 16] = [
    ("activity", &["owner", "status", "type", "company", "activity"]),
    ("agreement", &["owner", "type", "company", "agreement"]),
    ("company", &["owner", "status", "type", "territory", "company", "integratortag"]),
    ("contact", &["owner", "type", "territory", "company", "contact"]),
    ("configuration", &["owner", "type", "status", "configuration"]),
    ("invoice", &["owner", "status", "company", "invoice"]),
    ("expense", &["owner", "chargetotype", "type", "class", "company", "expense"]),
    ("member", &["owner", "location", "securityrole", "member"]),
    ("opportunity", &["owner", "statusid", "company", "opportunity"]),
    ("productcatalog", &["owner"]),
    ("project", &["owner", "status", "board", "project"]),
    ("purchaseorder", &["owner", "status", "vendor", "company", "purchaseorder"]),
    ("schedule", &["owner", "status", "type", "location", "member", "schedule"]),
    ("site", &["owner", "territory", "company", "site"]),
    ("ticket", &["owner", "board", "project", "phase", "status", "ticket", "integratortag"]),
    ("time", &["owner", "company", "time"]),
];

/// Whether a type has this level, in any case.
pub(crate) fn exists(kind: &str, level: &str) -> bool {
    let row = LEVELS.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
    row.is_some_and(|(_, levels)| levels.iter().any(|known| known.eq_ignore_ascii_case(level)))
}

/// Whether an entry of this type and level (in lower case) is about the record, as the record is after the change: of
/// a ticket that was moved off a board nothing more is heard at level `board`, which a client must not rely on either way.
pub(crate) fn means(kind: &str, level: &str, object: u64, record: &Value) -> bool {
    let is = |reference: &Value| reference["id"] == object;
    match level {
        "owner" => true,
        _ if level == kind => is(record),
        "statusid" => is(&record["status"]),
        "location" => is(&record["defaultLocation"]),
        "securityrole" => is(&record["securityRole"]),
        "type" => is(&record["type"]) || record["types"].as_array().is_some_and(|types| types.iter().any(is)),
        // A tag is a text in a record, and how an entry names one is not known: such an entry never fires.
        "integratortag" => false,
        level => is(&record[level]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_pairs_of_the_table_exist_in_any_case() {
        for (kind, level) in [("Ticket", "Board"), ("TICKET", "owner"), ("PurchaseOrder", "Vendor"), ("time", "Time")] {
            assert!(exists(kind, level), "{kind} {level}");
        }
        for (kind, level) in
            [("ticket", "company"), ("note", "owner"), ("ticket", ""), ("", "owner"), ("time", "board")]
        {
            assert!(!exists(kind, level), "{kind} {level}");
        }
        assert_eq!(LEVELS.iter().map(|(_, levels)| levels.len()).sum::<usize>(), 72);
    }

    #[test]
    fn a_level_looks_at_its_own_member_of_the_record() {
        let ticket =
            json!({"id": 7, "board": {"id": 1}, "status": {"id": 2}, "project": {"id": 3}, "phase": {"id": 4}});
        for (level, object) in [("owner", 1), ("ticket", 7), ("board", 1), ("status", 2), ("project", 3), ("phase", 4)]
        {
            assert!(means("ticket", level, object, &ticket), "{level}");
            assert!(level == "owner" || !means("ticket", level, 9, &ticket), "{level}");
        }
        assert!(!means("ticket", "integratortag", 7, &ticket));
        let company = json!({"id": 2, "types": [{"id": 8}, {"id": 9}], "status": {"id": 1}});
        assert!(means("company", "type", 9, &company) && means("company", "company", 2, &company));
        assert!(!means("company", "type", 2, &company) && !means("company", "territory", 1, &company));
        let member = json!({"id": 178, "securityRole": {"id": 63}, "defaultLocation": {"id": 2}});
        assert!(means("member", "securityrole", 63, &member) && means("member", "location", 2, &member));
    }
}
