//! The names a resource knows in conditions and orders, and their types.
//!
//! Holds: [`Names`] and the check of one comparison.
//! Promises: a name that only *looks* right is refused, as it is by a server.
//! Leaves to others: which path serves which resource, and the names themselves (`tables`).

use std::collections::HashMap;
use std::sync::OnceLock;

use super::ConditionError;
use super::filter::{Operation, Test};
use super::lex::Literal;
use super::path::Path;
use super::record_tables::*;
use super::tables::*;

/// The type of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Whole or with a fraction.
    Number,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A moment.
    Date,
    /// One of these texts, in any case.
    Enum(Vec<String>),
    /// A whole reference: it can only be compared with null.
    Reference,
}

/// The names of one resource.
#[derive(Debug)]
pub struct Names {
    /// By path in lower case.
    known: HashMap<String, Kind>,
    /// Arrays, in lower case: for `childConditions`.
    arrays: Vec<String>,
    /// Members of an answer that cannot be used in conditions, in lower case.
    only_returned: Vec<String>,
    /// Members that conditions know and answers do not have at that place, in lower case.
    only_asked: Vec<String>,
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident = $($table:expr),+;)*) => {
        impl Names { $($(#[$doc])* pub fn $name() -> &'static Names {
            static NAMES: OnceLock<Names> = OnceLock::new();
            NAMES.get_or_init(|| Names::of(&[COMMON, $($table),+]))
        })* }
    };
}

resources! {
    /// `/service/tickets`.
    tickets = TICKET, SERVICE_TICKET;
    /// `/project/tickets`.
    project_tickets = TICKET, PROJECT_TICKET;
    /// `/service/tickets/{id}/notes`; `noteType` is refused. Source: facts 7.1.
    notes = NOTE, SERVICE_NOTE;
    /// `/project/tickets/{id}/notes`.
    project_notes = NOTE;
    /// `/service/boards`.
    boards = BOARD;
    /// `/service/boards/{id}/statuses`.
    statuses = STATUS;
    /// `/service/boards/{id}/types`.
    types = TYPE;
    /// `/service/priorities`.
    priorities = PRIORITY;
    /// `/system/members`.
    members = MEMBER;
    /// `/company/companies`.
    companies = COMPANY;
    /// `/company/contacts`; `types/name` is refused. Source: facts 9.
    contacts = CONTACT;
    /// `/service/tickets/{id}/allNotes`.
    all_notes = ALL_NOTE, SERVICE_ALL_NOTE;
    /// `/project/tickets/{id}/allNotes`.
    project_all_notes = ALL_NOTE;
    /// `/time/entries`.
    time_entries = TIME_ENTRY;
    /// `/system/documents`.
    documents = DOCUMENT;
    /// `/system/audittrail`.
    audit_trail = AUDIT_TRAIL;
    /// `/company/companies/{id}/sites`.
    sites = SITE;
    /// `/company/configurations`.
    configurations = CONFIGURATION;
    /// `/service/tickets/{id}/configurations`.
    linked_configurations = LINKED_CONFIGURATION;
    /// Lists of references.
    references = REFERENCE;
    /// `/service/boards/{id}/subtypes`.
    sub_types = SUB_TYPE;
    /// `/service/boards/{id}/items`.
    items = ITEM;
    /// `/service/boards/{id}/teams`.
    teams = TEAM;
    /// `/service/boards/{id}/typeSubTypeItemAssociations`.
    associations = ASSOCIATION;
    /// `/service/sources`.
    sources = SOURCE;
    /// `/system/userDefinedFields`.
    custom_fields = CUSTOM_FIELD;
    /// `/time/workTypes`.
    work_types = WORK_TYPE;
    /// `/time/workRoles`.
    work_roles = WORK_ROLE;
    /// `/company/contacts/{id}/communications`.
    communications = COMMUNICATION;
    /// `/system/callbacks`.
    callbacks = CALLBACK;
}

impl Names {
    /// Reads tables: a line is a kind and its names. `named` and `identified` stand for a reference with its `id` and `name`, and
    /// `identifier`. A line that cannot be read defines nothing, which the tests would notice.
    pub fn of(tables: &[&str]) -> Names {
        let mut names = Names { known: HashMap::new(), arrays: vec![], only_returned: vec![], only_asked: vec![] };
        for line in tables.iter().flat_map(|table| table.lines()) {
            if let Some((kind, members)) = line.split_once(':') {
                members.split_whitespace().for_each(|member| names.define(kind.trim(), &member.to_lowercase()));
            }
        }
        names
    }

    fn define(&mut self, kind: &str, member: &str) {
        let (first, values) = kind.split_once(' ').unwrap_or((kind, ""));
        let kind = match first {
            "number" => Kind::Number,
            "text" => Kind::Text,
            "boolean" => Kind::Boolean,
            "date" => Kind::Date,
            "enum" => Kind::Enum(values.split_whitespace().map(str::to_owned).collect()),
            "named" | "identified" | "reference" => Kind::Reference,
            "only_asked" => {
                self.only_asked.push(member.split('/').next().unwrap_or(member).to_owned());
                return self.define(values, member);
            }
            "array" => return self.arrays.push(member.to_owned()),
            _ => return self.only_returned.push(member.to_owned()),
        };
        if matches!(first, "named" | "identified") {
            self.known.insert(format!("{member}/id"), Kind::Number);
            self.known.insert(format!("{member}/name"), Kind::Text);
        }
        if first == "identified" {
            self.known.insert(format!("{member}/identifier"), Kind::Text);
        }
        self.known.insert(member.to_owned(), kind);
    }

    /// The type of a path; an error if the resource does not have it.
    pub(super) fn known(&self, path: &Path) -> Result<&Kind, ConditionError> {
        self.known.get(&path.written().to_lowercase()).ok_or_else(|| ConditionError::unknown_name(path.written()))
    }

    /// True if `childConditions` can look into it.
    pub(super) fn has_array(&self, member: &str) -> bool {
        self.arrays.iter().any(|known| *known == member.to_lowercase())
    }

    /// True if answers have this member, so that `fields` may name it.
    pub fn returns(&self, member: &str) -> bool {
        let member = member.to_lowercase();
        if self.only_asked.contains(&member) {
            return false;
        }
        self.known.contains_key(&member) || self.only_returned.contains(&member) || self.arrays.contains(&member)
    }

    /// Checks the name, then each literal of a comparison.
    pub(super) fn check(&self, test: &Test) -> Result<(), ConditionError> {
        let kind = self.known(&test.path)?;
        match &test.operation {
            Operation::Compare(_, literal) => kind.check(literal),
            Operation::In(literals) => literals.iter().try_for_each(|literal| kind.check(literal)),
            Operation::Fits(_, text) => kind.check_text(text.trim_matches(['*', '%'])),
        }
    }
}

impl Kind {
    /// The server's word; `boolean` and `numeric` are known, the others (assumed).
    fn word(&self) -> &'static str {
        match self {
            Kind::Number => "numeric",
            Kind::Text | Kind::Enum(_) => "string",
            Kind::Boolean => "boolean",
            Kind::Date => "datetime",
            Kind::Reference => "null",
        }
    }

    fn check(&self, literal: &Literal) -> Result<(), ConditionError> {
        match (self, literal) {
            (_, Literal::Null)
            | (Kind::Number, Literal::Number(_))
            | (Kind::Boolean, Literal::Boolean(_))
            | (Kind::Date, Literal::Date(_)) => Ok(()),
            (_, Literal::Text(text)) => self.check_text(text),
            (kind, literal) => Err(ConditionError::bad_literal(kind.word(), literal.word())),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), ConditionError> {
        match self {
            Kind::Text => Ok(()),
            Kind::Enum(values) if values.iter().any(|value| value.eq_ignore_ascii_case(text)) => Ok(()),
            Kind::Enum(_) => Err(ConditionError::bad_enum()),
            kind => Err(ConditionError::bad_literal(kind.word(), "string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::*;

    fn refusal(names: &Names, condition: &str) -> Option<String> {
        let error = Filter::parse(condition).and_then(|filter| filter.check(names)).err()?;
        Some(error.message.split(". String").next().unwrap_or_default().to_owned())
    }

    #[test]
    fn conditions_on_tickets_are_checked_as_a_server_does() {
        for (condition, refused) in [
            ("board/id = 1 and status/name != 'Closed' and closedFlag = false", None),
            ("BOARD/ID in (1, 2) and Summary contains 'x'", None),
            ("lastUpdated > [2024-01-01T00:00:00Z] and dateEntered >= [2024-01-01]", None),
            ("owner = null or owner/identifier = \"jdoe\"", None),
            ("configuration/id = 4", None),
            ("configurations/id = 4", Some("configurations/id is not a recognized name.")),
            ("types/name = 'x'", Some("types/name is not a recognized name.")),
            ("customFields = null", Some("customFields is not a recognized name.")),
            ("board.id = 1", Some("board.id is not a recognized name.")),
            ("status/closedStatus = true", Some("status/closedStatus is not a recognized name.")),
            ("bord/id = 1 and alsoWrong = 2", Some("bord/id is not a recognized name.")),
            ("closedFlag = 1", Some("Expected a boolean value, not a numeric")),
            ("closedFlag = 'false'", Some("Expected a boolean value, not a string")),
            ("id = '1'", Some("Expected a numeric value, not a string")),
            ("id in (1, 'x')", Some("Expected a numeric value, not a string")),
            ("summary = 5", Some("Expected a string value, not a numeric")),
            ("lastUpdated > '2024-01-01'", Some("Expected a datetime value, not a string")),
            ("id like '1*'", Some("Expected a numeric value, not a string")),
            ("owner = 5", Some("Expected a null value, not a numeric")),
            ("severity = 'medium'", None),
            ("severity like 'Med*'", Some("Enum value supplied was invalid")),
            ("severity not like 'High'", None),
            ("severity = 'Severe'", Some("Enum value supplied was invalid")),
        ] {
            assert_eq!(refusal(Names::tickets(), condition).as_deref(), refused, "{condition}");
        }
    }

    #[test]
    fn each_resource_has_its_own_names() {
        for (names, condition, accepted) in [
            (Names::notes(), "detailDescriptionFlag=true and dateCreated > [2024-01-01]", true),
            (Names::notes(), "noteType = 'TicketNote'", false),
            (Names::project_notes(), "dateCreated > [2024-01-01]", false),
            (Names::project_tickets(), "phase/id = 1", true),
            (Names::project_tickets(), "severity = 'Low'", false),
            (Names::tickets(), "phase/id = 1", false),
            (Names::boards(), "name = 'Help Desk' and projectFlag = false", true),
            (Names::boards(), "board/name = 'Help Desk'", false),
            (Names::statuses(), "closedStatus = true and inactive = false", true),
            (Names::types(), "inactiveFlag = false", true),
            (Names::priorities(), "level = 'High'", true),
            (Names::companies(), "name contains 'x' or identifier contains 'x' and deletedFlag = false", true),
            (Names::companies(), "types/name = 'Client'", false),
            (Names::contacts(), "firstName contains 'x' and company/identifier = 'Northwind'", true),
            (Names::contacts(), "communicationItems/value = 'x'", false),
            (Names::members(), "identifier = 'jdoe' and inactiveFlag = false and licenseClass = 'F'", true),
        ] {
            assert_eq!(refusal(names, condition).is_none(), accepted, "{condition}");
        }
    }

    #[test]
    fn every_line_of_the_tables_has_a_known_kind() {
        let kinds = [
            "number",
            "text",
            "boolean",
            "date",
            "enum",
            "named",
            "identified",
            "reference",
            "only_asked",
            "array",
            "only_returned",
        ];
        let tables = [
            COMMON,
            TICKET,
            SERVICE_TICKET,
            PROJECT_TICKET,
            NOTE,
            SERVICE_NOTE,
            BOARD,
            STATUS,
            TYPE,
            PRIORITY,
            MEMBER,
            COMPANY,
            CONTACT,
        ];
        for line in tables.iter().flat_map(|table| table.lines()).filter(|line| !line.trim().is_empty()) {
            let kind = line.split([':', ' ']).find(|word| !word.is_empty()).unwrap_or_default();
            assert!(line.contains(':') && kinds.contains(&kind), "{line}");
        }
    }
}
