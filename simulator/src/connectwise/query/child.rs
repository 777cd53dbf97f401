//! `childConditions` and `customFieldConditions`.
//!
//! Holds: what differs from `conditions`: which names are known, and which element has to pass.
//! Promises: the caption and the value of a custom field are tested on the same field.
//! Leaves to others: parsing (`filter`), comparing (`evaluate`).

use serde_json::Value;

use super::filter::{Expression, Test};
use super::path::member;
use super::{ConditionError, Names};

/// A child condition names a member of an array of the record. Source: facts 3.4.
pub(super) fn check(test: &Test, names: &Names) -> Result<(), ConditionError> {
    match test.path.parts() {
        [array, _, ..] if names.has_array(array) => Ok(()),
        _ => Err(ConditionError::unknown_name(test.path.written())),
    }
}

/// Only these two names are shown by the vendor. Source: facts 3.4.
pub(super) fn check_custom_field(test: &Test) -> Result<(), ConditionError> {
    match test.path.parts() {
        [name] if ["caption", "value"].iter().any(|known| name.eq_ignore_ascii_case(known)) => Ok(()),
        _ => Err(ConditionError::unknown_name(test.path.written())),
    }
}

/// True if one custom field of the record passes the whole expression: a caption without its own value would say nothing.
pub(super) fn any_custom_field(record: &Value, expression: &Expression) -> bool {
    let fields = member(record, "customFields").and_then(Value::as_array);
    fields.is_some_and(|fields| fields.iter().any(|field| expression.holds(field)))
}

#[cfg(test)]
mod tests {
    use super::super::Filter;
    use super::*;
    use serde_json::json;

    fn contact() -> Value {
        json!({"id": 1, "types": [{"id": 4, "name": "Client"}, {"id": 6, "name": "Vendor"}], "emptied": [],
            "communicationItems": [{"value": "A@example.com", "communicationType": "Email"}, {"value": "555", "communicationType": "Phone"}],
            "customFields": [{"id": 1, "caption": "Region", "value": "West"}, {"id": 2, "caption": "Floor", "value": 3},
                             {"id": 3, "caption": "Parking", "value": null}]})
    }

    #[test]
    fn child_conditions_look_into_arrays() {
        for (condition, passes) in [
            ("types/id=4", true),
            ("types/id=5", false),
            ("types/name = \"client\"", true),
            (
                "communicationItems/value like \"a@example.com\" AND communicationItems/communicationType=\"Email\"",
                true,
            ),
            ("communicationItems/value = '555' and communicationItems/communicationType = 'Email'", true), // by two elements
            ("communicationItems/value like \"b*\" or types/id=6", true),
            ("communicationItems/value not like 'a*'", true), // the phone
            ("types/id != 4", true),
            ("emptied/id = null", true),
            ("", true),
        ] {
            let filter = Filter::parse_child(condition).unwrap();
            assert_eq!(filter.matches(&contact()), passes, "{condition}");
        }
    }

    #[test]
    fn custom_fields_are_tested_one_by_one() {
        for (condition, passes) in [
            ("caption=\"Region\" AND value=\"West\"", true),
            ("caption=\"Region\" AND value=\"East\"", false),
            ("caption=\"Region\" AND value=3", false),
            ("Caption='floor' and Value >= 3", true),
            ("caption='Parking' and value = null", true),
            ("caption='Region' and value contains 'es'", true),
            ("", true),
        ] {
            let filter = Filter::parse_custom_field(condition).unwrap();
            assert_eq!(filter.matches(&contact()), passes, "{condition}");
            filter.check(Names::tickets()).unwrap();
        }
        assert!(!Filter::parse_custom_field("caption='Region'").unwrap().matches(&json!({"id": 1})));
    }

    #[test]
    fn neither_has_the_operator_in() {
        assert!(Filter::parse_child("types/id in (4)").is_err());
        assert!(Filter::parse_custom_field("value not in ('a')").is_err());
    }

    #[test]
    fn names_are_those_of_arrays_and_of_custom_fields() {
        for (condition, known) in
            [("customFields/id=1", true), ("types/id=4", false), ("board/id=1", false), ("customFields=1", false)]
        {
            assert_eq!(Filter::parse_child(condition).unwrap().check(Names::tickets()).is_ok(), known, "{condition}");
        }
        let error = Filter::parse_custom_field("id = 1").unwrap().check(Names::tickets()).unwrap_err();
        assert_eq!(error.message, "id is not a recognized name.");
    }
}
