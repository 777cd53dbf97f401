//! Mapping agents to the members with the same address.

use super::{Outcome, Step, Teller};
use crate::core::Core;
use crate::lists;
use crate::mappings::{Choice, Decision, decide_among, of_member, suggested, table};
use crate::plugin::CallContext;
use crate::store::{Mapped, MappingWay, Place, Target};

/// Agents that are mapped in one unit of work.
const BATCH: usize = 50;

/// Keeps what is proposed because of an equal address, a batch at a time. How many were kept.
pub(crate) async fn match_alike(
    core: &Core,
    place: &Place,
    by: &str,
    context: &CallContext,
    teller: &Teller,
) -> Outcome {
    let members = lists::members_told(core, place, context, &|read| teller.tell(Step::Members, read, None)).await?;
    let lines = table(core, place, &Mapped::Members)?;
    let decisions: Vec<Decision> = suggested(&lines, &members)
        .into_iter()
        .filter(|one| one.by == MappingWay::Email)
        .map(|one| Decision { value: one.agent, before: Target::Nothing, after: Target::Is(one.member) })
        .collect();
    let choices: Vec<Choice> = members.iter().map(of_member).collect();
    let all = decisions.len() as u64;
    let mut kept = 0;
    for (number, batch) in decisions.chunks(BATCH).enumerate() {
        teller.tell(Step::Saving, (number * BATCH) as u64, Some(all));
        // Each batch would read a list anew that is too long to be remembered.
        let batch = batch.to_vec();
        let decided = decide_among(core, place, &Mapped::Members, &choices, batch, MappingWay::Email, by).await?;
        kept += decided.saved as u64;
    }
    Ok(kept)
}
