//! What is served beside the pages: the stylesheet, the script, the schema of a form.

use super::problem::{self, Trouble};
use crate::web::ask::{Ask, Reply};
use crate::web::assets;
use psa_host_api::Error;

/// The JSON Schema of a plugin's settings.
pub(crate) async fn schema(ask: &Ask<'_>) -> Result<Reply, Error> {
    let plugin = ask.core.connections.plugin(ask.segment("plugin"))?;
    let body = plugin.form.settings_schema().to_string().into_bytes();
    Ok(Reply::Bytes { content_type: "application/schema+json", body, for_ever: false, name: None })
}

/// The stylesheet or the script, under the name of its present content.
pub(crate) async fn asset(ask: &Ask<'_>) -> Result<Reply, Error> {
    Ok(match assets::find(ask.segment("asset")) {
        Some(asset) => {
            Reply::Bytes { content_type: asset.content_type, body: asset.bytes.to_vec(), for_ever: true, name: None }
        }
        None => problem::reply(ask.who, ask.words, &Trouble::NotFound),
    })
}
