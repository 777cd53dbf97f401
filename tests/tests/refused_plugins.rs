//! Files and tables that do not become plugins: each refusal has its own reason, names the file and says what to do.

use psa_host::{Code, Error};
use psa_tests::compile;
use psa_tests::world::World;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn refusal(plugin: &Path) -> Error {
    let folder = tempfile::tempdir().unwrap();
    World::open(folder, &[plugin], json!({})).err().unwrap_or_else(|| panic!("{} was loaded", plugin.display()))
}

fn check(plugin: &Path, code: Code, reason: &str, part: &str) {
    let error = refusal(plugin);
    assert_eq!((error.code, error.reason.as_deref()), (code, Some(reason)), "{error}");
    assert!(error.message.contains(&plugin.display().to_string()), "{error}");
    assert!(error.message.contains(part), "{part}: {error}");
}

fn table(defines: &[&str], folder: &TempDir) -> PathBuf {
    compile::plugin("table.c", defines, "table", folder.path())
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_sound_table_loads() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = table(&[], &folder);
    let world = World::open(folder, &[&plugin], json!({})).unwrap();
    let list = world.call("plugins.list", json!({})).unwrap();
    assert_eq!(list["items"][0]["id"], "table");
    assert_eq!(list["items"][0]["operations"], json!(["get_ticket"]));
}

#[test]
fn a_newer_minor_with_a_longer_table_loads() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = table(&["MINOR=7", "SIZE=(sizeof(psa_plugin)+0)"], &folder);
    assert!(World::open(folder, &[&plugin], json!({})).is_ok());
}

#[test]
fn files_that_are_no_plugins_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    check(&at("psa_gone.so"), Code::NotFound, "plugin_file_missing", "no such file");
    std::fs::write(at("psa_text.so"), "this is a text file, long enough to have a head\n").unwrap();
    check(&at("psa_text.so"), Code::InvalidArgument, "plugin_format", "does not begin like an ELF file");
    std::fs::write(at("psa_short.so"), "\x7fELF").unwrap();
    check(&at("psa_short.so"), Code::InvalidArgument, "plugin_format", "too short");
    std::fs::write(at("psa_empty.so"), "").unwrap();
    check(&at("psa_empty.so"), Code::InvalidArgument, "plugin_not_a_file", "empty");
    let program = std::fs::read("/proc/self/exe").unwrap();
    for (name, position, byte, part) in [
        ("psa_bits.so", 4, 9, "word size"),
        ("psa_order.so", 5, 9, "byte order"),
        ("psa_core.so", 16, 4, "core file"),
        ("psa_cpu.so", 18, 0xfe, "another processor"),
    ] {
        let mut bytes = program[..4096].to_vec();
        bytes[position] = byte;
        std::fs::write(at(name), bytes).unwrap();
        check(&at(name), Code::InvalidArgument, "plugin_format", part);
    }
    let sound = std::fs::read(table(&[], &folder)).unwrap();
    for length in [64, 100, 4096, sound.len() * 3 / 4] {
        std::fs::write(at("psa_cut.so"), &sound[..length]).unwrap();
        check(&at("psa_cut.so"), Code::InvalidArgument, "plugin_format", "cut off");
    }
    // What the system's loader refuses itself: a library that it needs is not there.
    let needs = compile::plugin("behaviour.c", &[], "needs", folder.path());
    let mut bytes = std::fs::read(needs).unwrap();
    let name = b"libc.so.6\0";
    let place = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes[place..place + 4].copy_from_slice(b"gone");
    std::fs::write(at("psa_needs.so"), bytes).unwrap();
    check(&at("psa_needs.so"), Code::InvalidArgument, "plugin_load", "could not load it: gone.so.6");
    let pipe = std::ffi::CString::new(at("psa_pipe.so").to_str().unwrap()).unwrap();
    // SAFETY: a NUL-terminated path in a folder of this test.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    check(&at("psa_pipe.so"), Code::InvalidArgument, "plugin_not_a_file", "no regular file");
}

#[test]
fn what_others_can_write_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = table(&[], &folder);
    mode(&plugin, 0o757);
    check(&plugin, Code::Forbidden, "plugin_writable", "chmod o-w");
    mode(&plugin, 0o755);
    let open = folder.path().join("open");
    std::fs::create_dir(&open).unwrap();
    let inside = open.join("psa_table.so");
    std::fs::copy(&plugin, &inside).unwrap();
    mode(&open, 0o777);
    check(&inside, Code::Forbidden, "plugin_writable", "the folder");
    mode(&open, 0o755);
    let link = open.join("psa_link.so");
    std::os::unix::fs::symlink(&plugin, &link).unwrap();
    check(&link, Code::Forbidden, "plugin_link", "Name the file itself");
    // Within the folder a link is how versions are switched.
    let link = open.join("psa_current.so");
    std::os::unix::fs::symlink("psa_table.so", &link).unwrap();
    assert!(World::open(tempfile::tempdir().unwrap(), &[&link], json!({})).is_ok());
}

#[test]
fn a_pinned_file_must_be_the_one_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = table(&[], &folder);
    let world = World::open(tempfile::tempdir().unwrap(), &[&plugin], json!({})).unwrap();
    let sha256 = world.call("plugins.list", json!({})).unwrap()["items"][0]["sha256"].clone();
    let open = |sha256: serde_json::Value| {
        let pinned = json!({"plugins": [{"path": plugin, "sha256": sha256}]});
        World::open(tempfile::tempdir().unwrap(), &[], pinned)
    };
    assert!(open(sha256).is_ok());
    let error = open(json!("00")).err().unwrap();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Forbidden, Some("plugin_digest")), "{error}");
}

#[test]
fn tables_that_break_the_contract_are_told_apart() {
    for (defines, code, reason, part) in [
        (&["ENTRY=another_name"][..], Code::InvalidArgument, "plugin_no_entry", "psa_plugin_entry"),
        (&["TABLE=NULL"], Code::Unsupported, "plugin_too_new", "ABI 1.0"),
        (&["MAJOR=2"], Code::Unsupported, "plugin_abi_major", "ABI 2.0, this host speaks 1.0. Update the host"),
        (&["MAJOR=0", "MINOR=9"], Code::Unsupported, "plugin_abi_major", "ABI 0.9, this host speaks 1.0. Rebuild"),
        (&["SIZE=16"], Code::InvalidArgument, "plugin_table_size", "16 bytes"),
        (&["SIZE=65"], Code::InvalidArgument, "plugin_table_size", "65 bytes"),
        (&["SIZE=1000000"], Code::InvalidArgument, "plugin_table_size", "1000000 bytes"),
        (&["OPEN=NULL"], Code::InvalidArgument, "plugin_null", "open is NULL"),
        (&["OPERATION_SIZE=8"], Code::InvalidArgument, "plugin_operations", "operation_size is 8"),
        (
            &["OPERATIONS={\"get_ticket\",NULL,0,0}"],
            Code::InvalidArgument,
            "plugin_operations",
            "has no start function",
        ),
        (&["OPERATIONS={\"Get Ticket\",get_ticket,0,0}"], Code::InvalidArgument, "plugin_operations", "operation 0"),
        (&["OPERATIONS={NULL,get_ticket,0,0}"], Code::InvalidArgument, "plugin_operations", "operation 0"),
        (
            &["OPERATIONS={\"get_ticket\",get_ticket,1,0}"],
            Code::InvalidArgument,
            "plugin_operations",
            "a reading operation",
        ),
        (
            &["OPERATIONS={\"add_note\",get_ticket,0,0}"],
            Code::InvalidArgument,
            "plugin_operations",
            "a writing operation",
        ),
        (
            &["OPERATIONS={\"get_ticket\",get_ticket,0,0},{\"get_ticket\",get_ticket,0,0}"],
            Code::InvalidArgument,
            "plugin_operations",
            "twice",
        ),
        (&["MANIFEST=\"\""], Code::InvalidArgument, "plugin_manifest", "empty"),
        (&["MANIFEST=\"{\\\"id\\\":\""], Code::InvalidArgument, "plugin_manifest", "not valid"),
        (&["MANIFEST=\"{\\\"id\\\":1,\\\"id\\\":2}\""], Code::InvalidArgument, "plugin_manifest", "twice"),
        (&["MANIFEST=\"{\\\"id\\\":\\\"\\xff\\\"}\""], Code::InvalidArgument, "plugin_manifest", "UTF-8"),
        (&["ID=\"Table\""], Code::InvalidArgument, "plugin_manifest", "\"Table\""),
        (&["VERSION=\"one\""], Code::InvalidArgument, "plugin_manifest", "SemVer"),
        (&["FORM=\"{}\""], Code::InvalidArgument, "plugin_form", "form_schema"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let plugin = table(defines, &folder);
        check(&plugin, code, reason, part);
    }
}

#[test]
fn types_laid_out_otherwise_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = compile::shipped("layout", folder.path());
    check(
        &plugin,
        Code::InvalidArgument,
        "plugin_layout",
        "changed SDK: Error:mismatched type Expected: Contract Found: psa_bytes",
    );
}

#[test]
fn of_a_folder_what_can_be_loaded_is_and_the_rest_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::copy(table(&[], &folder), plugins.join("psa_table.so")).unwrap();
    std::fs::write(plugins.join("psa_text.so"), "only a text, and long enough to have a head\n").unwrap();
    std::fs::write(plugins.join("readme.txt"), "not looked at").unwrap();
    let world = World::open(folder, &[&plugins], json!({})).unwrap();
    let list = world.call("plugins.list", json!({})).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["refused"][0]["reason"], "plugin_format");
    assert_eq!(list["refused"].as_array().unwrap().len(), 1);
    assert!(world.log().iter().any(|line| line.contains("psa_text.so is not loaded")), "{:?}", world.log());
    assert_eq!(world.call("health", json!({"tenant": "t"})).unwrap()["refused"], list["refused"]);
    // Who asks for the plugin learns it too, and who asks for another one where to look.
    let create = |plugin: &str| {
        let params = json!({"tenant": "t", "plugin": plugin, "settings": {}});
        let error = world.call("connections.create", params).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::NotFound, Some("plugin_missing")), "{error}");
        error.message
    };
    let (path, said) = (plugins.join("psa_text.so"), create("text"));
    let why = format!("because its file was refused: the plugin {} is not loaded: it is not a shared", path.display());
    assert!(said.contains(&why), "{said}");
    assert!(create("tex").contains("plugins.list says which there are, and which files were refused"));
    world.host.close(1000).unwrap();
    // And who looks from outside.
    let doctor = |plugins: &Path| {
        let mut doctor = Command::new(compile::target().join("psa"));
        let done = doctor.arg("doctor").arg(world.folder.path().join("data")).arg("--plugins").arg(plugins).output();
        let done = done.unwrap();
        (done.status.success(), String::from_utf8(done.stdout).unwrap())
    };
    let (sound, said) = doctor(&plugins);
    assert!(!sound && said.contains("psa_text.so is not loaded") && said.contains("the database is whole"), "{said}");
    let (sound, said) = doctor(&plugins.join("psa_table.so"));
    assert!(sound && said.contains("no plugin is refused"), "{said}");
}

/// What root had tried, the host's own user could not load any more: the copy was root's.
#[test]
fn the_doctor_tries_plugins_for_nobody_but_the_user_of_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = table(&[], &folder);
    let world = World::open(folder, &[], json!({})).unwrap();
    world.host.close(1000).unwrap();
    let data = world.folder.path().join("data");
    if let Err(error) = std::os::unix::fs::chown(&data, Some(65534), None) {
        println!("skipped: only root can give a folder to somebody else: {error}");
        return;
    }
    let doctor = || {
        let mut doctor = Command::new(compile::target().join("psa"));
        doctor.arg("doctor").arg(&data);
        doctor
    };
    let refused = doctor().arg("--plugins").arg(&plugin).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("belongs to user 65534, and this is user 0"), "{said}");
    assert!(said.contains("Run it as the user of the host"), "{said}");
    assert!(!data.join("plugins").exists(), "a copy was made that its user could not use");
    // The database may be looked at by whoever can read it.
    assert!(compile::run(&mut doctor()).contains("the database is whole"));
}

#[test]
fn two_plugins_of_one_id_are_not_both_loaded() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plugins = [table(&[], &one), table(&["VERSION=\"2.0.0\""], &two)];
    let error = World::open(tempfile::tempdir().unwrap(), &[&plugins[0], &plugins[1]], json!({})).err().unwrap();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Conflict, Some("plugin_twice")), "{error}");
    // The same file named twice is one plugin.
    assert!(World::open(tempfile::tempdir().unwrap(), &[&plugins[0], &plugins[0]], json!({})).is_ok());
}

#[test]
fn a_folder_for_data_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |data_dir: &Path| World::open(tempfile::tempdir().unwrap(), &[], json!({"data_dir": data_dir}));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(&file.join("below")).err().unwrap();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Storage, Some("data_dir")), "{error}");
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    mode(&shared, 0o777);
    let error = open(&shared).err().unwrap();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Forbidden, Some("data_dir_writable")), "{error}");
}
