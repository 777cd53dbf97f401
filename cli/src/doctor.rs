//! `psa doctor`: what is wrong with a data folder.

use std::error::Error;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The host's data folder.
    data_dir: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = &options.data_dir;
    if !folder.join("store.db").is_file() {
        return Err(format!("{} holds no store.db; name the data_dir of a host", folder.display()).into());
    }
    let found = psa_host::doctor(folder)?;
    if found.is_empty() {
        println!("{}: the database is whole", folder.display());
        return Ok(());
    }
    for line in &found {
        println!("{line}");
    }
    Err(format!("{} findings: restore a backup that was made with store.backup", found.len()).into())
}
