//! What a comparison means for a value of a record.
//!
//! Holds: the evaluation of parsed conditions, and how two values compare.
//! Promises: text compares without regard to case; a null passes no test but the one for null.
//! Leaves to others: parsing, checks against a resource's names.

use std::cmp::Ordering;

use serde_json::Value;

use super::filter::{Expression, Operation, Test};
use super::lex::{Compare, Literal, Number, moment};

impl Expression {
    /// True if the record passes. Where a path passes an array, one element is enough, and two tests may be passed by two different
    /// elements. Source: facts 3.4 `(unsure)`.
    pub(super) fn holds(&self, record: &Value) -> bool {
        match self {
            Expression::All(terms) => terms.iter().all(|term| term.holds(record)),
            Expression::Any(terms) => terms.iter().any(|term| term.holds(record)),
            Expression::Test(test) => test.holds(record),
        }
    }
}

impl Test {
    fn holds(&self, record: &Value) -> bool {
        let values = self.path.values(record);
        if values.is_empty() {
            return self.operation.null_passes(self.negated);
        }
        values.into_iter().any(|value| self.operation.holds(value) != self.negated)
    }
}

impl Operation {
    /// As in SQL, a null is neither equal nor unequal to a value, so it passes only `= null` (assumed).
    fn null_passes(&self, negated: bool) -> bool {
        match self {
            Operation::Compare(Compare::Equal, Literal::Null) => !negated,
            Operation::Compare(Compare::NotEqual, Literal::Null) => negated,
            Operation::In(literals) => !negated && literals.contains(&Literal::Null),
            _ => false,
        }
    }

    fn holds(&self, value: &Value) -> bool {
        match self {
            Operation::Compare(compare, literal) => compared(value, *compare, literal),
            Operation::Fits(pattern, _) => value.as_str().is_some_and(|text| pattern.fits(text)),
            Operation::In(literals) => literals.iter().any(|literal| compared(value, Compare::Equal, literal)),
        }
    }
}

/// The value is not null. What cannot be compared (a text with a number) is unequal, neither less nor greater.
fn compared(value: &Value, compare: Compare, literal: &Literal) -> bool {
    let order = order_of(value, literal);
    match compare {
        Compare::Equal => order == Some(Ordering::Equal),
        Compare::NotEqual => order != Some(Ordering::Equal),
        Compare::Less => order == Some(Ordering::Less),
        Compare::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Compare::Greater => order == Some(Ordering::Greater),
        Compare::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn order_of(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(left), Literal::Number(right)) => Some(Number::of_json(left).cmp(right)),
        (Value::String(left), Literal::Text(right)) => Some(left.to_lowercase().cmp(&right.to_lowercase())),
        (Value::String(left), Literal::Date(right)) => Some(moment(left)?.cmp(right)),
        (Value::Bool(left), Literal::Boolean(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
