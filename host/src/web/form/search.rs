//! Lists that are too long to show: some of them are, and the others are looked for.
//!
//! Promises: what is chosen has its name, as far as the provider tells it; no more is shown than anybody reads; a list that is
//! here is looked through here, and one that is not by the provider.

use crate::connections::{Listed, Trial};
use crate::web::ask::Ask;
use psa_host_api::Error;
use psa_host_api::form::types::{Field, FieldType};
use psa_host_api::model::FormOption;
use psa_host_api::ops::FormOptionsRequest;
use serde_json::Value;

/// A list of more is searched.
const SHOWN_MAX: usize = 200;
/// Of what is found so many are shown in a list that opens.
const FOUND_MAX: usize = 50;
/// The same where each has a box of its own.
const BOXES_MAX: usize = 20;
/// The longest words that are looked for, in characters.
const WORDS_MAX: usize = 100;
/// Of what is chosen and not in the list so many are asked for.
const ASKED_MAX: usize = 5;

/// A list in which something is looked for.
pub(super) struct Search<'a> {
    pub(super) request: &'a FormOptionsRequest,
    pub(super) listed: &'a Listed,
    /// The provider can be asked.
    pub(super) searched: bool,
}

/// What a field wants of it.
pub(super) struct Lookup {
    /// Its key.
    pub(super) field: String,
    /// Empty: nothing is looked for.
    pub(super) words: String,
    pub(super) chosen: Vec<Value>,
    /// So many are shown.
    most: usize,
}

impl Lookup {
    pub(super) fn new(field: &Field, words: Option<String>, value: Option<&Value>) -> Lookup {
        let chosen = match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.clone(),
            Some(value) => vec![value.clone()],
        };
        let boxes = matches!(field.kind, FieldType::Radio | FieldType::Multiselect);
        let most = if boxes { BOXES_MAX } else { FOUND_MAX };
        Lookup { field: field.key.clone(), words: words.unwrap_or_default(), chosen, most }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Empty: nothing was looked for, and these are the first ones.
    pub(crate) words: String,
    pub(crate) items: Vec<FormOption>,
    /// There are more of them.
    pub(crate) more: bool,
    /// What is chosen and is not among them.
    pub(crate) chosen: Vec<FormOption>,
    /// What is chosen and has no name is not there any more: all of the list is here, or the provider was asked.
    pub(crate) sure: bool,
    /// Why it could not be looked for.
    pub(crate) trouble: Option<Box<Error>>,
    /// It is still being looked for.
    pub(crate) late: bool,
}

impl Found {
    /// The beginning of a list, while what is wanted of it is still being looked for.
    pub(super) fn late(listed: &Listed, lookup: &Lookup) -> Found {
        let (first, rest) = listed.items.split_at(listed.items.len().min(lookup.most));
        let chosen = rest.iter().filter(|option| lookup.chosen.contains(&option.value));
        Found {
            words: lookup.words.clone(),
            items: first.to_vec(),
            more: true,
            chosen: chosen.cloned().collect(),
            sure: false,
            trouble: None,
            late: !lookup.words.is_empty(),
        }
    }
}

pub(super) fn is_too_many(n: usize) -> bool {
    n > SHOWN_MAX
}

pub(super) fn is_long(listed: &Listed) -> bool {
    is_too_many(listed.items.len()) || !listed.whole
}

impl Search<'_> {
    /// Looks for the words, and for what is chosen.
    pub(super) async fn run(&self, ask: &Ask<'_>, trial: &Trial, lookup: &Lookup) -> Found {
        let words: String = lookup.words.trim().chars().take(WORDS_MAX).collect();
        let by_provider = self.searched && !self.listed.whole;
        let items = match (words.is_empty(), by_provider) {
            (true, _) => Ok(self.listed.clone()),
            (false, true) => by_words(ask, trial, self.request, &words).await,
            (false, false) => {
                let items = self.listed.items.iter().filter(|option| has(option, &words)).cloned().collect();
                Ok(Listed { items, whole: self.listed.whole })
            }
        };
        let (trouble, Listed { mut items, whole }) = match items {
            Ok(listed) => (None, listed),
            Err(error) => (Some(Box::new(error)), Listed { items: Vec::new(), whole: true }),
        };
        let more = items.len() > lookup.most || !whole;
        items.truncate(lookup.most);
        let missing: Vec<&Value> =
            lookup.chosen.iter().filter(|value| !items.iter().any(|option| option.value == **value)).collect();
        let (chosen, sure) = self.named(ask, trial, &missing, by_provider).await;
        Found { words, items, more, chosen, sure, trouble, late: false }
    }

    /// What is chosen and was not found, as far as it is in the list or the provider knows it; and whether that is all.
    async fn named(
        &self,
        ask: &Ask<'_>,
        trial: &Trial,
        missing: &[&Value],
        by_provider: bool,
    ) -> (Vec<FormOption>, bool) {
        // Of a list that is cut, and that nobody can be asked about, nobody knows what is behind the cut.
        let (mut chosen, mut asked, mut sure) = (Vec::new(), 0, self.listed.whole || by_provider);
        for value in missing {
            let here = self.listed.items.iter().find(|option| option.value == **value).cloned();
            if here.is_some() || !by_provider {
                chosen.extend(here);
                continue;
            }
            asked += 1;
            if asked > ASKED_MAX {
                return (chosen, false);
            }
            let named = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match by_words(ask, trial, self.request, &named).await {
                Ok(listed) => chosen.extend(listed.items.into_iter().find(|option| option.value == **value)),
                Err(_) => sure = false,
            }
        }
        (chosen, sure)
    }
}

/// What the provider finds, as much of it as it gives at once.
async fn by_words(ask: &Ask<'_>, trial: &Trial, request: &FormOptionsRequest, words: &str) -> Result<Listed, Error> {
    let request = FormOptionsRequest { query: Some(words.to_owned()), ..request.clone() };
    let page = ask.core.connections.options(trial, &request, ask.context).await?;
    Ok(Listed { items: page.items, whole: page.next.is_none() })
}

/// Whether an entry has all the words, in its name, its value or what is said of it.
fn has(option: &FormOption, words: &str) -> bool {
    let value = option.value.as_str().map_or_else(|| option.value.to_string(), str::to_owned);
    let text = format!("{} {value} {}", option.label, option.help.as_deref().unwrap_or_default()).to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_all_the_words_wherever_they_are() {
        let option = FormOption { help: Some("ann@desk.example".into()), ..FormOption::new(17, "Ann Lee") };
        for (words, is) in [("ann", true), ("LEE ann", true), ("17", true), ("desk.ex", true), ("ann bo", false)] {
            assert_eq!(has(&option, words), is, "{words}");
        }
    }
}
