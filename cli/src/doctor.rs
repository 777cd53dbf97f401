//! `psa doctor`: what is wrong with a data folder, and with plugins.

use std::error::Error;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The host's data folder.
    data_dir: PathBuf,
    /// A plugin file or a folder of them, as in the configuration: says which are refused, and why. It can be given
    /// several times. Only for the user of the host, who owns DATA_DIR: the copies that the host loads are made here.
    #[arg(long)]
    plugins: Vec<PathBuf>,
    /// Counts anew how many links and operations each connection has, where something else is said. Hosts may be at work.
    #[arg(long)]
    recount: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = &options.data_dir;
    if !folder.join("store.db").is_file() {
        return Err(format!("{} holds no store.db; name the data_dir of a host", folder.display()).into());
    }
    let refused = match options.plugins.as_slice() {
        [] => Vec::new(),
        plugins => psa_host::refused_plugins(folder, plugins)?,
    };
    for line in &refused {
        println!("{line}");
    }
    if refused.is_empty() && !options.plugins.is_empty() {
        println!("no plugin is refused");
    }
    if options.recount {
        println!("connections that are counted anew: {}", psa_host::recount(folder)?);
    }
    let found = psa_host::doctor(folder)?;
    for line in &found {
        println!("{line}");
    }
    if !found.is_empty() {
        return Err(format!(
            "{} findings: what is damaged comes back with a backup that was made with store.backup",
            found.len()
        )
        .into());
    }
    println!("{}: the database is whole", folder.display());
    if refused.is_empty() { Ok(()) } else { Err(format!("{} plugins are refused", refused.len()).into()) }
}
