//! Methods of the colours of the page.

use crate::core::Core;
use crate::plugin::CallContext;
use crate::web::{ThemeReport, theme_report};
use psa_host_api::Error;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Parameters of theme.report.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThemeTokens {
    /// The product's variables as its stylesheet has them: `{"--psa-accent": "#1b5cbe"}`. A colour is `#rrggbb`, `#rgb`,
    /// `rgb(r g b)`, or `light-dark()` of two of these. What is left out is as the page has it.
    #[serde(default)]
    tokens: BTreeMap<String, String>,
}

pub(crate) async fn report(_: &Core, params: ThemeTokens, _: &CallContext) -> Result<ThemeReport, Error> {
    theme_report(&params.tokens)
}
