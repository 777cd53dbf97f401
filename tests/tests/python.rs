//! The Python package, installed as a product would: its tests and what type checkers say, on the oldest and newest Python
//! that is here; and the wheel that is made for other machines.

use psa_tests::compile::{self, run};
use psa_tests::venv::Venv;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::glibc::{self, Glibc};
use xtask::library::{self, Build};

fn package() -> PathBuf {
    compile::root().join("ffi/python")
}

/// A program of the package's, on the oldest Python or on the newest.
fn tool(venv: &Venv, arguments: &[&str]) {
    run(Command::new(venv.python()).args(arguments).current_dir(package()).env("PSA_TARGET", compile::target()));
}

#[test]
fn its_tests_pass_on_the_oldest_python() {
    tool(&Venv::oldest(), &["-m", "pytest", "-q", "--durations=5"]);
}

#[test]
fn its_tests_pass_on_the_newest_python() {
    let (oldest, newest) = (Venv::oldest(), Venv::newest());
    if newest.python() == oldest.python() {
        println!("skipped: only one Python is here");
        return;
    }
    tool(&newest, &["-m", "pytest", "-q", "--durations=5"]);
}

#[test]
fn mypy_and_pyright_find_nothing_in_strict_mode() {
    let venv = Venv::newest();
    tool(&venv, &["-m", "mypy"]);
    let python = venv.python();
    tool(&venv, &["-m", "pyright", "--pythonpath", python.to_str().expect("a path of ours is text")]);
}

#[test]
fn the_installed_package_is_what_the_wheel_says() {
    let venv = Venv::oldest();
    let script = "
import importlib.metadata as m, os, pathlib, psa_host, stat
assert 'site-packages' in psa_host.__file__, psa_host.__file__
wheel = m.distribution('psa-host').read_text('WHEEL')
assert 'Root-Is-Purelib: false' in wheel and 'Tag: py3-none-' in wheel, wheel
for path in psa_host.bundled_plugins():
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o755, path
assert sorted(m.requires('psa-host')) == ['cffi>=1.17', 'msgspec>=0.19'], m.requires('psa-host')
assert m.version('psa-host') == psa_host.version()
";
    // Not in the package's folder, or its source would be found first.
    run(Command::new(venv.python()).args(["-c", script]).current_dir("/"));
}

#[test]
fn an_sdist_is_refused_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let build = "import sys, hatchling.build as b; b.build_sdist(sys.argv[1])";
    let output = Command::new(Venv::oldest().python())
        .args(["-c", build])
        .arg(folder.path())
        .current_dir(package())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("Build a wheel from a checkout: pip wheel --no-deps ./ffi/python"), "{said}");
}

/// Of what was linked for other machines: the only wheel in a folder.
fn portable_wheel(venv: &Venv, folder: &Path) -> PathBuf {
    let (built, wheels) = (folder.join("built"), folder.join("wheels"));
    library::put(&compile::root(), Build::Debug, Glibc::Oldest, &built).unwrap();
    let mut pip = Command::new(venv.python());
    pip.args(["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]);
    run(pip.arg("--wheel-dir").arg(&wheels).arg(package()).env("PSA_HOST_LIBRARY_DIR", &built));
    xtask::files::list(&wheels).unwrap().remove(0)
}

#[test]
fn a_portable_wheel_runs_with_the_oldest_glibc_and_finds_its_plugin() {
    let (venv, folder) = (Venv::oldest(), tempfile::tempdir().unwrap());
    let wheel = portable_wheel(&venv, folder.path());
    let tag = format!("manylinux_{}_{}", glibc::OLDEST.replace('.', "_"), std::env::consts::ARCH);
    assert!(wheel.to_string_lossy().ends_with(&format!("-py3-none-{tag}.whl")), "{}", wheel.display());
    // Looks into every file of the wheel, also for libraries that not every Linux has.
    let shown = run(Command::new(venv.python()).args(["-m", "auditwheel", "show"]).arg(&wheel));
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&format!("is consistent with the following platform tag: \"{tag}\"")), "{shown}");

    let installed = folder.path().join("installed");
    let mut pip = Command::new(venv.python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"]);
    run(pip.arg(&installed).arg(&wheel));
    let script = "
import psa_host, sys
assert psa_host.__file__.startswith(sys.argv[1]), psa_host.__file__
with psa_host.Host({'data_dir': sys.argv[1] + '/data', 'vault': {'key_file': sys.argv[1] + '/keys'}}) as host:
    print([plugin.id for plugin in host.plugins.list().items])
";
    let mut python = Command::new(venv.python());
    python.args(["-c", script]).arg(&installed).env("PYTHONPATH", &installed).current_dir("/");
    assert_eq!(run(&mut python), "['connectwise']\n");
}
