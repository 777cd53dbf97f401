//! Whether a file may become code of this process.
//!
//! Holds: the checks of a plugin's file before any of it runs, and the private copy that is loaded instead.
//! Promises: what is loaded is byte for byte what was checked, however the original changes meanwhile.
//! Leaves to others: what the code says about itself (`table`).

use super::refusal::Why;
use crate::clock::hex;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Larger files are no plugins, in bytes.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A checked file.
pub(super) struct Trusted {
    /// The private copy, to be loaded.
    pub(super) copy: PathBuf,
    /// SHA-256, lower-case hex.
    pub(super) sha256: String,
}

/// Checks `path` and copies it into `folder`, under its digest.
pub(super) fn check(path: &Path, wanted: Option<&str>, folder: &Path) -> Result<Trusted, Why> {
    stays_in_its_folder(path)?;
    let mut file = OpenOptions::new()
        .read(true)
        // A pipe or a device must not hold us up before it is recognised as one.
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)
        .map_err(unreadable)?;
    check_file(&file, path)?;
    check_folders(path)?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    if let Some(wanted) = wanted
        && !wanted.eq_ignore_ascii_case(&sha256)
    {
        return Err(Why::Digest { wanted: wanted.to_owned(), found: sha256 });
    }
    check_format(&bytes)?;
    let copy = keep(&bytes, &sha256, path, folder)
        .map_err(|error| Why::Copy { folder: folder.display().to_string(), why: error.to_string() })?;
    Ok(Trusted { copy, sha256 })
}

fn unreadable(error: std::io::Error) -> Why {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Why::Missing,
        _ => Why::Unreadable(error.to_string()),
    }
}

/// A link within its folder is how versions are switched; one to elsewhere leaves the folder whose rights we check.
fn stays_in_its_folder(path: &Path) -> Result<(), Why> {
    let is_link = path.symlink_metadata().map_err(unreadable)?.is_symlink();
    if !is_link {
        return Ok(());
    }
    let target = path.canonicalize().map_err(unreadable)?;
    let folder = folder_of(path).canonicalize().map_err(unreadable)?;
    if target.parent() == Some(&folder) { Ok(()) } else { Err(Why::Link) }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn check_file(file: &File, path: &Path) -> Result<(), Why> {
    let facts = file.metadata().map_err(unreadable)?;
    if facts.is_dir() {
        return Err(Why::NotAFile("a folder"));
    }
    if !facts.is_file() {
        return Err(Why::NotAFile("no regular file"));
    }
    if facts.len() == 0 {
        return Err(Why::NotAFile("empty"));
    }
    if facts.len() > FILE_BYTES_MAX {
        return Err(Why::NotAFile("larger than 256 MiB"));
    }
    if !is_ours(&facts) {
        return Err(Why::Owner(facts.uid()));
    }
    check_mode("the file", path, &facts)
}

fn check_folders(path: &Path) -> Result<(), Why> {
    let folder = folder_of(path).canonicalize().map_err(unreadable)?;
    for folder in folder.ancestors() {
        let facts = folder.metadata().map_err(unreadable)?;
        // Sticky: only the owner of a file may replace it.
        if facts.mode() & 0o1000 == 0 {
            check_mode("the folder", folder, &facts)?;
        }
    }
    Ok(())
}

fn check_mode(what: &'static str, path: &Path, facts: &std::fs::Metadata) -> Result<(), Why> {
    let writable = |who, fix| Err(Why::Writable { what, path: path.display().to_string(), who, fix });
    if facts.mode() & 0o002 != 0 {
        return writable("everybody", "o-w");
    }
    // The group of this process is often a group of one; another group is other people.
    if facts.mode() & 0o020 != 0 && facts.gid() != 0 && facts.gid() != group() {
        return writable("its group", "g-w");
    }
    Ok(())
}

/// Whether it belongs to root or to the user of this process.
pub(crate) fn is_ours(facts: &std::fs::Metadata) -> bool {
    facts.uid() == 0 || facts.uid() == user()
}

/// The user of this process.
pub(crate) fn user() -> u32 {
    // SAFETY: geteuid only reads a number of this process and cannot fail.
    unsafe { libc::geteuid() }
}

fn group() -> u32 {
    // SAFETY: getegid only reads a number of this process and cannot fail.
    unsafe { libc::getegid() }
}

/// Looks at the file's head, so that a text file is told apart from a broken library before the loader sees it.
fn check_format(bytes: &[u8]) -> Result<(), Why> {
    if cfg!(target_os = "linux") { check_elf(bytes) } else { Ok(()) }
}

const EM_HERE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "riscv64") {
    243
} else if cfg!(target_arch = "arm") {
    40
} else {
    3
};

fn check_elf(bytes: &[u8]) -> Result<(), Why> {
    const ET_DYN: u16 = 3;
    let Some(head) = bytes.get(..20) else { return Err(Why::Format("it is too short")) };
    if &head[..4] != b"\x7fELF" {
        return Err(Why::Format("it does not begin like an ELF file"));
    }
    if head[4] != if cfg!(target_pointer_width = "64") { 2 } else { 1 } {
        return Err(Why::Format("its word size is another one"));
    }
    if head[5] != if cfg!(target_endian = "little") { 1 } else { 2 } {
        return Err(Why::Format("its byte order is another one"));
    }
    if u16::from_ne_bytes([head[16], head[17]]) != ET_DYN {
        return Err(Why::Format("it is an object or core file, not a shared library"));
    }
    if u16::from_ne_bytes([head[18], head[19]]) != EM_HERE {
        return Err(Why::Format("it is for another processor"));
    }
    if cfg!(target_pointer_width = "64") && !holds_its_segments(bytes) {
        return Err(Why::Format("it is cut off, as by a broken download"));
    }
    Ok(())
}

/// Whether everything that would be mapped is in the file. The system's loader does not ask: touching what is missing
/// ends the process.
fn holds_its_segments(bytes: &[u8]) -> bool {
    const PT_LOAD: u64 = 1;
    let number = |at: usize, size: usize| {
        let field = bytes.get(at..at.checked_add(size)?)?;
        let mut wide = [0; 8];
        let place = if cfg!(target_endian = "little") { &mut wide[..size] } else { &mut wide[8 - size..] };
        place.copy_from_slice(field);
        Some(u64::from_ne_bytes(wide))
    };
    let held = |position: usize| {
        // Elf64_Ehdr: e_phoff 32, e_phentsize 54. Elf64_Phdr: p_type 0, p_offset 8, p_filesz 32.
        let first = usize::try_from(number(32, 8)?).ok()?;
        let at = first.checked_add(position.checked_mul(number(54, 2)? as usize)?)?;
        if number(at, 4)? != PT_LOAD {
            return Some(true);
        }
        let end = number(at.checked_add(8)?, 8)?.checked_add(number(at.checked_add(32)?, 8)?)?;
        Some(end <= bytes.len() as u64)
    };
    // e_phnum 56.
    let count = number(56, 2).unwrap_or(0) as usize;
    count > 0 && (0..count).all(|position| held(position) == Some(true))
}

/// Writes the copy, unless the right one is there. Its name begins with the digest, so a new build is a new file and
/// an old one stays mapped unharmed.
fn keep(bytes: &[u8], sha256: &str, path: &Path, folder: &Path) -> std::io::Result<PathBuf> {
    let folder = folder.join(&sha256[..32]);
    std::fs::create_dir_all(&folder)?;
    std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
    let copy = folder.join(path.file_name().unwrap_or_default());
    if std::fs::read(&copy).is_ok_and(|there| there == bytes) {
        return Ok(copy);
    }
    // Several hosts of a process may be opened at the same time, on one folder.
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let draft = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().display();
    let unfinished = folder.join(format!(".{}.{draft}.{name}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(0o500))?;
    drop(file);
    std::fs::rename(&unfinished, &copy)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::keep;
    use std::path::Path;
    use std::sync::Barrier;

    #[test]
    fn hosts_that_are_opened_at_once_do_not_write_into_each_others_copies() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = vec![7; 4 << 20];
        let together = Barrier::new(8);
        for round in 0..8 {
            let digest = format!("{round:064}");
            let keep_one = || {
                together.wait();
                keep(&bytes, &digest, Path::new("/x/psa_some.so"), folder.path())
            };
            let kept: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8).map(|_| scope.spawn(keep_one)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            for copy in kept {
                assert!(std::fs::read(copy.unwrap()).unwrap() == bytes);
            }
        }
    }
}
