//! Which processes with this data folder are alive.
//!
//! Holds: [`Owners`]: this host's own name, and those of the others.
//! Promises: a host is alive exactly as long as its file is locked, which the system ends with its process, however it
//! dies; nothing here is needed for safety, only for not waiting.
//! Leaves to others: leases (`outbox`), keys (`vault`).

use crate::clock::Random;
use crate::fork::Locked;
use psa_host_api::{Code, Error};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The owners of one data folder.
pub(crate) struct Owners {
    folder: PathBuf,
    me: String,
    /// Locked for as long as this host is open.
    file: Mutex<(Locked, String)>,
}

impl Owners {
    /// Takes a name and locks its file; removes the files of those who have died.
    pub(crate) fn join(data_dir: &Path, random: &dyn Random) -> Result<Owners, Error> {
        let folder = data_dir.join("owners");
        let failed = |error: std::io::Error| {
            Error::new(Code::Storage, format!("{}: {error}", folder.display())).because("data_dir")
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut nonce = [0; 8];
        random.fill(&mut nonce);
        let me = format!("{}-{}", std::process::id(), crate::clock::hex(&nonce));
        // Locked before it gets its name, so that nobody takes it for a dead one's.
        let draft = folder.join(format!(".{me}"));
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
        let file = Locked::take(file).map_err(failed)?;
        fs::rename(&draft, folder.join(&me)).map_err(failed)?;
        let owners = Owners { folder, me, file: Mutex::new((file, String::new())) };
        owners.sweep();
        Ok(owners)
    }

    /// This host's name.
    pub(crate) fn me(&self) -> &str {
        &self.me
    }

    /// The data folder.
    pub(crate) fn data_dir(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// All that are alive, this host among them.
    pub(crate) fn living(&self) -> Vec<String> {
        let mut living = vec![self.me.clone()];
        living.extend(self.others().into_iter().filter(|(_, alive)| *alive).map(|(name, _)| name));
        living
    }

    fn others(&self) -> Vec<(String, bool)> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| *name != self.me && !name.starts_with('.'))
            .map(|name| {
                let alive = File::open(self.folder.join(&name)).is_ok_and(|file| file.try_lock_shared().is_err());
                (name, alive)
            })
            .collect()
    }

    fn sweep(&self) {
        for (name, alive) in self.others() {
            if !alive {
                let _ = fs::remove_file(self.folder.join(name));
            }
        }
    }

    /// Says which key this host seals with.
    pub(crate) fn name_key(&self, key: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.1 == key {
            return;
        }
        let (handle, named) = &mut *file;
        let written = handle
            .rewind()
            .and_then(|()| handle.set_len(0))
            .and_then(|()| handle.write_all(key.as_bytes()))
            .and_then(|()| handle.flush());
        if written.is_ok() {
            key.clone_into(named);
        }
    }

    /// Whether another living host seals with this key.
    pub(crate) fn others_name_key(&self, key: &str) -> bool {
        self.others().into_iter().filter(|(_, alive)| *alive).any(|(name, _)| {
            let mut text = String::new();
            let read = File::open(self.folder.join(name)).and_then(|mut file| file.read_to_string(&mut text));
            read.is_err() || text == key
        })
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.join(&self.me));
    }
}
