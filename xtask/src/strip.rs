//! Debug information, taken out of what ships and kept beside it.
//!
//! Holds: the calls of strip and objcopy.
//! Promises: a program and a library still run, an archive still links.
//! Leaves to others: which files those are (`library`, `package`).

use crate::files::{make_folder, set_rights};
use crate::{Outcome, tools};
use std::path::{Path, PathBuf};

/// Takes everything out that is not needed to run.
pub fn all(file: &Path) -> Outcome {
    tools::output("strip", &["--strip-all".as_ref(), file.as_os_str()]).map(drop)
}

/// Takes debug information out of an archive; what a linker needs stays.
pub fn archive(file: &Path) -> Outcome {
    let [debug, same] = ["--strip-debug", "--enable-deterministic-archives"].map(str::as_ref);
    tools::output("strip", &[debug, same, file.as_os_str()]).map(drop)
}

/// Moves the debug information of a program or library to the place below `symbols` where debuggers look for it.
pub fn keeping(file: &Path, symbols: &Path) -> Outcome {
    let to = place(file, symbols)?;
    make_folder(to.parent().unwrap_or(symbols))?;
    tools::output("objcopy", &["--only-keep-debug".as_ref(), file.as_os_str(), to.as_os_str()])?;
    set_rights(&to, 0o644)?;
    all(file)
}

/// `lib/debug/.build-id/ab/cdef.debug`, by the id that the linker gave the file.
fn place(file: &Path, symbols: &Path) -> Result<PathBuf, String> {
    let notes = tools::output("readelf", &["--notes".as_ref(), "--wide".as_ref(), file.as_os_str()])?;
    let id = notes.lines().find_map(|line| line.split_once("Build ID: "));
    let (_, id) = id.ok_or_else(|| format!("{} has no build id", file.display()))?;
    let (folder, rest) = id.trim().split_at_checked(2).ok_or_else(|| format!("the build id {id} is too short"))?;
    Ok(symbols.join("lib/debug/.build-id").join(folder).join(format!("{rest}.debug")))
}
