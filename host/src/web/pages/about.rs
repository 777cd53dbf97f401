//! What is served beside the pages: the stylesheet and the script.

use super::problem::{self, Trouble};
use crate::web::ask::{Ask, Reply};
use crate::web::assets;
use psa_host_api::Error;

/// The stylesheet or the script, under the name of its present content.
pub(crate) async fn asset(ask: &Ask<'_>) -> Result<Reply, Error> {
    Ok(match assets::find(ask.segment("asset")) {
        Some(asset) => {
            Reply::Bytes { content_type: asset.content_type, body: asset.bytes.to_vec(), for_ever: true, name: None }
        }
        None => problem::reply(ask.who, ask.words, &Trouble::NotFound),
    })
}
