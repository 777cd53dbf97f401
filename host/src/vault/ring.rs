//! The keys, and where they come from.
//!
//! Promises: a key file is ours alone to read, lies outside the data folder, and is never overwritten but replaced
//! whole; the text of a key is wiped after use.

use super::VaultError;
use crate::clock::Random;
use crate::fork::Locked;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use fernet::Fernet;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Gives the keyring: one Fernet key per line, the newest first. Called when the host is opened and when a key is
/// missing; from any thread.
pub type KeyHook = Arc<dyn Fn() -> Result<SecretString, psa_host_api::Error> + Send + Sync>;

/// Where keys come from.
#[derive(Clone)]
pub(crate) enum KeySource {
    Hook(KeyHook),
    File(PathBuf),
    /// The variable PSA_KEY, as it was when the host was opened.
    Variable(SecretString),
    Nowhere,
}

/// The keys by their ids, the newest first.
#[derive(Default)]
pub(super) struct Ring {
    keys: Vec<(String, Fernet)>,
}

impl Ring {
    fn read(text: &str) -> Result<Ring, VaultError> {
        let mut ring = Ring::default();
        for (number, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let unreadable = || VaultError::Source(format!("line {} is not a Fernet key", number + 1));
            let fernet = Fernet::new(line).ok_or_else(unreadable)?;
            let id = id_of(line).ok_or_else(unreadable)?;
            if ring.get(&id).is_none() {
                ring.keys.push((id, fernet));
            }
        }
        Ok(ring)
    }

    /// Takes in what is new, in front; nothing that is here goes.
    pub(super) fn merge(&mut self, fresh: Ring) {
        let new: Vec<_> = fresh.keys.into_iter().filter(|(id, _)| self.get(id).is_none()).collect();
        self.keys.splice(0..0, new);
    }

    /// Drops a key for good.
    pub(super) fn drop_key(&mut self, id: &str) {
        self.keys.retain(|(own, _)| own != id);
    }

    pub(super) fn newest(&self) -> Option<String> {
        self.keys.first().map(|(id, _)| id.clone())
    }

    pub(super) fn get(&self, id: &str) -> Option<&Fernet> {
        self.keys.iter().find(|(own, _)| own == id).map(|(_, fernet)| fernet)
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|(id, _)| id.clone()).collect()
    }
}

/// The id of a key: it says nothing about the key.
fn id_of(key: &str) -> Option<String> {
    let bytes = Zeroizing::new(URL_SAFE.decode(key).ok()?);
    let digest = Sha256::new().chain_update(b"psa-bridge vault key").chain_update(&*bytes).finalize();
    Some(crate::clock::hex(&digest[..8]))
}

/// A new key, as text.
fn new_key(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(&mut *bytes);
    Zeroizing::new(URL_SAFE.encode(*bytes))
}

impl KeySource {
    /// Reads the keys. `fresh`: nothing was ever sealed in this store, so a first key may be made.
    pub(super) fn load(&self, fresh: bool, random: &dyn Random) -> Result<Ring, VaultError> {
        match self {
            KeySource::Nowhere => Ok(Ring::default()),
            KeySource::Variable(text) => Ring::read(text.expose_secret()),
            KeySource::Hook(hook) => {
                let text = hook().map_err(|error| VaultError::Source(format!("the hook failed: {}", error.message)))?;
                Ring::read(text.expose_secret())
            }
            KeySource::File(path) => match read_file(path)? {
                Some(text) => Ring::read(&text),
                None if fresh => {
                    make_file(path, &new_key(random), random)?;
                    // Another process may have been first: what is there counts.
                    read_file(path)?.map_or_else(|| Ok(Ring::default()), |text| Ring::read(&text))
                }
                None => Ok(Ring::default()),
            },
        }
    }

    /// Keeps everybody else from changing these keys until it is dropped; `data` is where a source without a file has its
    /// lock.
    pub(super) fn lock(&self, data: &Path) -> Result<Locked, VaultError> {
        let path = match self {
            KeySource::File(path) => beside(path, "lock"),
            _ => data.join("vault.lock"),
        };
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|error| failed(&path, error))?;
        Locked::take(file).map_err(|error| failed(&path, error))
    }

    /// Adds a new key in front of the others. Its id, or `None` if the source is the product's to change.
    pub(super) fn add(&self, random: &dyn Random) -> Result<Option<String>, VaultError> {
        let KeySource::File(path) = self else { return Ok(None) };
        let before = present(path)?;
        let key = new_key(random);
        let text = Zeroizing::new(format!("{}\n{}", *key, *before));
        replace_file(path, &text, random)?;
        Ok(id_of(&key))
    }

    /// Takes a key away. False: the source is the product's to change.
    pub(super) fn remove(&self, id: &str, random: &dyn Random) -> Result<bool, VaultError> {
        let KeySource::File(path) = self else { return Ok(false) };
        let before = present(path)?;
        let stays = |line: &&str| id_of(line.trim()).as_deref() != Some(id);
        let text = Zeroizing::new(before.lines().filter(stays).map(|line| format!("{line}\n")).collect::<String>());
        replace_file(path, &text, random)?;
        Ok(true)
    }
}

/// The text of a file that must be there: what is missing is never made up while something is sealed.
fn present(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    read_file(path)?.ok_or_else(|| failed(path, "is not there. Put it back; nothing was changed"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    PathBuf::from(name)
}

fn failed(path: &Path, what: impl std::fmt::Display) -> VaultError {
    VaultError::Source(format!("{}: {what}", path.display()))
}

fn read_file(path: &Path) -> Result<Option<Zeroizing<String>>, VaultError> {
    let facts = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        facts => facts.map_err(|error| failed(path, error))?,
    };
    if !facts.is_file() {
        return Err(failed(path, "is not a regular file"));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(failed(path, "can be read by others. Take the right away: chmod 600"));
    }
    fs::read_to_string(path).map(|text| Some(Zeroizing::new(text))).map_err(|error| failed(path, error))
}

fn make_file(path: &Path, key: &str, random: &dyn Random) -> Result<(), VaultError> {
    // Written beside it and linked, so that nobody ever sees half a key, and the first of two wins.
    let draft = write_draft(path, &format!("{key}\n"), random)?;
    let linked = fs::hard_link(&draft, path);
    let _ = fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(path, error)),
        _ => sync_folder(path),
    }
}

fn replace_file(path: &Path, text: &str, random: &dyn Random) -> Result<(), VaultError> {
    let draft = write_draft(path, text, random)?;
    fs::rename(&draft, path).map_err(|error| failed(path, error))?;
    sync_folder(path)
}

fn write_draft(path: &Path, text: &str, random: &dyn Random) -> Result<PathBuf, VaultError> {
    let mut nonce = [0; 8];
    random.fill(&mut nonce);
    let draft = beside(path, &format!("{:016x}.new", u64::from_le_bytes(nonce)));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(|error| failed(&draft, error))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| failed(&draft, error))?;
    Ok(draft)
}

fn sync_folder(path: &Path) -> Result<(), VaultError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))
}
