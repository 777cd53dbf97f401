//! Which callbacks there are.
//!
//! Holds: every type and level, as data. Source: the vendor's page on callbacks (2026-02) and facts 11.1; since when,
//! facts 11.9.
//! Promises: a pair that is not in the table is refused, and the refusal names those that are.

use psa_host_api::Error;
use psa_host_api::model::{SubscriptionKind, SubscriptionLevel};

/// The level that is everything of a type, whatever its name suggests.
pub(super) const OWNER: &str = "owner";

/// The id that goes with it, whoever the owner is.
pub(super) const OBJECT_OF_OWNER: &str = "1";

/// The level that is the tickets of one board.
pub(super) const BOARD: &str = "board";

/// A type. Names are written as ConnectWise stores them, in lower case.
struct Kind {
    kind: &'static str,
    since: Option<&'static str>,
    /// What it tells of, in the plural.
    all: &'static str,
    /// Without `owner`, which every type has.
    levels: &'static [Level],
}

struct Level {
    level: &'static str,
    about: &'static str,
    /// Whose id goes with it.
    takes: &'static str,
}

const fn level(level: &'static str, about: &'static str, takes: &'static str) -> Level {
    Level { level, about, takes }
}

const KINDS: &[Kind] = &[
    Kind {
        kind: "activity",
        since: Some("2016.6"),
        all: "activities",
        levels: &[
            level("status", "activities in the status", "status"),
            level("type", "activities of the type", "type"),
            level("company", "activities of the company", "company"),
            level("activity", "the activity alone", "activity"),
        ],
    },
    Kind {
        kind: "agreement",
        since: None,
        all: "agreements",
        levels: &[
            level("type", "agreements of the type", "type"),
            level("company", "agreements of the company", "company"),
            level("agreement", "the agreement alone", "agreement"),
        ],
    },
    Kind {
        kind: "company",
        since: Some("2016.3"),
        all: "companies",
        levels: &[
            level("status", "companies in the status (since 2016.5)", "status"),
            level("type", "companies of the type (since 2016.5)", "type"),
            level("territory", "companies in the territory", "territory"),
            level("company", "the company alone, in whatever territory", "company"),
            level("integratortag", "companies that carry the tag", "integrator tag"),
        ],
    },
    Kind {
        kind: "contact",
        since: Some("2016.3"),
        all: "contacts",
        levels: &[
            level("type", "contacts of the type (since 2016.5)", "type"),
            level("territory", "contacts in the territory", "territory"),
            level("company", "contacts of the company", "company"),
            level("contact", "the contact alone", "contact"),
        ],
    },
    Kind {
        kind: "configuration",
        since: Some("2020.2"),
        all: "configurations",
        levels: &[
            level("type", "configurations of the type", "type"),
            level("status", "configurations in the status", "status"),
            level("configuration", "the configuration alone", "configuration"),
        ],
    },
    Kind {
        kind: "invoice",
        since: Some("2016.6"),
        all: "invoices",
        levels: &[
            level("status", "invoices in the status", "status"),
            level("company", "invoices of the company", "company"),
            level("invoice", "the invoice alone", "invoice"),
        ],
    },
    Kind {
        kind: "expense",
        since: None,
        all: "expenses",
        levels: &[
            level("chargetotype", "expenses charged to the kind of record", "charge-to type"),
            level("type", "expenses of the type", "type"),
            level("class", "expenses of the class", "class"),
            level("company", "expenses of the company", "company"),
            level("expense", "the expense alone", "expense"),
        ],
    },
    Kind {
        kind: "member",
        since: None,
        all: "members",
        levels: &[
            level("location", "members of the location", "location"),
            level("securityrole", "members with the security role", "security role"),
            level("member", "the member alone", "member"),
        ],
    },
    Kind {
        kind: "opportunity",
        since: Some("2016.4"),
        all: "opportunities",
        levels: &[
            level("statusid", "opportunities in the status", "status"),
            level("company", "opportunities of the company", "company"),
            level("opportunity", "the opportunity alone", "opportunity"),
        ],
    },
    Kind { kind: "productcatalog", since: None, all: "items of the product catalogue", levels: &[] },
    Kind {
        kind: "project",
        since: Some("2016.6"),
        all: "projects",
        levels: &[
            level("status", "projects in the status", "status"),
            level("board", "projects on the board", "board"),
            level("project", "the project alone", "project"),
        ],
    },
    Kind {
        kind: "purchaseorder",
        since: None,
        all: "purchase orders",
        levels: &[
            level("status", "purchase orders in the status", "status"),
            level("vendor", "purchase orders to the vendor", "vendor"),
            level("company", "purchase orders for the company", "company"),
            level("purchaseorder", "the purchase order alone", "purchase order"),
        ],
    },
    Kind {
        kind: "schedule",
        since: None,
        all: "schedule entries",
        levels: &[
            level("status", "schedule entries in the status", "status"),
            level("type", "schedule entries of the type", "type"),
            level("location", "schedule entries of the location", "location"),
            level("member", "schedule entries of the member", "member"),
            level("schedule", "the schedule entry alone", "schedule entry"),
        ],
    },
    Kind {
        kind: "site",
        since: None,
        all: "sites",
        levels: &[
            level("territory", "sites in the territory", "territory"),
            level("company", "sites of the company", "company"),
            level("site", "the site alone", "site"),
        ],
    },
    Kind {
        kind: "ticket",
        since: Some("2015.6"),
        all: "tickets",
        levels: &[
            level("board", "tickets on the board", "board"),
            level("project", "tickets of the project (since 2016.5)", "project"),
            level("phase", "tickets of the project phase (since 2016.5)", "project phase"),
            level("status", "tickets in the status", "status"),
            level("ticket", "the ticket alone", "ticket"),
            level("integratortag", "tickets that carry the tag", "integrator tag"),
        ],
    },
    Kind {
        kind: "time",
        since: None,
        all: "time entries",
        levels: &[
            level("company", "time entries of the company", "company"),
            level("time", "the time entry alone", "time entry"),
        ],
    },
];

/// The whole table, for people who choose.
pub(super) fn whole() -> Vec<SubscriptionKind> {
    KINDS.iter().map(Kind::shown).collect()
}

impl Kind {
    fn shown(&self) -> SubscriptionKind {
        let owner = SubscriptionLevel {
            level: OWNER.to_owned(),
            about: format!("all {}", self.all),
            takes: None,
            object: Some(OBJECT_OF_OWNER.to_owned()),
        };
        let others = self.levels.iter().map(|level| SubscriptionLevel {
            level: level.level.to_owned(),
            about: level.about.to_owned(),
            takes: Some(level.takes.to_owned()),
            object: None,
        });
        let levels = std::iter::once(owner).chain(others).collect();
        SubscriptionKind { kind: self.kind.to_owned(), since: self.since.map(str::to_owned), levels }
    }

    fn level_names(&self) -> Vec<&'static str> {
        std::iter::once(OWNER).chain(self.levels.iter().map(|level| level.level)).collect()
    }
}

/// A pair as ConnectWise stores it, whatever its case. Source: facts 11.1, "compare without case".
pub(super) fn pair(kind: &str, level: &str) -> Result<(&'static str, &'static str), Error> {
    let Some(row) = KINDS.iter().find(|row| row.kind.eq_ignore_ascii_case(kind)) else {
        let known = KINDS.iter().map(|row| row.kind).collect::<Vec<_>>().join(", ");
        let message = format!("ConnectWise has no callbacks of type {}; there are: {known}", shortened(kind));
        return Err(Error::invalid(message.clone()).field("/subscription/kind", "option", message));
    };
    let levels = row.level_names();
    let Some(level) = levels.iter().find(|name| name.eq_ignore_ascii_case(level)) else {
        let known = levels.join(", ");
        let message = format!("callbacks of type {} have no level {}; there are: {known}", row.kind, shortened(level));
        return Err(Error::invalid(message.clone()).field("/subscription/level", "option", message));
    };
    Ok((row.kind, level))
}

/// What a caller said, as far as it fits into a sentence.
fn shortened(text: &str) -> String {
    format!("\"{}\"", text.chars().filter(|c| !c.is_control()).take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted on the vendor's page, `owner` among them.
    const LEVELS: [(&str, usize); 16] = [
        ("activity", 5),
        ("agreement", 4),
        ("company", 6),
        ("contact", 5),
        ("configuration", 4),
        ("invoice", 4),
        ("expense", 6),
        ("member", 4),
        ("opportunity", 4),
        ("productcatalog", 1),
        ("project", 4),
        ("purchaseorder", 5),
        ("schedule", 6),
        ("site", 4),
        ("ticket", 7),
        ("time", 3),
    ];

    #[test]
    fn the_table_is_whole_and_every_level_says_which_id_it_takes() {
        let whole = whole();
        let counted: Vec<_> = whole.iter().map(|kind| (kind.kind.as_str(), kind.levels.len())).collect();
        assert_eq!(counted, LEVELS);
        for level in whole.iter().flat_map(|kind| &kind.levels) {
            let owner = level.level == OWNER;
            assert_eq!((level.takes.is_none(), level.object.as_deref() == Some("1")), (owner, owner), "{level:?}");
        }
        let since = |kind: &str| whole.iter().find(|found| found.kind == kind).unwrap().since.clone();
        assert_eq!((since("ticket").as_deref(), since("time")), (Some("2015.6"), None));
    }

    #[test]
    fn an_impossible_pair_is_refused_with_those_that_are() {
        assert_eq!(pair("Ticket", "Owner").unwrap(), ("ticket", "owner"));
        assert_eq!(pair("PURCHASEORDER", "vendor").unwrap(), ("purchaseorder", "vendor"));
        let error = pair("Time", "Board").unwrap_err();
        assert_eq!(error.fields[0].at, "/subscription/level");
        assert!(error.message.contains("owner, company, time") && !error.message.contains("board,"), "{error}");
        let error = pair("note", "owner").unwrap_err();
        assert!(error.fields[0].at == "/subscription/kind" && error.message.contains("ticket, time"), "{error}");
        assert!(pair("ticket", "").is_err() && pair("", "owner").is_err());
    }
}
