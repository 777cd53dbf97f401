//! The plugin as a file: what it needs of the system, and that no credential enters it.

use psa_host::{CallOptions, Code};
use psa_host_api::abi::{
    psa_bytes, psa_call, psa_code, psa_header, psa_http_request, psa_plugin, psa_services, psa_then,
};
use psa_simulator::Simulator;
use psa_tests::compile::{self, run};
use psa_tests::world::World;
use serde_json::json;
use std::ffi::c_void;
use std::process::Command;
use std::sync::Mutex;

/// Symbols that the plugin may take from the system, each with its reason.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "memory",
        &[
            "malloc",
            "calloc",
            "realloc",
            "free",
            "posix_memalign",
            "aligned_alloc",
            "memcpy",
            "memmove",
            "memset",
            "memcmp",
            "bcmp",
            "strlen",
            "mmap64",
            "mmap",
            "munmap",
        ],
    ),
    (
        "unwinding of a panic up to the guard",
        &[
            "_Unwind_Backtrace",
            "_Unwind_DeleteException",
            "_Unwind_GetCFA",
            "_Unwind_GetDataRelBase",
            "_Unwind_GetIP",
            "_Unwind_GetIPInfo",
            "_Unwind_GetLanguageSpecificData",
            "_Unwind_GetRegionStart",
            "_Unwind_GetTextRelBase",
            "_Unwind_RaiseException",
            "_Unwind_Resume",
            "_Unwind_SetGR",
            "_Unwind_SetIP",
            "_Unwind_FindEnclosingFunction",
            "dl_iterate_phdr",
            "abort",
        ],
    ),
    (
        "a panic's message and its backtrace: standard error, and the program's own file for its symbols",
        &[
            "write",
            "writev",
            "__errno_location",
            "__xpg_strerror_r",
            "strerror_r",
            "getcwd",
            "getenv",
            "environ",
            "__environ",
            "open",
            "open64",
            "read",
            "readlink",
            "close",
            "fstat64",
            "stat64",
            "statx",
            "lseek64",
            "realpath",
            "syscall",
            "getauxval",
            "gnu_get_libc_version",
            "getpid",
            "gettid",
            "__cxa_thread_atexit_impl",
            "__cxa_finalize",
            "__tls_get_addr",
            "__stack_chk_fail",
            "_ITM_deregisterTMCloneTable",
            "_ITM_registerTMCloneTable",
            "__gmon_start__",
        ],
    ),
    (
        "locks and thread-locals of the standard library",
        &[
            "pthread_key_create",
            "pthread_key_delete",
            "pthread_setspecific",
            "pthread_getspecific",
            "pthread_self",
            "sched_yield",
        ],
    ),
];

fn library() -> std::path::PathBuf {
    compile::target().join("libpsa_connectwise.so")
}

#[test]
fn the_plugin_takes_no_socket_thread_or_file_from_the_system() {
    let printed = run(Command::new("nm").args(["-D", "--undefined-only", "--format=just-symbols"]).arg(library()));
    let allowed: Vec<&str> = ALLOWED.iter().flat_map(|(_, names)| *names).copied().collect();
    let taken: Vec<&str> = printed.lines().map(|line| line.split('@').next().unwrap_or(line)).collect();
    assert!(taken.contains(&"malloc"), "{printed}");
    let strange: Vec<&&str> = taken.iter().filter(|name| !allowed.contains(name)).collect();
    assert!(strange.is_empty(), "not in the allow-list: {strange:?}");
    for never in [
        "socket",
        "connect",
        "getaddrinfo",
        "pthread_create",
        "fork",
        "execve",
        "dlopen",
        "fopen",
        "sigaction",
        "setenv",
    ] {
        assert!(!taken.contains(&never), "{never}");
    }
}

#[test]
fn loading_the_plugin_starts_no_thread_and_opens_no_descriptor() {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    let entries = || (count("/proc/self/task"), count("/proc/self/fd"));
    let before = entries();
    // SAFETY: our own plugin, whose entry only returns a table.
    let table = unsafe {
        let library = std::mem::ManuallyDrop::new(libloading::Library::new(library()).unwrap());
        let entry = library.get::<unsafe extern "C" fn(u32) -> *const psa_plugin>(b"psa_plugin_entry").unwrap();
        entry(1 << 16)
    };
    assert!(!table.is_null());
    assert_eq!(entries(), before);
}

#[test]
fn stripped_it_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let stripped = folder.path().join("psa_connectwise.so");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(library()));
    // A debug build is larger than what is shipped; even so it stays below four times the limit of a release.
    let size = std::fs::metadata(&stripped).unwrap().len();
    assert!(size < 4 * 1_500_000, "{size}");
}

/// A credential that is easy to find.
const CANARY: &str = "CaNaRy0f4c3b2a1PRIVATE";

/// Everything that crossed the ABI into the plugin, or that it built.
static CROSSED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn crossed(bytes: psa_bytes) {
    // SAFETY: only called with bytes of a running call.
    CROSSED.lock().unwrap().extend_from_slice(unsafe { bytes.as_slice() });
}

/// The real plugin, with a recorder between it and the host.
mod between {
    use super::*;
    use std::sync::OnceLock;

    pub(super) struct Real(pub(super) &'static psa_plugin);
    pub(super) static REAL: OnceLock<Real> = OnceLock::new();
    static TABLE: OnceLock<&psa_plugin> = OnceLock::new();
    static HOST: Mutex<Option<Services>> = Mutex::new(None);

    #[derive(Clone, Copy)]
    struct Services(psa_services);
    // SAFETY: a copy of the host's table, used only while its instance lives.
    unsafe impl Send for Services {}

    fn host() -> psa_services {
        HOST.lock().unwrap().unwrap().0
    }

    pub(super) unsafe extern "C" fn entry(_: u32) -> *const psa_plugin {
        *TABLE.get_or_init(|| Box::leak(Box::new(psa_plugin { open: Some(open), ..*REAL.get().unwrap().0 })))
    }

    unsafe extern "C" fn open(services: *const psa_services, call: psa_call, settings: psa_bytes) -> *mut c_void {
        crossed(settings);
        // SAFETY: as the host gave it; the copy is leaked, so it outlives the instance.
        unsafe {
            *HOST.lock().unwrap() = Some(Services(*services));
            let mine = psa_services { http: Some(http), get: Some(get), ..*services };
            (REAL.get().unwrap().0.open.unwrap())(Box::leak(Box::new(mine)), call, settings)
        }
    }

    unsafe extern "C" fn http(
        ctx: *mut c_void,
        call: psa_call,
        request: *const psa_http_request,
        then: psa_then,
    ) -> psa_code {
        // SAFETY: the plugin's request, valid while this runs; all of it is looked at.
        unsafe {
            let request = &*request;
            crossed(request.method);
            crossed(request.url);
            for header in std::slice::from_raw_parts(request.headers, request.header_count) {
                let psa_header { name, value, secret, .. } = *header;
                [name, value, secret].into_iter().for_each(crossed);
            }
            for chunk in (0..request.body_count).map(|position| *request.body.add(position)) {
                crossed(chunk.bytes);
            }
            let watched = Box::into_raw(Box::new(then)).cast();
            (host().http.unwrap())(ctx, call, request, psa_then { data: watched, run: Some(answered) })
        }
    }

    unsafe extern "C" fn answered(
        data: *mut c_void,
        code: psa_code,
        response: *const psa_host_api::abi::psa_http_response,
    ) {
        // SAFETY: made above, run once; the response lives until this returns.
        unsafe {
            let then = Box::from_raw(data.cast::<psa_then>());
            if let Some(response) = response.as_ref() {
                crossed(response.body);
                for header in std::slice::from_raw_parts(response.headers, response.header_count) {
                    [header.name, header.value].into_iter().for_each(crossed);
                }
            }
            (then.run.unwrap())(then.data, code, response);
        }
    }

    unsafe extern "C" fn get(
        ctx: *mut c_void,
        call: psa_call,
        space: u32,
        key: psa_bytes,
        value: *mut psa_bytes,
    ) -> psa_code {
        // SAFETY: passed on as it came.
        unsafe {
            let code = (host().get.unwrap())(ctx, call, space, key, value);
            crossed(*value);
            code
        }
    }
}

#[test]
fn a_credential_is_in_no_byte_that_reaches_the_plugin_nor_in_a_log_or_error() {
    // SAFETY: our own plugin; it stays loaded.
    unsafe {
        let library = std::mem::ManuallyDrop::new(libloading::Library::new(library()).unwrap());
        let entry = library.get::<unsafe extern "C" fn(u32) -> *const psa_plugin>(b"psa_plugin_entry").unwrap();
        assert!(between::REAL.set(between::Real(&*entry(1 << 16))).is_ok());
    }
    let simulator = Simulator::start(&compile::target().join("psa-simulator"), &["--tls"]).unwrap();
    let egress = json!({"ca_files": [simulator.text("ca")], "allow_private": ["127.0.0.1"]});
    let world = World::open(tempfile::tempdir().unwrap(), &[], json!({"egress": egress})).unwrap();
    world.host.add_plugin(Some(between::entry)).unwrap();
    // Wrong, so that the PSA's refusal is among what is looked at.
    let connection = world.connect("connectwise", simulator.settings(), json!({"private_key": CANARY}));
    let of = json!({"tenant": "t", "connection": connection, "ticket": "1001"});
    let mut said =
        vec![world.call("connections.test", json!({"tenant": "t", "connection": connection})).unwrap().to_string()];
    let error = world.call("tickets.get", of).unwrap_err();
    assert_eq!(error.code, Code::Unauthenticated);
    said.extend([error.to_json(), format!("{error:?}")]);
    said.extend(world.log());
    for method in ["connections.list", "plugins.list"] {
        let params = if method == "plugins.list" { "{}" } else { r#"{"tenant":"t"}"# };
        said.push(world.host.call(method, params.as_bytes(), CallOptions::default()).unwrap());
    }
    // It did travel: the simulator has refused exactly this key.
    assert!(simulator.log().unwrap().iter().any(|entry| entry["status"] == 401));
    let forms = [CANARY.to_owned(), encoded(&format!("acme+{}:{CANARY}", simulator.text("public_key")))];
    let crossed = String::from_utf8_lossy(&CROSSED.lock().unwrap()).into_owned();
    assert!(crossed.contains("private_key") && crossed.contains("companyinfo"), "the recorder has seen nothing");
    for form in forms {
        assert!(!crossed.contains(&form), "{form} has reached the plugin");
        assert!(said.iter().all(|text| !text.contains(&form)), "{form} was said: {said:?}");
    }
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

mod panics {
    use psa_host_api::Error;
    use psa_host_api::model::{Member, Page, Ticket};
    use psa_host_api::ops::{GetTicketRequest, ListMembersRequest};
    use psa_host_api::sdk::{Cx, Provider, Request, Settings};

    /// A plugin in Rust that panics, before and after its first wait.
    pub(super) struct Panics;

    impl Provider for Panics {
        const MANIFEST: &'static str = r#"{"id":"panics","name":"Panics","version":"1.0.0","form":{"form_schema":"1.0",
            "plugin":"panics","settings_version":1,"reads_from":1,"default_locale":"en",
            "groups":[{"key":"main","title":{"en":"Main"}}],"fields":[]}}"#;

        fn open(_: &Settings, _: &Cx) -> Result<Panics, Error> {
            Ok(Panics)
        }

        async fn get_ticket(&self, cx: &Cx, request: GetTicketRequest) -> Result<Ticket, Error> {
            if request.ticket == "late" {
                let _ = cx.http().send(Request::get("http://127.0.0.1:1/")).await;
            }
            panic!("ticket {} was too much", request.ticket)
        }

        async fn list_members(&self, _: &Cx, _: ListMembersRequest) -> Result<Page<Member>, Error> {
            Ok(Page::last(Vec::new()))
        }
    }

    psa_host_api::export_plugin!(Panics { get_ticket, list_members });

    pub(super) use psa_host_api::sdk::export::Exported;
}

#[test]
fn a_panic_ends_its_own_call_and_nothing_else() {
    let world = World::open(tempfile::tempdir().unwrap(), &[], json!({})).unwrap();
    world.host.add_plugin(<panics::Panics as panics::Exported>::ENTRY).unwrap();
    let connection = world.connect("panics", json!({}), json!({}));
    for ticket in ["now", "late", "now"] {
        let error =
            world.call("tickets.get", json!({"tenant": "t", "connection": connection, "ticket": ticket})).unwrap_err();
        assert_eq!((error.code, error.reason.as_deref()), (Code::Internal, Some("plugin_panicked")), "{error}");
        assert_eq!(error.message, format!("panics get_ticket: the plugin panicked: ticket {ticket} was too much"));
    }
    let members = world.call("members.list", json!({"tenant": "t", "connection": connection})).unwrap();
    assert_eq!(members, json!({"items": []}));
    // In use: no further plugin is taken.
    let error = world.host.add_plugin(<panics::Panics as panics::Exported>::ENTRY).unwrap_err();
    assert_eq!((error.code, error.reason.as_deref()), (Code::Conflict, Some("in_use")));
    world.host.close(0).unwrap();
    assert_eq!(world.call("methods.list", json!({})).unwrap_err().code, Code::Closed);
}
