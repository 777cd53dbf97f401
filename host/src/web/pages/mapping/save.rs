//! What a mapping form sends in.
//!
//! Promises: only rows that were changed are touched; a row that cannot be kept is shown again as it was sent in, with the
//! reason; the others are kept.

use super::{Mapping, PAGE, Subject, Unsaved, here, members, priorities, statuses};
use crate::mappings::{Choice, Decided, Decision, choices, decide, kind_of};
use crate::store::{Mapped, MappingWay, ProductValue, Target};
use crate::web::ask::{Ask, Reply};
use crate::web::pages::frame::{Framed, framed};
use crate::web::view::{Body, Notice};
use psa_host_api::Error;

/// A row as it was sent in.
struct Sent {
    value: String,
    before: Target,
    typed: String,
}

pub(super) async fn save(ask: &Ask<'_>, subject: Subject, which: Mapped) -> Result<Reply, Error> {
    let place = ask.place();
    ask.core.connections.exists(&place)?;
    let sent = sent(ask);
    let choices = match sent.iter().any(|row| is_words(&row.typed)) {
        true => choices(ask.core, &place, &which, ask.context).await?,
        false => Vec::new(),
    };
    let nobody = ask.words.say("map.nobody");
    let (mut decisions, mut decided) = (Vec::new(), Decided::default());
    for row in &sent {
        match target(&row.typed, &choices, &nobody) {
            Some(after) if after == row.before => {}
            Some(after) => decisions.push(Decision { value: row.value.clone(), before: row.before.clone(), after }),
            None => decided.unknown.push(row.value.clone()),
        }
    }
    let kept = decide(ask.core, &place, &which, decisions, MappingWay::Person, &ask.by(), ask.context).await?;
    decided.saved = kept.saved;
    decided.meanwhile.extend(kept.meanwhile);
    decided.unknown.extend(kept.unknown);
    let scope = match &which {
        Mapped::Statuses { scope } => Some(scope.as_str()).filter(|scope| !scope.is_empty()),
        Mapped::Members | Mapped::Priorities => None,
    };
    if decided.meanwhile.is_empty() && decided.unknown.is_empty() {
        let from = ask.query.get("from").and_then(|from| from.parse().ok());
        let word = if decided.saved == 0 { "unchanged" } else { "mapped" };
        return Ok(Reply::Done { to: here(ask, subject, scope, from), word });
    }
    again(ask, subject, &which, &sent, &decided).await
}

/// What is sent in more than once counts once: the first.
fn sent(ask: &Ask<'_>) -> Vec<Sent> {
    let mut rows: Vec<Sent> = Vec::new();
    for number in 0..PAGE {
        let field = |name: &str| ask.form.get(&format!("{name}.{number}"));
        let (Some(value), Some(typed)) = (field("value"), field("to")) else { continue };
        // What is as it was shown was not touched, whatever it stands for.
        if field("shown") == Some(typed) || rows.iter().any(|row| row.value == value) {
            continue;
        }
        let before = target(field("was").unwrap_or_default(), &[], "-").unwrap_or(Target::Nothing);
        rows.push(Sent { value: value.to_owned(), before, typed: typed.trim().to_owned() });
    }
    rows
}

/// Whether it was typed rather than chosen.
fn is_words(text: &str) -> bool {
    !text.is_empty() && text != "-" && !text.starts_with('=')
}

/// What is meant by what was chosen or typed; none: nothing that is offered, or several things.
fn target(text: &str, choices: &[Choice], nobody: &str) -> Option<Target> {
    match text {
        "" => return Some(Target::Nothing),
        "-" => return Some(Target::Nobody),
        text if text == nobody => return Some(Target::Nobody),
        _ => {}
    }
    if let Some(id) = text.strip_prefix('=') {
        return Some(Target::Is(id.to_owned()));
    }
    let offered = || choices.iter().filter(|choice| choice.is_offered());
    let mut found = offered().filter(|choice| choice.label() == text);
    let only = match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) => None,
        (None, _) => offered().find(|choice| choice.mark == text || choice.id == text),
    };
    only.map(|choice| Target::Is(choice.id.clone()))
}

/// The page again, with what was not kept.
async fn again(
    ask: &Ask<'_>,
    subject: Subject,
    which: &Mapped,
    sent: &[Sent],
    decided: &Decided,
) -> Result<Reply, Error> {
    let values = ask.core.store.values(&ask.who.tenant, kind_of(which))?;
    let mut unsaved = Unsaved::new();
    for (list, key) in [(&decided.meanwhile, "map.error.meanwhile"), (&decided.unknown, "map.error.unknown")] {
        for value in list {
            let typed = sent.iter().find(|row| row.value == *value).map(|row| row.typed.clone());
            unsaved.insert(value.clone(), (typed.unwrap_or_default(), ask.words.say(key)));
        }
    }
    let framed = framed(ask)?;
    let page = page(ask, subject, &framed, &unsaved).await?;
    let mut view = framed.view(ask, subject.word(), Body::Mapping(Box::new(page)));
    let status = if decided.meanwhile.is_empty() { 422 } else { 409 };
    if !decided.meanwhile.is_empty() {
        view.notices.push(notice(ask, "map.meanwhile", &decided.meanwhile, &values));
    }
    if !decided.unknown.is_empty() {
        view.notices.push(notice(ask, "map.unknown", &decided.unknown, &values));
    }
    if decided.saved > 0 {
        view.notices.push(Notice::done(ask.words.count("map.saved", decided.saved as u64)));
    }
    Ok(Reply::View(status, Box::new(view)))
}

fn notice(ask: &Ask<'_>, key: &str, rows: &[String], values: &[ProductValue]) -> Notice {
    let name = |id: &String| values.iter().find(|value| value.id == *id).map_or(id, |value| &value.name).clone();
    let names: Vec<String> = rows.iter().map(name).collect();
    let text = ask.words.fill(&format!("{key}.text"), &[("names", &names.join(", "))]);
    Notice::bad(ask.words.say(key), text)
}

async fn page(ask: &Ask<'_>, subject: Subject, framed: &Framed, unsaved: &Unsaved) -> Result<Mapping, Error> {
    match subject {
        Subject::Members => members::page(ask, framed, unsaved).await,
        Subject::Statuses => statuses::page(ask, framed, unsaved).await,
        Subject::Priorities => priorities::page(ask, framed, unsaved).await,
    }
}

#[cfg(test)]
mod tests {
    use super::super::coded;
    use super::*;

    fn choice(id: &str, name: &str, mark: &str, inactive: bool) -> Choice {
        Choice { id: id.into(), name: name.into(), mark: mark.into(), inactive, program: false }
    }

    #[test]
    fn what_is_typed_means_one_choice_or_none() {
        let choices = [
            choice("1", "Ann Lee", "ALee", false),
            choice("2", "Bo", "Bo1", false),
            choice("3", "Bo", "Bo1", false),
            choice("4", "Cy", "Cy", true),
        ];
        let is = |id: &str| Some(Target::Is(id.to_owned()));
        for (text, meant) in [
            ("", Some(Target::Nothing)),
            ("-", Some(Target::Nobody)),
            ("Nobody", Some(Target::Nobody)),
            ("=9", is("9")),
            ("Ann Lee (ALee)", is("1")),
            ("ALee", is("1")),
            ("1", is("1")),
            ("Bo (Bo1)", None),
            ("Cy (Cy)", None),
            ("ann", None),
        ] {
            assert_eq!(target(text, &choices, "Nobody"), meant, "{text}");
        }
        for target_is in [Target::Nothing, Target::Nobody, Target::Is("=x".into())] {
            assert_eq!(target(&coded(&target_is), &[], "-"), Some(target_is));
        }
    }
}
