//! A step that somebody takes with their eyes open: a form that says what follows, and asks where something can be lost or be
//! there twice.

use crate::web::ask::Ask;
use crate::web::permission::Permission;
use psa_host_api::{Code, Error};
use serde::{Deserialize, Serialize};

/// The field of a form by which somebody says that they have read what may happen.
pub(crate) const SURE: &str = "sure";

/// A form with one button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Stable; also the anchor of the form.
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) title: String,
    /// What follows from it.
    pub(crate) text: String,
    pub(crate) label: String,
    /// Something can be lost by it.
    pub(crate) danger: bool,
    /// What has to be agreed to; sent as `sure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sure: Option<String>,
    /// What can be chosen, and sent under the field's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<StepOption>,
    /// What can be typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<StepField>,
    /// Who may.
    pub(crate) needs: Vec<Permission>,
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepOption {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) help: String,
}

/// Something that can be typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepField {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) value: String,
    pub(crate) required: bool,
}

impl Step {
    /// One whose texts are `step.<name>.…`; `values` fill them in.
    pub(crate) fn of(ask: &Ask<'_>, name: &str, href: String, values: &[(&str, &str)]) -> Step {
        let say = |part: &str| ask.words.fill(&format!("step.{name}.{part}"), values);
        Step {
            name: name.to_owned(),
            href,
            title: say("title"),
            text: say("text"),
            label: say("label"),
            danger: false,
            sure: None,
            options: Vec::new(),
            field: None,
            needs: vec![Permission::View, Permission::Operate],
        }
    }

    /// With something that has to be agreed to.
    pub(crate) fn sure(mut self, text: String) -> Step {
        self.sure = Some(text);
        self
    }
}

/// The steps that who asks may take.
pub(crate) fn allowed(ask: &Ask<'_>, steps: Vec<Step>) -> Vec<Step> {
    steps.into_iter().filter(|step| step.needs.iter().all(|needed| ask.may(*needed))).collect()
}

/// Refuses what was not agreed to.
pub(crate) fn agreed(ask: &Ask<'_>) -> Result<(), Error> {
    if ask.form.filled(SURE).is_some() {
        return Ok(());
    }
    let message = "say that you have read what may happen";
    Err(Error::invalid(message).because("not_agreed").field("/sure", "required", message))
}

/// Whether an error is about what was asked for, so that it belongs on the page where it was.
pub(crate) fn is_about_it(error: &Error) -> bool {
    matches!(
        error.code,
        Code::Conflict
            | Code::InvalidArgument
            | Code::NotFound
            | Code::TooLarge
            | Code::Forbidden
            | Code::Unauthenticated
    )
}

/// The status of a page that says so.
pub(crate) fn status(error: &Error) -> u16 {
    if error.code == Code::Conflict { 409 } else { 422 }
}
