//! `psa reference`: what there is to call.

use std::error::Error;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The JSON Schemas instead of the text for people.
    #[arg(long)]
    schemas: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    if options.schemas {
        println!("{}", serde_json::to_string_pretty(&psa_host::schemas())?);
    } else {
        print!("{}", psa_host::reference());
    }
    Ok(())
}
