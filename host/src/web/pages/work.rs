//! How far a work is that takes longer than anybody waits.

use super::frame::framed;
use crate::web::ask::{Ask, Reply};
use crate::web::moment::Moment;
use crate::web::told::Told;
use crate::web::view::{Body, Chip, Crumb, Link, Tone};
use crate::works::{self, Kind, Progress};
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What ends within this needs no page of its own.
const AT_ONCE: Duration = Duration::from_millis(800);

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// "match", "import".
    pub(crate) kind: String,
    pub(crate) heading: String,
    pub(crate) chip: Chip,
    /// What it is at, or how it ended.
    #[serde(flatten)]
    pub(crate) told: Told,
    pub(crate) running: bool,
    /// Of the step it is at.
    pub(crate) done: u64,
    /// None: nobody knows how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) all: Option<u64>,
    pub(crate) began: Moment,
    /// This page again while it goes on, else where its fruits are.
    pub(crate) next: Link,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == ask.segment("kind"));
    let found = kind.and_then(|kind| Some((kind, ask.core.works.of(&place, kind)?)));
    let Some((kind, progress)) = found else {
        return Err(Error::new(Code::NotFound, "no such work was begun here").because("work_missing"));
    };
    let page = page(ask, kind, &progress);
    let mut view = framed.view(ask, "members", Body::Work(Box::new(page)));
    if let Some(last) = view.crumbs.last_mut() {
        last.href = Some(ask.of_connection(&place.connection, "/map/members"));
    }
    view.crumbs.push(Crumb { label: ask.words.say(&format!("work.{}", kind.word())), href: None });
    ask.page(view)
}

fn page(ask: &Ask<'_>, kind: Kind, progress: &Progress) -> Work {
    let words = ask.words;
    let connection = ask.segment("connection");
    let members = || Link { label: words.say("work.next"), href: ask.of_connection(connection, "/map/members") };
    let (tone, key, told, next) = match &progress.ended {
        None => {
            let here = ask.of_connection(connection, &format!("/progress/{}", kind.word()));
            let next = Link { label: words.say("work.again"), href: here };
            (Tone::Info, "work.running", Told::ours(at(ask, progress)), next)
        }
        Some(Ok(n)) => {
            (Tone::Ok, "work.done", Told::ours(words.count(&format!("work.{}.done", kind.word()), *n)), members())
        }
        Some(Err(error)) => (Tone::Bad, "work.failed", words.told(error), members()),
    };
    Work {
        kind: kind.word().to_owned(),
        heading: words.say(&format!("work.{}", kind.word())),
        chip: Chip { tone, label: words.say(key) },
        told,
        running: progress.ended.is_none(),
        done: progress.done,
        all: progress.all,
        began: words.moment(progress.began),
        next,
    }
}

/// "Reading statuses: 3 of 12".
fn at(ask: &Ask<'_>, progress: &Progress) -> String {
    let done = ask.words.number(progress.done);
    let step = progress.step.word();
    match progress.all {
        Some(all) => ask.words.fill(&format!("work.at.{step}.of"), &[("done", &done), ("all", &ask.words.number(all))]),
        None => ask.words.fill(&format!("work.at.{step}"), &[("done", &done)]),
    }
}

/// Begins a work and waits a moment: where to go on, or what was in its way.
pub(crate) async fn begun(ask: &Ask<'_>, kind: Kind, fruits: String, word: &'static str) -> Result<Reply, Error> {
    let place = ask.place();
    let mut work = works::begin(ask.core, &place, kind, ask.by());
    let ended = tokio::time::timeout(AT_ONCE, work.wait_for(|progress| progress.ended.is_some())).await;
    let ended = match ended {
        Ok(Ok(progress)) => progress.ended.clone(),
        _ => None,
    };
    match ended {
        Some(Ok(_)) => Ok(Reply::Done { to: fruits, word }),
        Some(Err(error)) => Err(error),
        None => {
            let to = ask.of_connection(&place.connection, &format!("/progress/{}", kind.word()));
            Ok(Reply::Done { to, word: "working" })
        }
    }
}
