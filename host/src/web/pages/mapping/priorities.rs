//! Which priority stands for which of the product's.

use super::{Known, Mapping, Sheet, Subject, Unsaved};
use crate::mappings::{choices, table};
use crate::store::Mapped;
use crate::web::ask::{Ask, Reply};
use crate::web::pages::frame::{Framed, framed};
use crate::web::view::Body;
use psa_host_api::Error;

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let body = page(ask, &framed, &Unsaved::new()).await?;
    ask.page(framed.view(ask, "priorities", Body::Mapping(Box::new(body))))
}

pub(super) async fn page(ask: &Ask<'_>, framed: &Framed, unsaved: &Unsaved) -> Result<Mapping, Error> {
    let (place, which) = (ask.place(), Mapped::Priorities);
    let lines = table(ask.core, &place, &which)?;
    let choices = choices(ask.core, &place, &which, ask.context).await;
    let known = Known::of(&lines, &choices);
    let sheet = Sheet { subject: Subject::Priorities, which, lines, choices, suggested: Vec::new(), unsaved, known };
    Ok(sheet.page(ask, framed))
}

pub(crate) async fn save(ask: &Ask<'_>) -> Result<Reply, Error> {
    super::save::save(ask, Subject::Priorities, Mapped::Priorities).await
}
