//! Which member stands for which agent.

use super::{Known, Mapping, Sheet, Subject, Unsaved, here};
use crate::lists;
use crate::mappings::{of_member, suggested, table};
use crate::store::{Mapped, MappingWay};
use crate::web::ask::{Ask, Reply};
use crate::web::pages::frame::{Framed, framed};
use crate::web::pages::work;
use crate::web::permission::Permission;
use crate::web::view::{Action, Body};
use crate::works::Kind;
use psa_host_api::Error;

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let body = page(ask, &framed, &Unsaved::new()).await?;
    ask.page(framed.view(ask, "members", Body::Mapping(Box::new(body))))
}

pub(super) async fn page(ask: &Ask<'_>, framed: &Framed, unsaved: &Unsaved) -> Result<Mapping, Error> {
    let place = ask.place();
    let lines = table(ask.core, &place, &Mapped::Members)?;
    // Without anybody to map nobody is asked who there is.
    let members = match lines.is_empty() {
        true => Ok(Vec::new()),
        false => lists::all_members(ask.core, &place, ask.context).await,
    };
    let suggested = members.as_ref().map(|members| suggested(&lines, members)).unwrap_or_default();
    let alike = suggested.iter().filter(|one| one.by == MappingWay::Email).count() as u64;
    let choices = members.map(|members| members.iter().map(of_member).collect());
    let known = Known::of(&lines, &choices);
    let sheet = Sheet { subject: Subject::Members, which: Mapped::Members, lines, choices, suggested, unsaved, known };
    let mut page = sheet.page(ask, framed);
    if alike > 0 {
        let href = ask.of_connection(&place.connection, "/map/members/match");
        let label = ask.words.count("map.match", alike);
        let action = Action::post("match", label, href, &[Permission::View, Permission::Map]);
        page.action = ask.allowed(vec![action]).pop();
    }
    Ok(page)
}

pub(crate) async fn save(ask: &Ask<'_>) -> Result<Reply, Error> {
    super::save::save(ask, Subject::Members, Mapped::Members).await
}

/// Saves what is proposed because of an equal address.
pub(crate) async fn save_alike(ask: &Ask<'_>) -> Result<Reply, Error> {
    ask.core.connections.exists(&ask.place())?;
    work::begun(ask, Kind::Match, here(ask, Subject::Members, None, None), "mapped").await
}
