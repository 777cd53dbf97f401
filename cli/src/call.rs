//! `psa call`: one method, JSON in and out.

use psa_host::{CallOptions, Hooks, Host};
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The method: methods.list names them all.
    method: String,
    /// Its parameters, a JSON object; @FILE reads them from a file.
    #[arg(default_value = "{}")]
    params: String,
    /// The host's configuration, a JSON file. Without it a host in a temporary folder with the plugins of this
    /// program's package, or those beside it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Show the host's log.
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = match &options.config {
        Some(path) => std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => {
            let plugins = [plugins()?];
            let keys = folder.path().join("vault.keys");
            serde_json::json!({"data_dir": folder.path().join("data"), "plugins": plugins, "vault": {"key_file": keys}})
                .to_string()
                .into_bytes()
        }
    };
    let params = match options.params.strip_prefix('@') {
        Some(path) => std::fs::read(path).map_err(|error| format!("{path}: {error}"))?,
        None => options.params.clone().into_bytes(),
    };
    let mut hooks = Hooks::default();
    if options.verbose {
        hooks.log = Some(Arc::new(|level, target, text| eprintln!("{level} {target}: {text}")));
    }
    let host = Host::open(&config, hooks)?;
    let outcome = host.call(&options.method, &params, CallOptions::default());
    host.close(1000)?;
    match outcome {
        Ok(json) => {
            print(&json);
            Ok(())
        }
        // The whole error, for programs, where results go.
        Err(error) => {
            print(&error.to_json());
            Err(error.into())
        }
    }
}

/// The folder of plugins in a package, or, where cargo has put this program, that of everything.
fn plugins() -> std::io::Result<PathBuf> {
    let packaged = super::demo::beside_this_program("../lib/psa_host/plugins")?;
    if packaged.is_dir() { Ok(packaged) } else { super::demo::beside_this_program("") }
}

/// One line. Whoever reads it may have seen enough before its end.
fn print(json: &str) {
    let _ = writeln!(std::io::stdout(), "{json}");
}
