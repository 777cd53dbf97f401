//! `cargo xtask package`: what a product needs, in one file.
//!
//! Holds: the tree of the package, and how it becomes an archive.
//! Promises: the same commit, toolchain and system make the same bytes; it works from any folder; what ships names no
//! path of this machine.
//! Leaves to others: the guide (`guide`), building and linking (`library`), licences (`licences`), debug information (`strip`).

use crate::files::{below, copy, make_folder, write};
use crate::glibc::{self, Glibc};
use crate::library::{self, Build};
use crate::{Outcome, guide, licences, read, strip, symbols, tools};
use psa_host_api::abi::PSA_ABI_MINOR;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The package of the command.
const COMMAND: &str = "psa";

/// A package is made on one machine for many.
const GLIBC: Glibc = Glibc::Oldest;

/// Files with words of `words` in them, each with where it goes.
const TEXTS: [(&str, &str); 5] = [
    (include_str!("package/psa_host.pc"), "lib/pkgconfig/psa_host.pc"),
    (include_str!("package/psa_host-static.pc"), "lib/pkgconfig/psa_host-static.pc"),
    (include_str!("package/psa_hostConfig.cmake"), "lib/cmake/psa_host/psa_hostConfig.cmake"),
    (include_str!("package/psa_hostConfigVersion.cmake"), "lib/cmake/psa_host/psa_hostConfigVersion.cmake"),
    (include_str!("package/README.md"), "README.md"),
];

/// Where what is to be read lies, under its path in the repository.
const DOCUMENTS: &str = "share/doc/psa_host";

/// What is to be read beside the guide.
const BESIDE_THE_GUIDE: [&str; 6] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "CHANGELOG.md",
    "examples/c-host/README.md",
    "examples/c-host/CMakeLists.txt",
    "examples/c-host/main.c",
];

/// `cargo xtask package [--debug]`: makes the archives in `target/package`.
pub fn run(root: &Path, arguments: &[String]) -> Outcome {
    let build = match arguments {
        [] => Build::Shipped,
        [flag] if flag == "--debug" => Build::Debug,
        _ => return Err("usage: cargo xtask package [--debug]".into()),
    };
    if build == Build::Shipped {
        library::cargo_build(root, &[library::PACKAGE, COMMAND])?;
        library::link_program(root, GLIBC, COMMAND)?;
    }
    for archive in make(root, build, &tools::target(root).join("package"))? {
        println!("made {}", archive.display());
    }
    Ok(())
}

/// Makes the package and its debug information, in `into`, of what was built.
pub fn make(root: &Path, build: Build, into: &Path) -> Result<[PathBuf; 2], String> {
    let platform = tools::output("rustc", &["-vV"])?;
    let platform = platform.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    let suffix = if build == Build::Debug { "-debug" } else { "" };
    let name = format!("psa_host-{}-{platform}{suffix}", version());
    let (tree, debug) = (into.join(&name), into.join(format!("{name}-symbols")));
    for folder in [&tree, &debug] {
        let _ = std::fs::remove_dir_all(folder);
        make_folder(folder)?;
    }
    binaries(root, build, &tree, &debug)?;
    texts(root, &tree, platform)?;
    if build == Build::Shipped {
        names_no_machine(root, &tree)?;
        names_no_machine(root, &debug)?;
    }
    Ok([archive(root, &tree)?, archive(root, &debug)?])
}

/// The version of all our crates, and of the library.
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The file behind the soname; its last number grows with the ABI.
fn real_name() -> String {
    format!("{}.{PSA_ABI_MINOR}", symbols::SONAME)
}

fn binaries(root: &Path, build: Build, tree: &Path, debug: &Path) -> Outcome {
    let lib = tree.join("lib");
    make_folder(&lib)?;
    let shared = lib.join(real_name());
    library::link(root, build, GLIBC, &shared)?;
    let mut stripped = vec![shared];
    for (link, to) in [(symbols::SONAME, real_name().as_str()), ("libpsa_host.so", symbols::SONAME)] {
        symlink(to, lib.join(link)).map_err(|error| format!("cannot link {link} in {}: {error}", lib.display()))?;
    }
    copy(&build.folder(root).join("libpsa_host.a"), &lib.join("libpsa_host.a"), 0o644)?;
    strip::archive(&lib.join("libpsa_host.a"))?;
    stripped.extend(library::put_plugins(root, build, GLIBC, &lib.join("psa_host/plugins"))?);
    let command = tree.join("bin").join(COMMAND);
    copy(&build.folder(root).join(COMMAND), &command, 0o755)?;
    if build == Build::Shipped {
        GLIBC.check(&command)?;
    }
    stripped.push(command);
    stripped.iter().try_for_each(|file| strip::keeping(file, debug))
}

fn texts(root: &Path, tree: &Path, platform: &str) -> Outcome {
    let native = library::native_libraries()?;
    for (text, to) in TEXTS {
        write(&tree.join(to), &filled(text, &native))?;
    }
    let places = places(root)?;
    for (from, to) in &places {
        match from.ends_with(".md") {
            true => write(&tree.join(to), &guide::in_package(from, &read(&root.join(from))?, &places)?)?,
            false => copy(&root.join(from), &tree.join(to), 0o644)?,
        }
    }
    let plugins = library::PLUGINS.iter().map(|id| format!("psa-{id}"));
    let inside: Vec<String> = plugins.chain([library::PACKAGE.to_string(), COMMAND.to_string()]).collect();
    write(&tree.join("share/doc/psa_host/THIRD-PARTY.txt"), &licences::text(root, &inside, platform)?)
}

/// Where files of the repository lie in the package.
fn places(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let read = BESIDE_THE_GUIDE.map(str::to_owned).into_iter().chain(guide::pages(root)?);
    let read = read.map(|file| (file.clone(), format!("{DOCUMENTS}/{file}")));
    let headers = below(&root.join("include"))?;
    let headers = headers.iter().map(|header| format!("include/{}", header.display()));
    Ok(read.chain(headers.map(|header| (header.clone(), header))).collect())
}

/// A text with its words between `@` replaced.
fn filled(text: &str, native: &[String]) -> String {
    let names: Vec<&str> = native.iter().filter_map(|flag| flag.strip_prefix("-l")).collect();
    let words = [
        ("@VERSION@", version()),
        ("@SONAME@", symbols::SONAME),
        ("@REAL_NAME@", &real_name()),
        ("@GLIBC@", glibc::OLDEST),
        ("@NATIVE_FLAGS@", &native.join(" ")),
        ("@NATIVE_NAMES@", &names.join(";")),
    ];
    words.iter().fold(text.to_string(), |text, (word, value)| text.replace(word, value))
}

/// Fails when a file holds a path of the machine it was built on.
fn names_no_machine(root: &Path, tree: &Path) -> Outcome {
    for (folder, _) in library::machine_paths(root)? {
        let arguments =
            ["--recursive", "--files-with-matches", "--fixed-strings", "--", &folder, &tree.display().to_string()];
        // grep ends with 1, and says nothing, if it found nothing.
        let found = std::process::Command::new("grep").args(arguments).output();
        let found = found.map_err(|error| format!("grep did not start: {error}"))?;
        if !found.stdout.is_empty() {
            return Err(format!("{folder} is named in:\n{}", String::from_utf8_lossy(&found.stdout)));
        }
    }
    Ok(())
}

/// Packs a folder: sorted, owned by nobody in particular, and as old as the commit.
fn archive(root: &Path, tree: &Path) -> Result<PathBuf, String> {
    let (parent, name) = (tree.parent().unwrap_or(root), tree.file_name().unwrap_or_default().to_string_lossy());
    let to = parent.join(format!("{name}.tar.gz"));
    let time = format!("--mtime=@{}", commit_time(root)?);
    let (folder, to_file) = (parent.display().to_string(), to.display().to_string());
    tools::output(
        "tar",
        &[
            "--sort=name",
            "--format=gnu",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--mode=go+rX,go-w",
            &time,
            "--use-compress-program=gzip --no-name",
            "--create",
            "--file",
            &to_file,
            "--directory",
            &folder,
            &name,
        ],
    )?;
    Ok(to)
}

/// In seconds since 1970: what SOURCE_DATE_EPOCH says, or the last commit, or, outside of git, 0.
fn commit_time(root: &Path) -> Result<u64, String> {
    if let Ok(said) = std::env::var("SOURCE_DATE_EPOCH") {
        return said.trim().parse().map_err(|_| format!("SOURCE_DATE_EPOCH is `{said}`, not a number of seconds"));
    }
    let folder = root.display().to_string();
    let logged = tools::output("git", &["-C", &folder, "log", "-1", "--format=%ct"]).unwrap_or_default();
    Ok(logged.trim().parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_text_is_replaced() {
        for (text, to) in TEXTS {
            let filled = filled(text, &["-lm".to_string(), "-lc".to_string()]);
            assert!(!filled.contains('@'), "{to}: {filled}");
        }
    }

    #[test]
    fn the_soname_follows_the_major_number_of_the_abi() {
        assert!(symbols::SONAME.ends_with(&format!(".so.{}", psa_host_api::abi::PSA_ABI_MAJOR)));
        assert!(symbols::NODE.ends_with(&format!("_{}", psa_host_api::abi::PSA_ABI_MAJOR)));
    }

    #[test]
    fn headers_are_the_only_thing_in_include() {
        let include = crate::root().join("include");
        for header in below(&include).expect("it is there") {
            let name = header.display().to_string();
            assert!([".h", ".hpp", ".json"].iter().any(|end| name.ends_with(end)), "{name}");
            assert!(crate::read(&include.join(header)).is_ok_and(|text| !text.is_empty()), "{name}");
        }
    }
}
