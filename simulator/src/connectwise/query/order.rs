//! `orderBy`.
//!
//! Holds: [`Order`].
//! Promises: sorting is stable, total over any JSON, and reads each record once.
//! Leaves to others: the order of a list without `orderBy` (not promised by the vendor), the ban on it in forward-only paging.

use std::borrow::Borrow;
use std::cmp::Reverse;

use serde_json::Value;

use super::lex::{Number, Token, tokens};
use super::path::Path;
use super::{ConditionError, Names};

/// How many keys one order may have. Ours.
const KEYS_MAX: usize = 16;

/// A parsed order; without keys it leaves everything where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    keys: Vec<(Path, bool)>,
}

/// A value of a record made comparable. Nulls come first, as SQL Server sorts them (assumed).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Null,
    Boolean(bool),
    Number(Number),
    /// In lower case. Dates are texts of one form, whose order is that of time.
    Text(String),
}

/// One key of a record, turned round where the order descends.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Up(Rank),
    Down(Reverse<Rank>),
}

impl Order {
    /// Reads `name asc|desc, …`: ascending when not said, slash paths allowed. Source: facts 3.4.
    pub fn parse(text: &str) -> Result<Order, ConditionError> {
        let tokens = tokens(text)?;
        let mut keys = Vec::new();
        if !tokens.is_empty() {
            for key in tokens.split(|token| *token == Token::Comma).take(KEYS_MAX + 1) {
                keys.push(key_of(key)?);
            }
        }
        if keys.len() > KEYS_MAX {
            return Err(ConditionError::syntax(format_args!("an order has at most {KEYS_MAX} names")));
        }
        Ok(Order { keys })
    }

    /// Checks each name against what the resource has.
    pub fn check(&self, names: &Names) -> Result<(), ConditionError> {
        self.keys.iter().try_for_each(|(path, _)| names.known(path).map(|_| ()))
    }

    /// Puts records in order; equal ones stay as they were.
    pub fn sort<R: Borrow<Value>>(&self, records: &mut Vec<R>) {
        if self.keys.is_empty() {
            return;
        }
        let mut keyed: Vec<(Vec<Key>, R)> =
            records.drain(..).map(|record| (self.keys_of(record.borrow()), record)).collect();
        keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
        records.extend(keyed.into_iter().map(|(_, record)| record));
    }

    fn keys_of(&self, record: &Value) -> Vec<Key> {
        let key = |(path, descends): &(Path, bool)| {
            let rank = rank(path.value(record));
            if *descends { Key::Down(Reverse(rank)) } else { Key::Up(rank) }
        };
        self.keys.iter().map(key).collect()
    }
}

fn key_of(tokens: &[Token]) -> Result<(Path, bool), ConditionError> {
    let (name, descends) = match tokens {
        [Token::Name(name)] => (name, false),
        [Token::Name(name), Token::Name(way)] if way.eq_ignore_ascii_case("asc") => (name, false),
        [Token::Name(name), Token::Name(way)] if way.eq_ignore_ascii_case("desc") => (name, true),
        _ => return Err(ConditionError::syntax("an order is a name, then asc or desc, then a comma before the next")),
    };
    Ok((Path::parse(name)?, descends))
}

fn rank(value: Option<&Value>) -> Rank {
    match value {
        Some(Value::Bool(flag)) => Rank::Boolean(*flag),
        Some(Value::Number(number)) => Rank::Number(Number::of_json(number)),
        Some(Value::String(text)) => Rank::Text(text.to_lowercase()),
        _ => Rank::Null, // absent, null, or a reference named without a member
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn records() -> Vec<Value> {
        vec![
            json!({"id": 1, "name": "b", "board": {"name": "Z"}, "_info": {"lastUpdated": "2024-01-02T00:00:00Z"}}),
            json!({"id": 2, "name": "A", "board": {"name": "y"}, "_info": {"lastUpdated": "2024-01-01T00:00:00Z"}}),
            json!({"id": 3, "name": null, "board": {"name": "z"}, "_info": {"lastUpdated": "2024-01-03T00:00:00Z"}}),
            json!({"id": 10, "name": "a", "board": {"name": "Y"}, "_info": {"lastUpdated": "2024-01-01T00:00:00Z"}}),
        ]
    }

    fn ids(order: &str) -> Vec<i64> {
        let mut records = records();
        Order::parse(order).unwrap().sort(&mut records);
        records.iter().filter_map(|record| record["id"].as_i64()).collect()
    }

    #[test]
    fn orders_sort() {
        for (order, expected) in [
            ("", [1, 2, 3, 10]),
            ("id", [1, 2, 3, 10]),
            ("id DESC", [10, 3, 2, 1]),
            ("name asc", [3, 2, 10, 1]),
            ("name desc", [1, 2, 10, 3]),
            ("board/name, id desc", [10, 2, 3, 1]),
            ("board/name desc,id", [1, 3, 2, 10]),
            ("lastUpdated, id", [2, 10, 1, 3]),
            ("nothing", [1, 2, 3, 10]),
        ] {
            assert_eq!(ids(order), expected, "{order}");
        }
    }

    #[test]
    fn values_of_all_types_have_one_order() {
        let mut records: Vec<Value> = [
            json!("x"),
            json!(2.5),
            json!(true),
            json!(null),
            json!(-1),
            json!({}),
            json!(u64::MAX),
            json!(9007199254740993_i64),
        ]
        .into_iter()
        .map(|v| json!({"v": v}))
        .collect();
        let order = Order::parse("v").unwrap();
        order.sort(&mut records);
        let found: Vec<&Value> = records.iter().map(|r| &r["v"]).collect();
        let expected = [
            json!(null),
            json!({}),
            json!(true),
            json!(-1),
            json!(2.5),
            json!(9007199254740993_i64),
            json!(u64::MAX),
            json!("x"),
        ];
        assert_eq!(found, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn broken_orders_are_refused() {
        for order in ["id up", "id asc desc", ",", "id,", "1", "id = 1", "a//b", &"id,".repeat(30)] {
            assert!(Order::parse(order).is_err(), "{order}");
        }
        let error = Order::parse("id, bord/name").unwrap().check(Names::tickets()).unwrap_err();
        assert_eq!(error.message, "bord/name is not a recognized name.");
        Order::parse("lastUpdated, board/name desc").unwrap().check(Names::tickets()).unwrap();
    }
}
