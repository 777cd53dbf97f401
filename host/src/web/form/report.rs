//! What a test has found, step by step, in the reader's words.

use super::ReportView;
use crate::web::view::{Chip, Mark, Tone};
use crate::web::words::Words;
use psa_host_api::model::{StepState, TestReport};

/// The report beside the form.
pub(crate) fn view(words: &Words<'_>, report: &TestReport) -> ReportView {
    let limits =
        report.steps.iter().filter(|step| matches!(step.state, StepState::Failed | StepState::Warning)).count();
    let chip = match (report.passed, limits) {
        (false, _) => Chip { tone: Tone::Bad, label: words.say("form.report.failed") },
        (true, 0) => Chip { tone: Tone::Ok, label: words.say("form.report.works") },
        (true, n) => Chip { tone: Tone::Warn, label: words.count("form.report.limits", n as u64) },
    };
    let steps = report.steps.iter().map(|step| {
        let (tone, said) = match step.state {
            StepState::Passed => (Tone::Ok, "mark.ok"),
            StepState::Warning => (Tone::Warn, "mark.warn"),
            StepState::Failed if report.passed => (Tone::Warn, "mark.warn"),
            StepState::Failed => (Tone::Bad, "mark.bad"),
            StepState::Skipped => (Tone::Idle, "mark.idle"),
        };
        let title = words.find(&format!("step.{}", step.step)).unwrap_or_else(|| step.step.clone());
        let aside = step.ms.map(|ms| words.fill("form.report.ms", &[("ms", &words.number(ms))])).unwrap_or_default();
        let told = words.of_others(&step.message, 1_000);
        Mark { tone, said: words.say(said), title, told, aside, links: Vec::new() }
    });
    let said = words.fill("form.report.said", &[("clock", &words.clock(words.now()))]);
    ReportView { passed: report.passed, chip, steps: steps.collect(), said }
}
