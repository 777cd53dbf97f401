//! What is mapped of one board, on others: chosen, looked at, and only then done.
//!
//! Promises: boards are read only once they are chosen; what is done is what was shown, or nothing; what is mapped on another
//! board already stays.

use super::statuses::Boards;
use crate::mappings::Choice;
use crate::mappings::copy::{BOARDS_MAX, CopyFit, OnBoard, Source, copy};
use crate::web::ask::{Ask, Reply, query};
use crate::web::pages::frame::{Framed, framed};
use crate::web::pages::problem::of_error;
use crate::web::permission::Permission;
use crate::web::told::Told;
use crate::web::view::{Action, Body, Crumb, Link, Look, Notice, View};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Boards that can be chosen without looking for them.
const SHOWN_MAX: usize = 50;
/// Statuses that are named of one board; of more their number is told.
const NAMED_MAX: usize = 6;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Copy {
    pub(crate) title: String,
    pub(crate) lede: String,
    /// Where the boards are sent to that were chosen.
    pub(crate) href: String,
    /// The board that is copied from.
    pub(crate) scope: String,
    /// What the boards are called here.
    pub(crate) legend: String,
    pub(crate) boards: Vec<Offered>,
    /// What they are found by, where there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) find: Option<String>,
    /// That not all of them are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) more: Option<String>,
    /// What is wrong with what was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preview: Option<Preview>,
    pub(crate) back: Link,
}

/// A board that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offered {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// What a copy would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Preview {
    /// "5 statuses would be mapped."
    pub(crate) said: String,
    pub(crate) rows: Vec<Planned>,
    /// None: there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) save: Option<Action>,
}

/// The same on one board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    pub(crate) scope: String,
    pub(crate) board: String,
    pub(crate) fits: Named,
    pub(crate) stays: Named,
    pub(crate) without: Named,
    /// Why nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<Told>,
}

/// So many, and who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) n: u64,
    /// "12".
    pub(crate) shown: String,
    pub(crate) names: Vec<String>,
}

/// What is to be copied, and where to.
struct Plan<'a> {
    boards: &'a Boards,
    from: &'a Choice,
    source: Source,
    rows: Vec<(&'a Choice, Result<OnBoard, Error>)>,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let boards = boards(ask, &framed).await?;
    // Whoever comes first is offered all of them, as long as they go in one.
    let first = ask.query.get("look").is_none();
    let to = if first { Vec::new() } else { chosen(ask, &boards) };
    let plan = plan(ask, &boards, &to).await?;
    let error = match to.len() {
        0 if !first => Some(ask.words.say("map.copy.none")),
        n if n > BOARDS_MAX => Some(ask.words.count("map.copy.many", BOARDS_MAX as u64)),
        _ => None,
    };
    let status = if error.is_some() { 422 } else { 200 };
    let view = framed.view(ask, "statuses", Body::Copy(Box::new(page(ask, &plan, first, &to, error))));
    Ok(Reply::View(status, Box::new(trailed(ask, &framed, view, &plan))))
}

pub(crate) async fn save(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let boards = boards(ask, &framed).await?;
    let to = chosen(ask, &boards);
    let mut plan = plan(ask, &boards, &to).await?;
    if ask.form.get("seen") != Some(plan.digest().as_str()) {
        let view = framed.view(ask, "statuses", Body::Copy(Box::new(page(ask, &plan, false, &to, None))));
        let mut view = trailed(ask, &framed, view, &plan);
        view.notices.push(Notice::bad(ask.words.say("map.copy.other"), ask.words.say("map.copy.other.text")));
        return Ok(Reply::View(409, Box::new(view)));
    }
    let place = ask.place();
    let mut failed = Vec::new();
    for (board, planned) in plan.rows.drain(..) {
        if let Ok(planned) = planned {
            let copied = copy(ask.core, &place, &board.id, planned, &ask.by(), ask.context).await;
            failed.extend(copied.err().map(|error| (board, error)));
        }
    }
    if !failed.is_empty() {
        // What was copied is copied: looked at again, it stays, and the rest is what is left to do.
        let left = self::plan(ask, &boards, &to).await?;
        let view = framed.view(ask, "statuses", Body::Copy(Box::new(page(ask, &left, false, &to, None))));
        let mut view = trailed(ask, &framed, view, &left);
        let mut answered = 500;
        for (board, error) in failed {
            let title = ask.words.fill("map.copy.failed", &[("board", &board.label())]);
            let (status, _, told) = of_error(ask.words, &error);
            view.notices.push(Notice::bad(title, told));
            answered = status;
        }
        return Ok(Reply::View(answered, Box::new(view)));
    }
    let to: String = to.iter().map(|board| format!("&to={}", query(&board.id))).collect();
    Ok(Reply::Done { to: format!("{}&look=1{to}", href(ask, &plan.from.id)), word: "copied" })
}

/// Where what is mapped of a board is copied from it.
pub(super) fn href(ask: &Ask<'_>, scope: &str) -> String {
    ask.of_connection(ask.segment("connection"), &format!("/map/statuses/copy?scope={}", query(scope)))
}

async fn boards(ask: &Ask<'_>, framed: &Framed) -> Result<Boards, Error> {
    let boards = Boards::read(ask, framed).await?;
    boards.ok_or_else(|| Error::new(Code::NotFound, "here statuses belong to the whole connection"))
}

/// Those that were chosen, as far as they are there.
fn chosen<'b>(ask: &Ask<'_>, boards: &'b Boards) -> Vec<&'b Choice> {
    let pairs = if ask.form.get("to").is_some() { &ask.form } else { &ask.query };
    let wanted: Vec<&str> = pairs.all("to").collect();
    let from = ask.query.get("scope").unwrap_or_default();
    boards.others(from).filter(|board| wanted.contains(&board.id.as_str())).collect()
}

async fn plan<'a>(ask: &Ask<'_>, boards: &'a Boards, to: &[&'a Choice]) -> Result<Plan<'a>, Error> {
    let place = ask.place();
    let from = ask.query.filled("scope");
    let from = from.and_then(|from| boards.listed.iter().find(|board| board.id == from));
    let from = from.ok_or_else(|| Error::new(Code::NotFound, "there is no such board"))?;
    let source = Source::read(ask.core, &place, &from.id, ask.context).await?;
    let mut rows = Vec::new();
    // One too many is said and not read.
    for board in to.iter().filter(|_| to.len() <= BOARDS_MAX) {
        rows.push((*board, source.plan(ask.core, &place, &board.id, ask.context).await));
    }
    Ok(Plan { boards, from, source, rows })
}

impl Plan<'_> {
    /// What would be done, in a few characters: whoever says yes has seen exactly this.
    fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (board, planned) in &self.rows {
            for fit in planned.iter().flat_map(|planned| &planned.fits) {
                for part in [&board.id, &fit.value, fit.status.as_deref().unwrap_or_default()] {
                    digest.update((part.len() as u64).to_be_bytes());
                    digest.update(part.as_bytes());
                }
            }
        }
        crate::clock::hex(&digest.finalize()[..16])
    }
}

fn page(ask: &Ask<'_>, plan: &Plan<'_>, first: bool, to: &[&Choice], error: Option<String>) -> Copy {
    let connection = ask.segment("connection");
    let name = plan.from.label();
    let find = ask.query.get("find").unwrap_or_default().trim().to_lowercase();
    let others: Vec<&Choice> = plan.boards.others(&plan.from.id).collect();
    let is_chosen = |board: &Choice| match first {
        true => others.len() <= BOARDS_MAX,
        false => to.iter().any(|one| one.id == board.id),
    };
    let (mut shown, mut found): (Vec<&Choice>, Vec<&Choice>) = others.iter().partition(|board| is_chosen(board));
    found.retain(|board| board.label().to_lowercase().contains(&find));
    let left_out = (shown.len() + found.len()).saturating_sub(SHOWN_MAX) as u64;
    shown.extend(found);
    shown.truncate(SHOWN_MAX.max(to.len().min(BOARDS_MAX)));
    if others.len() <= SHOWN_MAX {
        shown.sort_by_key(|board| others.iter().position(|other| other.id == board.id));
    }
    let offered = |board: &&Choice| Offered {
        value: board.id.clone(),
        label: plan.boards.label(ask, board),
        chosen: is_chosen(board),
    };
    Copy {
        title: plan.boards.copying(ask),
        lede: ask.words.count_fill("map.copy.lede", plan.source.len() as u64, &[("name", &name)]),
        href: ask.of_connection(connection, "/map/statuses/copy"),
        scope: plan.from.id.clone(),
        legend: ask.words.say("map.copy.to"),
        boards: shown.iter().map(offered).collect(),
        find: (others.len() > SHOWN_MAX).then_some(find),
        more: (left_out > 0).then(|| ask.words.count("map.copy.more", left_out)),
        error,
        preview: (!plan.rows.is_empty()).then(|| preview(ask, plan)),
        back: Link {
            label: ask.words.fill("map.copy.back", &[("name", &name)]),
            href: ask.of_connection(connection, &format!("/map/statuses?scope={}", query(&plan.from.id))),
        },
    }
}

fn preview(ask: &Ask<'_>, plan: &Plan<'_>) -> Preview {
    let named = |fits: &[CopyFit]| {
        let name = |fit: &CopyFit| match fit.label.is_empty() {
            true => fit.name.clone(),
            false => ask.words.fill("map.copy.pair", &[("value", &fit.name), ("status", &fit.label)]),
        };
        let n = fits.len() as u64;
        let mut names: Vec<String> = fits.iter().map(name).take(NAMED_MAX).collect();
        let more = fits.len().saturating_sub(NAMED_MAX) as u64;
        names.extend((more > 0).then(|| ask.words.count("map.copy.and", more)));
        Named { n, shown: ask.words.number(n), names }
    };
    let row = |(board, planned): &(&Choice, Result<OnBoard, Error>)| {
        let known = planned.as_ref().ok();
        let list = |of: fn(&OnBoard) -> &Vec<CopyFit>| known.map(|known| named(of(known))).unwrap_or_default();
        Planned {
            scope: board.id.clone(),
            board: board.label(),
            fits: list(|board| &board.fits),
            stays: list(|board| &board.stays),
            without: list(|board| &board.without),
            trouble: planned.as_ref().err().map(|error| ask.words.told(error)),
        }
    };
    let rows: Vec<Planned> = plan.rows.iter().map(row).collect();
    let n: u64 = rows.iter().map(|row| row.fits.n).sum();
    let label = ask.words.count("map.copy.do", n);
    let save =
        Action::post("copy", label, href(ask, &plan.from.id), &[Permission::View, Permission::Map]).look(Look::Primary);
    let save = plan.rows.iter().fold(save, |save, (board, _)| save.field("to", &board.id));
    let said = ask.words.count(if n == 0 { "map.copy.nothing" } else { "map.copy.said" }, n);
    let save = (n > 0).then(|| save.field("seen", &plan.digest()));
    Preview { said, rows, save }
}

/// The way here leads over the board.
fn trailed(ask: &Ask<'_>, framed: &Framed, mut view: View, plan: &Plan<'_>) -> View {
    let id = &framed.summary.connection.place.connection;
    let title = plan.boards.copying(ask);
    if let Some(statuses) = view.crumbs.last_mut() {
        statuses.href = Some(ask.of_connection(id, &format!("/map/statuses?scope={}", query(&plan.from.id))));
    }
    view.crumbs.push(Crumb { label: title.clone(), href: None });
    view.title = format!("{title} - {}", framed.summary.connection.name);
    view
}
