//! What opening a host needs: its threads, its folder, its record, its keys.

use crate::clock::Random;
use crate::config::Config;
use crate::plugin::{Crash, Running, block_signals, is_ours};
use crate::vault::{KeyHook, KeySource};
use psa_host_api::{Code, Error};
use secrecy::SecretString;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

pub(super) fn io_runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("psa-io")
        .on_thread_start(block_signals)
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("the I/O threads could not be started: {error}")))
}

pub(super) fn begin_record(data_dir: &Path, random: &dyn Random) -> Result<(Running, Vec<Crash>), Error> {
    let mut nonce = [0; 8];
    random.fill(&mut nonce);
    let name = format!("{}-{:016x}", std::process::id(), u64::from_le_bytes(nonce));
    let folder = data_dir.join("running");
    Running::begin(&folder, &name).map_err(|error| unusable(&folder, &error))
}

pub(super) fn make_private(folder: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| unusable(folder, &error))?;
    let facts = folder.metadata().map_err(|error| unusable(folder, &error))?;
    if facts.permissions().mode() & 0o022 != 0 {
        let message =
            format!("data_dir {0} can be written by others. Take the right away: chmod go-w {0}", folder.display());
        return Err(Error::new(Code::Forbidden, message).because("data_dir_writable"));
    }
    if !is_ours(&facts) {
        let message = format!("data_dir {} belongs to another user. Change its owner", folder.display());
        return Err(Error::new(Code::Forbidden, message).because("data_dir_owner"));
    }
    Ok(())
}

fn unusable(folder: &Path, error: &std::io::Error) -> Error {
    let message =
        format!("data_dir: {} cannot be used: {error}. Name a folder that this user can write", folder.display());
    Error::new(Code::Storage, message).because("data_dir")
}

/// Where this host's keys come from.
pub(super) fn key_source(config: &Config, hook: Option<KeyHook>) -> Result<KeySource, Error> {
    if let Some(hook) = hook {
        return Ok(KeySource::Hook(hook));
    }
    if let Some(file) = &config.vault.key_file {
        let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
        let inside = config.data_dir.canonicalize().is_ok_and(|data| folder.is_some_and(|at| at.starts_with(data)));
        if inside {
            let message = "vault.key_file lies below data_dir: who copies the database would have its keys. Move it";
            return Err(Error::invalid(message).because("key_beside_data").field("/vault/key_file", "place", message));
        }
        return Ok(KeySource::File(file.clone()));
    }
    match std::env::var("PSA_KEY") {
        Ok(text) if !text.trim().is_empty() => Ok(KeySource::Variable(SecretString::from(text))),
        _ => Ok(KeySource::Nowhere),
    }
}
