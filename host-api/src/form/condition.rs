//! Whether a condition holds.

use super::types::Condition;
use serde_json::{Map, Value};

impl Condition {
    /// Whether it holds for these values; an absent one is not filled in.
    pub fn holds(&self, values: &Map<String, Value>) -> bool {
        if let Some(all) = &self.all {
            return all.iter().all(|condition| condition.holds(values));
        }
        if let Some(any) = &self.any {
            return any.iter().any(|condition| condition.holds(values));
        }
        if let Some(not) = &self.not {
            return !not.holds(values);
        }
        let value = self.field.as_ref().and_then(|field| values.get(field)).filter(|value| is_set(value));
        if let Some(eq) = &self.eq {
            return value == Some(eq);
        }
        if let Some(one_of) = &self.one_of {
            return value.is_some_and(|value| one_of.contains(value));
        }
        self.set.is_none_or(|set| value.is_some() == set)
    }

    /// The fields it looks at.
    pub(super) fn fields(&self) -> Vec<&str> {
        let inner = self.all.iter().flatten().chain(self.any.iter().flatten()).chain(self.not.as_deref());
        let below = inner.flat_map(|condition| condition.fields());
        self.field.as_deref().into_iter().chain(below).collect()
    }

    /// Exactly one kind of condition, complete.
    pub(super) fn is_well_formed(&self) -> bool {
        let tests = [self.eq.is_some(), self.one_of.is_some(), self.set.is_some()].iter().filter(|is| **is).count();
        let kinds = [self.field.is_some(), self.all.is_some(), self.any.is_some(), self.not.is_some()];
        let one_kind = kinds.iter().filter(|is| **is).count() == 1;
        let tested = tests == usize::from(self.field.is_some());
        let inner = self.all.iter().flatten().chain(self.any.iter().flatten()).chain(self.not.as_deref());
        one_kind && tested && inner.into_iter().all(Condition::is_well_formed)
    }
}

/// Whether a value counts as filled in.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_hold_as_they_read() {
        let values = json!({"site": "custom", "host": "", "on": true, "n": 5});
        let Value::Object(values) = values else { unreachable!("an object is written there") };
        for (condition, holds) in [
            (json!({"field": "site", "eq": "custom"}), true),
            (json!({"field": "site", "in": ["na", "eu"]}), false),
            (json!({"field": "host", "set": true}), false),
            (json!({"field": "host", "set": false}), true),
            (json!({"field": "gone", "set": false}), true),
            (json!({"field": "gone", "eq": "x"}), false),
            (json!({"field": "on", "eq": true}), true),
            (json!({"all": [{"field": "n", "eq": 5}, {"not": {"field": "on", "eq": false}}]}), true),
            (json!({"any": []}), false),
            (json!({"all": []}), true),
        ] {
            let condition: Condition = serde_json::from_value(condition).unwrap();
            assert!(condition.is_well_formed(), "{condition:?}");
            assert_eq!(condition.holds(&values), holds, "{condition:?}");
        }
        for condition in [
            json!({}),
            json!({"field": "a"}),
            json!({"field": "a", "eq": 1, "set": true}),
            json!({"eq": 1}),
            json!({"field": "a", "eq": 1, "all": []}),
            json!({"not": {"field": "a"}}),
        ] {
            let condition: Condition = serde_json::from_value(condition).unwrap();
            assert!(!condition.is_well_formed(), "{condition:?}");
        }
    }
}
