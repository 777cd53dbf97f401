//! What a field offers: a fixed list, or one that the provider fills.
//!
//! Promises: what is kept stays chosen, also when no list has it any more; of a list that is too long some are offered, with a
//! way to look for the others.

use super::built::{Building, LABEL_CHARS_MAX, cut, shown};
use super::choices::List;
use super::search::Found;
use super::{ChoiceView, ChoicesView, SearchView};
use crate::connections::Listed;
use crate::web::told::Told;
use psa_host_api::form::types::{self, Field, ValueType};
use psa_host_api::model::FormOption;

/// Names that are proposed while somebody types.
const PROPOSED_MAX: usize = 100;

impl Building<'_> {
    pub(super) fn choices(&self, field: &Field) -> Option<ChoicesView> {
        let options = field.options.as_ref()?;
        let chosen = self.values(field);
        let manual = options.manual;
        if let Some(fixed) = &options.fixed {
            let item = |choice: &types::Choice| ChoiceView {
                value: shown(&choice.value),
                label: self.label(&choice.label),
                help: choice.help.as_ref().map(|help| self.text(help)).unwrap_or_default(),
                group: choice.group.as_ref().map(|group| self.label(group)).unwrap_or_default(),
                inactive: false,
            };
            let items = self.with_kept(fixed.iter().map(item).collect(), &chosen, "form.choices.kept");
            return Some(ChoicesView { items, manual: false, search: None, missing: None });
        }
        let missing = match self.lists.get(&field.key) {
            Some(List::Loaded(listed, Some(found))) => return Some(self.searched(field, listed, found, &chosen)),
            Some(List::Loaded(listed, None)) => {
                let items = self.with_kept(listed.items.iter().map(choice).collect(), &chosen, "form.choices.kept");
                return Some(ChoicesView { items, manual, search: None, missing: None });
            }
            Some(List::Needs(other)) => {
                let label = self.form.field(other).map_or_else(|| other.clone(), |field| self.label(&field.label));
                Told::ours(self.words.fill("form.choices.needs", &[("field", &label)]))
            }
            Some(List::Failed(why)) => self.words.told(why),
            Some(List::Slow) | None => Told::ours(self.words.say("form.choices.slow")),
        };
        let items = self.with_kept(Vec::new(), &chosen, "form.choices.kept");
        Some(ChoicesView { items, manual, search: None, missing: Some(missing) })
    }

    /// Of a long list: what is chosen, then what was found.
    fn searched(&self, field: &Field, listed: &Listed, found: &Found, chosen: &[String]) -> ChoicesView {
        let manual = field.options.as_ref().is_some_and(|options| options.manual);
        let items = found.chosen.iter().chain(&found.items).map(choice).collect();
        let key = if found.sure { "form.choices.kept" } else { "form.choices.saved" };
        let mut items = self.with_kept(items, chosen, key);
        let typed = found.words.as_str();
        let fits = field.value_type != Some(ValueType::Int) || typed.parse::<i64>().is_ok();
        if manual && fits && !typed.is_empty() && !items.iter().any(|item| item.value == typed) {
            let label = self.words.fill("form.choices.typed", &[("value", typed)]);
            let (help, group) = Default::default();
            items.push(ChoiceView { value: typed.to_owned(), label, help, group, inactive: false });
        }
        let mut proposals: Vec<String> = listed
            .items
            .iter()
            .filter(|option| !option.inactive)
            .map(|option| cut(&option.label, LABEL_CHARS_MAX))
            .collect();
        proposals.truncate(PROPOSED_MAX);
        let search = SearchView {
            name: format!("{}.find", field.key),
            words: found.words.clone(),
            said: self.said_of(found),
            proposals,
        };
        ChoicesView { items, manual, search: Some(search), missing: None }
    }

    fn said_of(&self, found: &Found) -> Told {
        let n = found.items.len() as u64;
        let words = [("words", found.words.as_str())];
        Told::ours(match (&found.trouble, found.words.is_empty(), n, found.more) {
            (Some(why), ..) => return self.words.told(why),
            _ if found.late => self.words.say("form.search.late"),
            (None, true, ..) => self.words.count("form.search.some", n),
            (None, false, 0, _) => self.words.fill("form.search.nothing", &words),
            (None, false, _, false) => self.words.count_fill("form.search.found", n, &words),
            (None, false, _, true) => self.words.count_fill("form.search.more", n, &words),
        })
    }

    /// What is kept stays chosen, also when the list does not have it. `key`: of how that is said.
    fn with_kept(&self, mut items: Vec<ChoiceView>, chosen: &[String], key: &str) -> Vec<ChoiceView> {
        for value in chosen.iter().rev().filter(|value| !value.is_empty()) {
            if !items.iter().any(|item| item.value == *value) {
                let label = self.words.fill(key, &[("value", &cut(value, LABEL_CHARS_MAX))]);
                let (help, group) = Default::default();
                items.insert(0, ChoiceView { value: value.clone(), label, help, group, inactive: true });
            }
        }
        items
    }
}

fn choice(option: &FormOption) -> ChoiceView {
    let value = shown(&option.value);
    let (label, named) = (cut(&option.label, LABEL_CHARS_MAX), cut(&value, LABEL_CHARS_MAX));
    ChoiceView {
        label: if label == named { label } else { format!("{label} ({named})") },
        value,
        help: option.help.as_deref().map(|help| cut(help, 1_000)).unwrap_or_default(),
        group: option.group.as_deref().map(|group| cut(group, LABEL_CHARS_MAX)).unwrap_or_default(),
        inactive: option.inactive,
    }
}
