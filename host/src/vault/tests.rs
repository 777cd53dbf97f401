//! What is sealed opens in its place, with its key, at any time.

use super::*;
use crate::clock::SystemRandom;
use crate::store::SqliteStore;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

struct Scene {
    folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    owners: Arc<Owners>,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).unwrap());
        let owners = Arc::new(Owners::join(&data, &SystemRandom).unwrap());
        Scene { folder, store, owners }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("keys")
    }

    fn vault(&self) -> Vault {
        self.vault_of(KeySource::File(self.file()))
    }

    fn vault_of(&self, source: KeySource) -> Vault {
        Vault::open(self.store.clone(), source, Arc::new(SystemRandom), self.owners.clone()).unwrap()
    }
}

fn place(name: &str) -> SealPlace<'_> {
    SealPlace { table: "secrets", tenant: "t", connection: "c", name, version: 1, bound: "b" }
}

#[test]
fn a_value_opens_only_where_it_was_sealed() {
    let scene = Scene::new();
    let vault = scene.vault();
    let sealed = vault.seal(&place("key"), b"k3y").unwrap();
    assert_eq!(&*vault.open_sealed(&place("key"), &sealed).unwrap(), b"k3y");
    let at = place("key");
    for other in [
        SealPlace { table: "tokens", ..at },
        SealPlace { tenant: "u", ..at },
        SealPlace { connection: "d", ..at },
        SealPlace { name: "other", ..at },
        SealPlace { version: 2, ..at },
        SealPlace { bound: "elsewhere", ..at },
        SealPlace { tenant: "tc", connection: "", ..at },
    ] {
        assert_eq!(vault.open_sealed(&other, &sealed), Err(VaultError::Tampered), "{other:?}");
    }
    let mut changed = sealed.clone();
    changed.token.replace_range(20..21, if &changed.token[20..21] == "A" { "B" } else { "A" });
    assert_eq!(vault.open_sealed(&place("key"), &changed), Err(VaultError::Tampered));
}

#[test]
fn the_clock_does_not_decide_whether_a_value_opens() {
    let scene = Scene::new();
    let vault = scene.vault();
    let key = vault.sealing_key().unwrap();
    let content = place("key").wrap(b"k3y");
    // Stamped by a machine whose clock was a year ahead.
    let token = vault.with_key(&key, |fernet| fernet.encrypt_at_time(&content, 4_000_000_000)).unwrap();
    assert_eq!(&*vault.open_sealed(&place("key"), &Sealed { key, token }).unwrap(), b"k3y");
}

#[test]
fn a_missing_key_is_named_and_nothing_is_lost() {
    let scene = Scene::new();
    let vault = scene.vault();
    let sealed = vault.seal(&place("key"), b"k3y").unwrap();
    vault.pepper().unwrap();
    let away = scene.folder.path().join("away");
    std::fs::rename(scene.file(), &away).unwrap();
    let without = scene.vault();
    assert!(!scene.file().exists(), "a key of an old store is never made up");
    assert_eq!(without.open_sealed(&place("key"), &sealed), Err(VaultError::Missing(sealed.key.clone())));
    assert_eq!(without.seal(&place("key"), b"x"), Err(VaultError::Missing(sealed.key.clone())));
    assert!(without.pepper().is_err());
    assert_eq!(without.status().unwrap().sealing_key.as_deref(), Some(&*sealed.key));
    // It is back: no restart needed.
    std::fs::rename(&away, scene.file()).unwrap();
    assert_eq!(&*without.open_sealed(&place("key"), &sealed).unwrap(), b"k3y");
    assert_eq!(**without.pepper().unwrap(), **vault.pepper().unwrap());
    assert_eq!(scene.vault_of(KeySource::Nowhere).seal(&place("key"), b"x"), Err(VaultError::Missing(sealed.key)));
}

#[test]
fn a_key_file_is_ours_alone() {
    let scene = Scene::new();
    scene.vault();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&scene.file()), 0o600);
    std::fs::set_permissions(scene.file(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = |source| Vault::open(scene.store.clone(), source, Arc::new(SystemRandom), scene.owners.clone());
    assert!(matches!(open(KeySource::File(scene.file())), Err(VaultError::Source(_))));
    std::fs::set_permissions(scene.file(), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(scene.file(), "not a key\n").unwrap();
    let Err(VaultError::Source(message)) = open(KeySource::File(scene.file())) else { panic!("it is no key") };
    assert!(message.contains("line 1") && !message.contains("not a key\n"), "{message}");
}

#[test]
fn rotation_goes_on_where_it_was_interrupted_and_retiring_waits_for_everybody() {
    let scene = Scene::new();
    let vault = scene.vault();
    vault.pepper().unwrap();
    let first = vault.sealing_key().unwrap();
    assert_eq!(vault.retire(&first).unwrap_err().reason.as_deref(), Some("key_seals"));
    let connection =
        crate::store::StoredConnection::fresh(crate::store::Place { tenant: "t".into(), connection: "c".into() });
    let secret = |name: &str| {
        let sealed = vault.seal(&SealPlace { bound: "b", ..place(name) }, name.as_bytes()).unwrap();
        crate::store::SealedSecret {
            name: name.into(),
            version: 1,
            bound: "b".into(),
            sealed,
            entered: Default::default(),
        }
    };
    let names: Vec<String> = (0..450).map(|number| format!("s{number}")).collect();
    let secrets = names.iter().map(|name| secret(name)).collect();
    scene.store.insert(connection, secrets, Default::default()).wait().unwrap();
    let done = vault.rotate(None).unwrap();
    assert_eq!(done.resealed, 451);
    assert_ne!(done.sealing_key, first);
    let status = vault.status().unwrap();
    assert_eq!((status.keys.len(), status.sealed.len(), status.missing.len()), (2, 1, 0));
    let at = crate::store::Place { tenant: "t".into(), connection: "c".into() };
    for name in &names {
        let kept = scene.store.secret(&at, name).unwrap().unwrap();
        assert_eq!(&*vault.open_sealed(&place(name), &kept.sealed).unwrap(), name.as_bytes());
    }
    // Another living process has not noticed yet.
    let other = Owners::join(&scene.folder.path().join("data"), &SystemRandom).unwrap();
    other.name_key(&first);
    assert_eq!(vault.retire(&first).unwrap_err().reason.as_deref(), Some("key_in_use_elsewhere"));
    other.name_key(&done.sealing_key);
    vault.retire(&first).unwrap();
    assert_eq!(vault.status().unwrap().keys.as_slice(), std::slice::from_ref(&done.sealing_key));
    // Interrupted: the store names a new key, and little is sealed with it.
    let next = vault.source.add(&*vault.random).unwrap().unwrap();
    scene.store.set_meta(SEALING_KEY, &next).wait().unwrap();
    assert_eq!(vault.retire(&done.sealing_key).unwrap_err().reason.as_deref(), Some("key_in_use"));
    let resumed = vault.rotate(None).unwrap();
    assert_eq!((resumed.sealing_key, resumed.resealed), (next, 451));
}
