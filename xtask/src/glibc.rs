//! The glibc that what ships needs, and the linker that keeps it old.
//!
//! Holds: zig, which knows the symbols of every glibc, in a folder below the target folder; what a linked file needs.
//! Promises: it is the zig of `glibc/requirements.txt`, installed once though many ask; what it adds to a file names no path
//! of this machine.
//! Leaves to others: what is linked, and with which flags (`library`, `package`).

use crate::files::{make_folder, set_rights, write};
use crate::{Outcome, read, tools};
use std::env::consts::ARCH;
use std::fs::File;
use std::path::Path;
use std::process::Command;

/// What ships runs with this glibc and later ones: Debian 10, Ubuntu 20.04, RHEL 8.
pub const OLDEST: &str = "2.28";

/// Below the workspace.
const REQUIREMENTS: &str = "xtask/src/glibc/requirements.txt";

/// The program that is called as linker, with words between `@`.
const PROGRAM: &str = include_str!("glibc/cc");

/// The glibc with which something is linked. It runs with that one and later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glibc {
    /// The one of this machine.
    Here,
    /// [`OLDEST`].
    Oldest,
}

impl Glibc {
    /// The program that links so, called like `cc`. The first call gets zig from PyPI.
    pub fn linker(self, root: &Path) -> Result<String, String> {
        match self {
            Glibc::Here => Ok("cc".into()),
            Glibc::Oldest => zig(root),
        }
    }

    /// Fails when a file that was linked so needs a newer one.
    pub fn check(self, file: &Path) -> Outcome {
        if self == Glibc::Here {
            return Ok(());
        }
        let said = tools::output("readelf", &["--version-info".as_ref(), "--wide".as_ref(), file.as_os_str()])?;
        match newest(&said) {
            Some((major, minor)) if Some((major, minor)) > version(OLDEST) => {
                Err(format!("{} needs glibc {major}.{minor}, and should need {OLDEST} at most", file.display()))
            }
            _ => Ok(()),
        }
    }
}

/// The newest glibc in what readelf says of versions.
fn newest(said: &str) -> Option<(u32, u32)> {
    said.split_whitespace().filter_map(|word| version(word.strip_prefix("GLIBC_")?)).max()
}

/// The first two numbers, of `2.2.5` too.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn zig(root: &Path) -> Result<String, String> {
    let folder = tools::target(root).join("zig");
    make_folder(&folder)?;
    let failed = |error: std::io::Error| format!("cannot lock {}: {error}", folder.display());
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let (program, text) = (folder.join("cc"), program(root, &folder)?);
    // It is written last, and has the version in it.
    if !read(&program).is_ok_and(|there| there == text) {
        let begun = folder.join("cc.new");
        install(root, &folder)
            .and_then(|()| write(&begun, &text))
            .and_then(|()| set_rights(&begun, 0o755))
            .and_then(|()| first_link(&folder, &begun))
            .and_then(|()| std::fs::rename(&begun, &program).map_err(|error| error.to_string()))
            .map_err(|error| format!("no zig, with which what ships is linked for glibc {OLDEST}: {error}"))?;
    }
    Ok(program.display().to_string())
}

fn program(root: &Path, folder: &Path) -> Result<String, String> {
    let requirements = read(&root.join(REQUIREMENTS))?;
    let zig = requirements.split_whitespace().find(|word| word.starts_with("ziglang=="));
    let unwinder = tools::output("cc", &["-print-file-name=libgcc_s.so.1"])?;
    let words = [
        ("@OLDEST@", OLDEST),
        ("@ZIG@", zig.ok_or_else(|| format!("{REQUIREMENTS} names no ziglang"))?),
        ("@LIBGCC_S@", unwinder.trim()),
        ("@FOLDER@", &folder.display().to_string()),
        ("@TARGET@", &format!("{ARCH}-linux-gnu.{OLDEST}")),
    ];
    Ok(words.iter().fold(PROGRAM.to_string(), |text, (word, value)| text.replace(word, value)))
}

fn install(root: &Path, folder: &Path) -> Outcome {
    let (site, requirements) = (folder.join("site"), root.join(REQUIREMENTS));
    for old in [&site, &folder.join("cache")] {
        let _ = std::fs::remove_dir_all(old);
    }
    let mut pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"].map(String::from).to_vec();
    pip.extend(["--require-hashes", "--only-binary=:all:", "--no-deps"].map(String::from));
    pip.extend(["--target".into(), site.display().to_string()]);
    pip.extend(["--requirement".into(), requirements.display().to_string()]);
    tools::output("python3", &pip).map(drop)
}

/// What programs begin with, and a few functions, zig compiles when they are first wanted, with debug information. Its paths
/// must be the same in every checkout, or the ids of what is linked are not.
fn first_link(folder: &Path, program: &Path) -> Outcome {
    write(&folder.join("first.c"), "int main(void) { return 0; }\n")?;
    let mut first = Command::new(program);
    first.args(["-pie", "first.c", "-o", "first"]).current_dir(folder).env("PWD", "/proc/self/cwd");
    let output = first.output().map_err(|error| format!("{} did not start: {error}", program.display()))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_glibc_is_found_by_number() {
        let said = "0x0060: Name: GLIBC_2.2.5 Flags: none\n0x0070: Name: GLIBC_2.17 Flags: none\n\
                    0x0080: Name: GLIBC_2.9\n0x0090: Name: GLIBC_PRIVATE\n0x00a0: Name: GCC_3.0\n";
        assert_eq!(newest(said), Some((2, 17)));
        assert_eq!(newest("No version information found in this file."), None);
        assert!(version(OLDEST) > newest(said));
    }

    #[test]
    fn every_word_of_the_program_is_replaced() {
        let text = program(&crate::root(), Path::new("/zig")).expect("cc is there");
        assert!(!text.replace("\"$@\"", "").contains('@'), "{text}");
    }
}
