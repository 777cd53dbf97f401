//! `psa bench` (being built)
#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<(), Box<dyn std::error::Error>> {
    Err("no benches yet".into())
}
