//! Compiling the C and C++ sources that the scenarios load or run.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned()
}

/// Where cargo has put what it built.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its own file");
    // A test lies one folder deeper than a program.
    let deps = program.ancestors().find(|folder| folder.ends_with("deps"));
    deps.or(Some(&program)).and_then(Path::parent).expect("it lies in a folder").to_owned()
}

/// A lock of a name, held until it is dropped: each test is a process of its own, and they begin at the same time.
pub fn locked(name: &str) -> File {
    let lock =
        File::create(target().join(format!("{name}.lock"))).expect("the folder of what was built can be written");
    lock.lock().expect("the file is open");
    lock
}

/// Compiles sources of the workspace into `folder` against headers and library, as a product would.
pub fn product(compiler: &str, flags: &[&str], sources: &[&str], folder: &Path) -> PathBuf {
    let (program, library) = (folder.join("program"), target());
    run(Command::new(compiler)
        .args(flags)
        .arg("-o")
        .arg(&program)
        .args(sources.iter().map(|source| root().join(source)))
        .arg("-I")
        .arg(root().join("include"))
        .arg("-L")
        .arg(&library)
        .args(["-lpsa_host", "-lpthread"])
        .arg(format!("-Wl,-rpath,{}", library.display())));
    program
}

/// Puts a plugin that cargo has built into `folder`, under the name it is shipped with and with the rights it should have:
/// a checkout may lie in a folder that others can write, from which no plugin is loaded.
pub fn shipped(id: &str, folder: &Path) -> PathBuf {
    private(&target().join(format!("libpsa_{id}.so")), id, folder)
}

/// The same for a plugin's file from anywhere.
pub fn private(from: &Path, id: &str, folder: &Path) -> PathBuf {
    let copy = folder.join(format!("psa_{id}.so"));
    std::fs::copy(from, &copy).expect("cargo has built it");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("it is our file");
    copy
}

/// Compiles a plugin from `tests/bad-plugins/` into `folder` as `psa_<name>.so`.
pub fn plugin(source: &str, defines: &[&str], name: &str, folder: &Path) -> PathBuf {
    c_plugin(&format!("tests/bad-plugins/{source}"), defines, name, folder)
}

/// The plugin that streams, which keeps the contract unless the defines say otherwise.
pub fn stream_plugin(defines: &[&str], folder: &Path) -> PathBuf {
    c_plugin("tests/plugins/stream.c", defines, "stream", folder)
}

/// The plugin whose tickets end with any code.
pub fn codes_plugin(folder: &Path) -> PathBuf {
    c_plugin("tests/plugins/codes.c", &[], "codes", folder)
}

/// A library that, preloaded, makes a folder read-only under a running process: `tests/plugins/read_only.c`.
pub fn read_only(folder: &Path) -> PathBuf {
    c_plugin("tests/plugins/read_only.c", &[], "read_only", folder)
}

fn c_plugin(source: &str, defines: &[&str], name: &str, folder: &Path) -> PathBuf {
    let output = folder.join(format!("psa_{name}.so"));
    let compiler = if source.ends_with(".cpp") { "g++" } else { "gcc" };
    let defines = defines.iter().map(|define| format!("-D{define}"));
    run(Command::new(compiler)
        .args(["-O1", "-Wall", "-Wextra", "-Wno-unused", "-shared", "-fPIC", "-o"])
        .arg(&output)
        .args(defines)
        .arg("-I")
        .arg(root().join("include"))
        .arg(root().join(source)));
    output
}

/// Runs a command that must succeed; what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}
