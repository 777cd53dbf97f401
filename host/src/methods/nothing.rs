//! Parameters and results that say nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// It is done; there is nothing to say about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {}
