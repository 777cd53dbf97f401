//! Folders and files of what ships: made, copied and written with the rights they need.

use crate::Outcome;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Makes a folder with its parents.
pub fn make_folder(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

/// Writes a text that everybody may read, in a folder that is made if need be.
pub fn write(file: &Path, text: &str) -> Outcome {
    make_folder(file.parent().unwrap_or(Path::new("")))?;
    std::fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    set_rights(file, 0o644)
}

/// Copies a file into a folder that is made if need be, and sets its rights, whatever they were.
pub fn copy(from: &Path, to: &Path, rights: u32) -> Outcome {
    make_folder(to.parent().unwrap_or(Path::new("")))?;
    std::fs::copy(from, to).map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))?;
    set_rights(to, rights)
}

/// Sets a file's rights.
pub fn set_rights(file: &Path, rights: u32) -> Outcome {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(rights))
        .map_err(|error| format!("cannot set the rights of {}: {error}", file.display()))
}

/// The files of a folder, sorted by name.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("cannot list {}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut files: Vec<_> = entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<_, String>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

/// The files below a folder, by their paths from it, sorted.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let entries = std::fs::read_dir(&next).map_err(|error| format!("cannot list {}: {error}", next.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.strip_prefix(folder) {
                _ if path.is_dir() => open.push(path),
                Ok(name) => found.push(name.to_owned()),
                Err(_) => {}
            }
        }
    }
    found.sort();
    Ok(found)
}
