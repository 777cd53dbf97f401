//! `allNotes` of a ticket: notes, texts of time entries, and the notes of merged and bundled tickets.
//!
//! Promises: the model is another one than that of notes: the ticket is a reference, and who wrote it for whom is not
//! said by flags. Notes and time entries have ids of their own, so the same number occurs twice. Source: facts 7.1.

use super::query::Names;
use super::state::{Kind, State, TicketRow, id_of};
use super::{listing, reply};
use crate::http::{Asked, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// Why a note of another ticket is shown.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    Own,
    Merged,
    Bundled,
}

pub(super) fn route(world: &World, asked: &Asked, ticket: u64, rest: &[&str]) -> Reply {
    let Some(row) = world.state.tickets.get(&ticket) else { return reply::not_found("Ticket", &ticket.to_string()) };
    if world.switches.records.all_notes_missing {
        return reply::no_endpoint();
    }
    if asked.method != "GET" {
        return reply::not_allowed();
    }
    let all = of_ticket(&world.state, ticket, row);
    match (row.kind, rest) {
        (Kind::Service, []) => listing::numbered(world, asked, Names::all_notes(), all.iter()),
        (Kind::Service, ["count"]) => listing::count(asked, Names::all_notes(), all.iter()),
        (Kind::Project, []) => listing::numbered(world, asked, Names::project_all_notes(), all.iter()),
        _ => reply::no_endpoint(),
    }
}

fn of_ticket(state: &State, ticket: u64, row: &TicketRow) -> Vec<Value> {
    let mut all = Vec::new();
    for (id, found) in &state.tickets {
        let shown = if *id == ticket {
            Shown::Own
        } else if found.record["mergedParentTicket"]["id"] == ticket {
            Shown::Merged
        } else if found.record["parentTicketId"] == ticket {
            Shown::Bundled
        } else {
            continue;
        };
        all.extend(found.listed_notes().map(|note| entry(row.kind, *id, found, shown, of_note(note))));
        let times = state.records.times.iter().filter(|time| time.is_of_ticket(*id) && time.is_listed());
        let texts = times.filter_map(|time| of_time(&time.record));
        all.extend(texts.map(|text| entry(row.kind, *id, found, shown, text)));
    }
    all
}

/// What all entries have.
fn entry(kind: Kind, ticket: u64, row: &TicketRow, shown: Shown, mut entry: Value) -> Value {
    entry["ticket"] = json!({"id": ticket, "summary": row.record["summary"]});
    entry["mergedFlag"] = json!(shown == Shown::Merged);
    entry["bundledFlag"] = json!(shown == Shown::Bundled);
    let author = [&entry["member"], &entry["contact"]].into_iter().find_map(|author| author["name"].as_str());
    entry["originalAuthor"] = json!(author.unwrap_or_default());
    if kind == Kind::Service {
        entry["isMarkdownFlag"] = json!(false);
        entry["createdByParentFlag"] = json!(false);
    }
    entry
}

fn of_note(note: &Value) -> Value {
    let mut entry = json!({"noteType": "TicketNote"});
    for name in [
        "id",
        "text",
        "detailDescriptionFlag",
        "internalAnalysisFlag",
        "resolutionFlag",
        "issueFlag",
        "member",
        "contact",
        "_info",
    ] {
        if let Some(value) = note.get(name).filter(|value| !value.is_null()) {
            entry[name] = value.clone();
        }
    }
    entry
}

/// A time entry that is shown in a tab. With no tab its text is on the entry only. Source: facts 10.1.
fn of_time(time: &Value) -> Option<Value> {
    let flag = |name: &str| time[name] == true;
    let (discussion, internal, resolution) =
        (flag("addToDetailDescriptionFlag"), flag("addToInternalAnalysisFlag"), flag("addToResolutionFlag"));
    let text = time["notes"].as_str().filter(|text| !text.is_empty() && (discussion || internal || resolution))?;
    let mut entry = json!({
        "id": id_of(time), "noteType": "TimeEntryNote", "text": text, "detailDescriptionFlag": discussion,
        "internalAnalysisFlag": internal, "resolutionFlag": resolution, "issueFlag": false, "member": time["member"],
        "timeStart": time["timeStart"], "_info": time["_info"],
    });
    if !time["timeEnd"].is_null() {
        entry["timeEnd"] = time["timeEnd"].clone();
    }
    Some(entry)
}
