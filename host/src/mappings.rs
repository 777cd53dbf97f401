//! What stands for what: the product's agents, statuses and priorities, and the provider's.
//!
//! Holds: what can be chosen (`choices`), what is kept beside what the product has (`table`), changing it row by row
//! (`decide`), who may be meant (`suggest`), the same on other boards (`copy`).
//! Promises: only what the provider offers there is ever mapped; a mapping that somebody else has changed meanwhile is left
//! as it is; what is proposed is saved only when a person says so.
//! Leaves to others: keeping them (`store`), the provider's lists (`lists`).

pub(crate) mod copy;
mod suggest;

pub(crate) use suggest::{Suggestion, proposals};

use crate::core::Core;
use crate::lists;
use crate::plugin::CallContext;
use crate::store::{KeptMapping, Mapped, MappingWay, Place, ProductValue, Record, Remap, Target, ValueKind};
use psa_host_api::Error;
use psa_host_api::model::{CatalogEntry, CatalogKind, Member, MemberKind};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Something of the provider's that can stand for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The provider's id.
    pub(crate) id: String,
    pub(crate) name: String,
    /// By which people tell apart who has the same name: the login name, or the id.
    pub(crate) mark: String,
    /// Not offered any more.
    pub(crate) inactive: bool,
    /// An account for programs: nobody that an agent could be.
    pub(crate) program: bool,
}

impl Choice {
    /// Whether it can be chosen.
    pub(crate) fn is_offered(&self) -> bool {
        !self.inactive && !self.program
    }

    /// As it is shown: "Ann Lee (ALee)".
    pub(crate) fn label(&self) -> String {
        if self.name.is_empty() { self.mark.clone() } else { format!("{} ({})", self.name, self.mark) }
    }
}

/// Whose values a mapping is about.
pub(crate) fn kind_of(which: &Mapped) -> ValueKind {
    match which {
        Mapped::Members => ValueKind::Agent,
        Mapped::Statuses { .. } => ValueKind::Status,
        Mapped::Priorities => ValueKind::Priority,
    }
}

/// What can be chosen, and what no longer can, in the provider's order.
pub(crate) async fn choices(
    core: &Core,
    place: &Place,
    which: &Mapped,
    context: &CallContext,
) -> Result<Vec<Choice>, Error> {
    let (kind, scope) = match which {
        Mapped::Members => {
            let members = lists::all_members(core, place, context).await?;
            return Ok(members.iter().map(of_member).collect());
        }
        Mapped::Statuses { scope } => (CatalogKind::Statuses, Some(scope.as_str()).filter(|scope| !scope.is_empty())),
        Mapped::Priorities => (CatalogKind::Priorities, None),
    };
    let entries = lists::whole_catalog(core, place, kind, scope, context).await?;
    Ok(entries.into_iter().filter_map(of_entry).collect())
}

/// The scopes that statuses belong to, if they belong to any.
pub(crate) async fn scopes(
    core: &Core,
    place: &Place,
    kind: CatalogKind,
    context: &CallContext,
) -> Result<Vec<Choice>, Error> {
    Ok(lists::whole_catalog(core, place, kind, None, context).await?.into_iter().filter_map(of_entry).collect())
}

/// A member as a choice.
pub(crate) fn of_member(member: &Member) -> Choice {
    Choice {
        id: member.id.clone(),
        name: member.name.clone(),
        mark: if member.identifier.is_empty() { member.id.clone() } else { member.identifier.clone() },
        inactive: member.inactive,
        program: member.member_kind == MemberKind::Api,
    }
}

fn of_entry(entry: CatalogEntry) -> Option<Choice> {
    let (id, name, inactive) = match entry {
        CatalogEntry::Board(board) => (board.id, board.name, board.inactive),
        CatalogEntry::Status(status) => (status.id, status.name, status.inactive),
        CatalogEntry::Priority(priority) => (priority.id, priority.name, false),
        CatalogEntry::Type(kind) => (kind.id, kind.name, kind.inactive),
        CatalogEntry::Item(item) => (item.id, item.name, item.inactive),
        CatalogEntry::Field(_) => return None,
    };
    Some(Choice { mark: id.clone(), id, name, inactive, program: false })
}

/// A value of the product and what stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) value: ProductValue,
    pub(crate) kept: Option<KeptMapping>,
}

impl Line {
    pub(crate) fn target(&self) -> Target {
        self.kept.as_ref().map_or(Target::Nothing, |kept| kept.target.clone())
    }
}

/// All values of the product with what stands for them, by name.
pub(crate) fn table(core: &Core, place: &Place, which: &Mapped) -> Result<Vec<Line>, Error> {
    let values = core.store.values(&place.tenant, kind_of(which))?;
    let kept = core.store.kept_mappings(place, which)?;
    let mut kept: HashMap<String, KeptMapping> = kept.into_iter().map(|one| (one.value.clone(), one)).collect();
    let mut lines: Vec<Line> = values.into_iter().map(|value| Line { kept: kept.remove(&value.id), value }).collect();
    lines.sort_by_cached_key(|line| (line.value.name.to_lowercase(), line.value.id.clone()));
    Ok(lines)
}

/// Who may be meant, of those about whom nothing is said.
pub(crate) fn suggested(lines: &[Line], members: &[Member]) -> Vec<Suggestion> {
    let agents: Vec<ProductValue> = lines.iter().map(|line| line.value.clone()).collect();
    let targets: Vec<(&str, Target)> =
        lines.iter().filter(|line| line.kept.is_some()).map(|line| (line.value.id.as_str(), line.target())).collect();
    let settled: Vec<(&str, Option<&str>)> = targets
        .iter()
        .map(|(agent, target)| (*agent, if let Target::Is(id) = target { Some(id.as_str()) } else { None }))
        .collect();
    proposals(&agents, members, &settled)
}

/// What a person has decided about one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The product's id.
    pub(crate) value: String,
    /// What the person saw.
    pub(crate) before: Target,
    pub(crate) after: Target,
}

/// What became of decisions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Decided {
    pub(crate) saved: usize,
    /// Somebody else has decided otherwise meanwhile, or the value is gone.
    pub(crate) meanwhile: Vec<String>,
    /// What was chosen cannot be chosen there.
    pub(crate) unknown: Vec<String>,
}

/// Keeps what was decided, each row that can be.
pub(crate) async fn decide(
    core: &Core,
    place: &Place,
    which: &Mapped,
    decisions: Vec<Decision>,
    way: MappingWay,
    by: &str,
    context: &CallContext,
) -> Result<Decided, Error> {
    core.connections.exists(place)?;
    // Only what is chosen needs the provider: what is taken away can be taken away without it.
    let choices = match decisions.iter().any(|decision| matches!(decision.after, Target::Is(_))) {
        true => choices(core, place, which, context).await?,
        false => Vec::new(),
    };
    decide_among(core, place, which, &choices, decisions, way, by).await
}

/// The same for who has the choices already.
pub(crate) async fn decide_among(
    core: &Core,
    place: &Place,
    which: &Mapped,
    choices: &[Choice],
    decisions: Vec<Decision>,
    way: MappingWay,
    by: &str,
) -> Result<Decided, Error> {
    let values = core.store.values(&place.tenant, kind_of(which))?;
    let mut decided = Decided::default();
    let mut changes = Vec::new();
    for Decision { value, before, after } in decisions {
        let chosen = match &after {
            Target::Is(id) => choices.iter().find(|choice| choice.id == *id && choice.is_offered()),
            Target::Nothing | Target::Nobody => None,
        };
        let nobody = after == Target::Nobody && *which != Mapped::Members;
        if !values.iter().any(|known| known.id == value) {
            decided.meanwhile.push(value);
        } else if nobody || (matches!(after, Target::Is(_)) && chosen.is_none()) {
            decided.unknown.push(value);
        } else if before != after {
            let label = chosen.map(|choice| choice.name.clone());
            changes.push(Remap { value, before, after, label, way: Some(way) });
        }
    }
    let now = core.clock.now_unix_ms();
    // Each round leaves out at least one row.
    while !changes.is_empty() {
        let record = record(core, place, which, &changes, by)?;
        let others = core.store.remap(place, which.clone(), changes.clone(), by, now, record).await?;
        if others.is_empty() {
            decided.saved = changes.len();
            break;
        }
        changes.retain(|change| !others.contains(&change.value));
        decided.meanwhile.extend(others);
    }
    if decided.saved > 0 && matches!(which, Mapped::Statuses { .. }) {
        core.outbox.wake();
    }
    Ok(decided)
}

/// What the activity and the product are told: what was mapped, what was taken apart, who is nobody on purpose.
fn record(core: &Core, place: &Place, which: &Mapped, changes: &[Remap], by: &str) -> Result<Record, Error> {
    let mut all = Record::default();
    let mut add = |kind: &'static str, subject: Option<&str>, body: Value| -> Result<(), Error> {
        let one = core.scribe.both(place, by, kind, subject, body)?;
        all.entries.extend(one.entries);
        all.events.extend(one.events);
        Ok(())
    };
    let (mapped, taken): (Vec<&Remap>, Vec<&Remap>) =
        changes.iter().partition(|change| matches!(change.after, Target::Is(_)));
    let (count, mapped_kind, taken_kind) = match which {
        Mapped::Members => ("agents", "members.mapped", "members.unmapped"),
        Mapped::Statuses { .. } => ("values", "statuses.mapped", "statuses.unmapped"),
        Mapped::Priorities => ("values", "priorities.mapped", "priorities.unmapped"),
    };
    let body = |of: &[&Remap]| {
        let mut body = json!({"connection": place.connection, count: of.len(), "changes": changed(of)});
        if let Mapped::Statuses { scope } = which {
            body["scope"] = json!(scope);
        }
        body
    };
    if !mapped.is_empty() {
        add(mapped_kind, None, body(&mapped))?;
    }
    if *which != Mapped::Members && !taken.is_empty() {
        add(taken_kind, None, body(&taken))?;
    }
    // Of agents these are told one by one, as the methods for them do.
    for change in taken.iter().filter(|_| *which == Mapped::Members) {
        let kind = if change.after == Target::Nobody { "members.ignored" } else { taken_kind };
        let body = json!({"connection": place.connection, "agent": change.value});
        add(kind, Some(&change.value), body)?;
    }
    Ok(all)
}

/// Each with what was there and what is now.
fn changed(of: &[&Remap]) -> Vec<Value> {
    let said = |target: &Target| match target {
        Target::Nothing => Value::Null,
        Target::Nobody => json!(""),
        Target::Is(id) => json!(id),
    };
    let one = |change: &&Remap| json!({"value": change.value, "from": said(&change.before), "to": said(&change.after)});
    of.iter().map(one).collect()
}
