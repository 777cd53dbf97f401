//! Processes that fork while a data folder is open, and open it again in the child.

use psa_host::{Hooks, Host};
use psa_tests::compile::{self, run};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn config(folder: &TempDir, data: &str, plugins: &[PathBuf]) -> Value {
    json!({"data_dir": folder.path().join(data), "plugins": plugins,
           "vault": {"key_file": folder.path().join("vault.keys")}})
}

/// Runs a scene of the program in C; then what it says it has written must be in the database, and no more.
fn nothing_is_lost(scene: &str) {
    let folder = tempfile::tempdir().unwrap();
    let plugins = [compile::codes_plugin(folder.path())];
    let flags = ["-std=gnu99", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
    let program = compile::product("gcc", &flags, &["tests/c/fork_folder.c"], folder.path());
    let (shared, other) = (config(&folder, "shared", &plugins), config(&folder, "other", &plugins));
    let printed = run(Command::new(program).args([scene, &shared.to_string(), &other.to_string()]));
    let written: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(rows(&folder.path().join("shared")), written);
}

/// The rows of each tenant in a database that is whole.
fn rows(data: &Path) -> Value {
    assert_eq!(psa_host::doctor(data).unwrap(), Vec::<String>::new());
    let db = rusqlite::Connection::open(data.join("store.db")).unwrap();
    let mut statement = db.prepare("SELECT tenant, count(*) FROM connections GROUP BY tenant").unwrap();
    let counted = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, json!(row.get::<_, u64>(1)?)))).unwrap();
    counted.collect::<rusqlite::Result<serde_json::Map<_, _>>>().unwrap().into()
}

/// A child took its parent's locks for its own and had none. When the parent closed it took the log of what was committed
/// away, and what the child wrote from then on was lost.
#[test]
fn a_child_and_its_child_keep_what_they_write_beside_and_after_their_elders() {
    nothing_is_lost("generations");
}

/// A child waited for ever for a lock that a thread of its parent had when it forked.
#[test]
fn a_child_opens_its_parents_folder_whatever_threads_of_the_parent_are_at() {
    nothing_is_lost("busy");
}

/// Files of a folder on which this process has a lock.
fn locked(data: &Path) -> Vec<String> {
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let me = std::process::id().to_string();
    let fields = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mine = fields.filter(|fields| fields.get(1) == Some(&"POSIX") && fields.get(4) == Some(&me.as_str()));
    let inodes: Vec<u64> = mine.filter_map(|fields| fields.get(5)?.rsplit(':').next()?.parse().ok()).collect();
    let files = std::fs::read_dir(data).unwrap().map(Result::unwrap);
    let locked = files.filter(|file| inodes.contains(&file.metadata().unwrap().ino()));
    locked.map(|file| file.file_name().into_string().unwrap()).collect()
}

/// Whoever closes any descriptor of a file loses all locks that its process has on it.
#[test]
fn a_child_that_drops_its_parents_host_keeps_the_locks_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder, "data", &[]);
    let open = || Host::open(config.to_string().as_bytes(), Hooks::default()).unwrap();
    let parents = open();
    // SAFETY: the child opens and drops hosts, which is what may be done there, and ends.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: a number; the default of SIGALRM ends the process.
        unsafe { libc::alarm(60) };
        let right = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let own = open();
            drop(parents);
            let kept = locked(&folder.path().join("data"));
            drop(own);
            ["store.db", "store.db-shm"].iter().all(|name| kept.iter().any(|file| file == name))
        }));
        // SAFETY: ends the child without running what its parent wants to run at its end.
        unsafe { libc::_exit(i32::from(!matches!(right, Ok(true)))) };
    }
    let mut status = -1;
    // SAFETY: a child of ours that was not waited for yet.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    assert!(locked(&folder.path().join("data")).contains(&"store.db".to_owned()));
}
