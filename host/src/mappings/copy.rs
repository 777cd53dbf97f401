//! Statuses of one board, and what they come to on others: by their names.
//!
//! Holds: what a copy would do on each board (`plan`), and doing it (`copy`).
//! Promises: what stands for something already stays, whatever it is; a name that several statuses of a board have is nobody's
//! equal; who does it once more after an error goes on with what is left.

use super::{Choice, Decision, Line, choices, decide, table};
use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::{KeptMapping, Mapped, MappingWay, Place, Target};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// Boards of one copy: the statuses of each are read.
pub(crate) const BOARDS_MAX: usize = 20;

/// One value of the product on another board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CopyFit {
    /// The product's id of its status.
    pub(crate) value: String,
    /// What it is called there.
    pub(crate) name: String,
    /// The status of the same name on that board; null: there is none, or several.
    pub(crate) status: Option<String>,
    /// What the status is called at the provider: the one that is copied, or that stays.
    pub(crate) label: String,
}

/// What a copy comes to on one board.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct OnBoard {
    /// Values that nothing stood for yet, and that get the status of the same name.
    pub(crate) fits: Vec<CopyFit>,
    /// Values that something stands for there; that stays.
    pub(crate) stays: Vec<CopyFit>,
    /// Values whose status has no equal there.
    pub(crate) without: Vec<CopyFit>,
}

/// What is copied from a board: each value with the name of what stands for it.
pub(crate) struct Source(Vec<(Line, String)>);

impl Source {
    /// Reads it. As the provider calls the statuses now; while it cannot be asked, as they were called when they were mapped.
    pub(crate) async fn read(core: &Core, place: &Place, scope: &str, context: &CallContext) -> Result<Source, Error> {
        let which = Mapped::Statuses { scope: scope.to_owned() };
        let lines = table(core, place, &which)?;
        let known = choices(core, place, &which, context).await.unwrap_or_default();
        let known: HashMap<&str, &str> =
            known.iter().map(|choice| (choice.id.as_str(), choice.name.as_str())).collect();
        let named = |line: Line| {
            let Some(Target::Is(id)) = line.kept.as_ref().map(|kept| kept.target.clone()) else { return None };
            let label = line.kept.as_ref().and_then(|kept| kept.label.clone());
            let name = known.get(id.as_str()).map(|name| (*name).to_owned()).or(label)?;
            Some((line, name))
        };
        Ok(Source(lines.into_iter().filter_map(named).collect()))
    }

    /// How many there are to copy.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What a copy to a board would do.
    pub(crate) async fn plan(
        &self,
        core: &Core,
        place: &Place,
        to: &str,
        context: &CallContext,
    ) -> Result<OnBoard, Error> {
        let which = Mapped::Statuses { scope: to.to_owned() };
        let there = choices(core, place, &which, context).await?;
        let taken: HashMap<String, Line> =
            table(core, place, &which)?.into_iter().map(|line| (line.value.id.clone(), line)).collect();
        let mut board = OnBoard::default();
        for (line, label) in &self.0 {
            let (value, name) = (line.value.id.clone(), line.value.name.clone());
            let fit = |status: Option<String>, label: String| CopyFit { value, name, status, label };
            match taken.get(&line.value.id).and_then(|line| line.kept.as_ref()) {
                Some(kept) => board.stays.push(staying(kept, &there, fit)),
                None => match equal(&there, label) {
                    Some(equal) => board.fits.push(fit(Some(equal.id.clone()), equal.name.clone())),
                    None => board.without.push(fit(None, label.clone())),
                },
            }
        }
        Ok(board)
    }
}

/// What stands there already, as it is called now or was then.
fn staying(kept: &KeptMapping, there: &[Choice], fit: impl FnOnce(Option<String>, String) -> CopyFit) -> CopyFit {
    let Target::Is(id) = &kept.target else { return fit(None, String::new()) };
    let now = there.iter().find(|choice| choice.id == *id).map(|choice| choice.name.clone());
    fit(Some(id.clone()), now.or(kept.label.clone()).unwrap_or_default())
}

/// The one status of that name. As it is written, or else but for capitals and spaces around it.
fn equal<'c>(there: &'c [Choice], name: &str) -> Option<&'c Choice> {
    let one = |is: &dyn Fn(&Choice) -> bool| {
        let mut found = there.iter().filter(|choice| choice.is_offered() && is(choice));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(Some(only)),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(()),
        }
    };
    let plain = |text: &str| text.trim().to_lowercase();
    match one(&|choice| choice.name == name) {
        Ok(None) => one(&|choice| plain(&choice.name) == plain(name)).ok().flatten(),
        found => found.ok().flatten(),
    }
}

/// Refuses what is no other board.
pub(crate) fn check(from: &str, to: &[String]) -> Result<(), Error> {
    if to.len() > BOARDS_MAX {
        return Err(Error::new(Code::TooLarge, format!("statuses are copied to {BOARDS_MAX} boards at once at most")));
    }
    let wrong = |at: String, message: &str| Err(Error::invalid(message).field(at, "scope", message));
    for (number, scope) in to.iter().enumerate() {
        if scope.is_empty() {
            return wrong(format!("/to/{number}"), "statuses are copied from board to board: name one");
        }
        if scope == from {
            return wrong(format!("/to/{number}"), "this is the board that is copied from");
        }
        if to[..number].contains(scope) {
            return wrong(format!("/to/{number}"), "is there twice");
        }
    }
    Ok(())
}

/// Does what `plan` says, on one board. What somebody has mapped there meanwhile stays too.
pub(crate) async fn copy(
    core: &Core,
    place: &Place,
    to: &str,
    plan: OnBoard,
    by: &str,
    context: &CallContext,
) -> Result<OnBoard, Error> {
    let OnBoard { mut fits, mut stays, without } = plan;
    let after = |fit: &CopyFit| fit.status.clone().map(Target::Is);
    let decisions: Vec<Decision> = fits
        .iter()
        .filter_map(|fit| Some(Decision { value: fit.value.clone(), before: Target::Nothing, after: after(fit)? }))
        .collect();
    if decisions.is_empty() {
        return Ok(OnBoard { fits, stays, without });
    }
    let which = Mapped::Statuses { scope: to.to_owned() };
    let decided = decide(core, place, &which, decisions, MappingWay::Name, by, context).await?;
    if !decided.unknown.is_empty() {
        let message = format!("the statuses of {to} are others than a moment ago: look again");
        return Err(Error::new(Code::Conflict, message).because("changed_meanwhile"));
    }
    let (kept, done) = fits.drain(..).partition(|fit| decided.meanwhile.contains(&fit.value));
    stays.extend::<Vec<CopyFit>>(kept);
    Ok(OnBoard { fits: done, stays, without })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(id: &str, name: &str, inactive: bool) -> Choice {
        Choice { id: id.into(), name: name.into(), mark: id.into(), inactive, program: false }
    }

    #[test]
    fn the_equal_of_a_status_is_the_one_of_its_name() {
        let there = [
            choice("1", "New", false),
            choice("2", "new", false),
            choice("3", "Done ", false),
            choice("4", "Waiting", false),
            choice("5", "Waiting", false),
            choice("6", "Closed", true),
            choice("7", "ON HOLD", false),
            choice("8", "On Hold", false),
        ];
        for (name, id) in [
            ("New", Some("1")),
            ("new", Some("2")),
            ("NEW", None),
            ("done", Some("3")),
            ("Waiting", None),
            ("Closed", None),
            ("on hold", None),
            ("Gone", None),
        ] {
            assert_eq!(equal(&there, name).map(|choice| choice.id.as_str()), id, "{name}");
        }
    }

    #[test]
    fn a_board_is_copied_to_others_only_and_once() {
        let to = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(check("1", &to(&["2", "3"])).is_ok());
        for wrong in [&["1"][..], &["2", "2"], &[""]] {
            assert!(check("1", &to(wrong)).is_err(), "{wrong:?}");
        }
    }
}
