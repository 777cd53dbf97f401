//! The example server in C++, built by CMake against a package: page, forms, callbacks, limits, a tidy end.

use psa_host::{CallOptions, Hooks, Host};
use psa_tests::compile::{self, run};
use psa_tests::embedded::Embedded;
use psa_tests::inbound::quick;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A package as far as CMake sees it: what `find_package(psa_host)` finds.
fn package(folder: &Path) {
    let text = format!(
        "add_library(psa_host::psa_host SHARED IMPORTED)\n\
         set_target_properties(psa_host::psa_host PROPERTIES IMPORTED_LOCATION \"{}\" IMPORTED_NO_SONAME TRUE\n\
         INTERFACE_INCLUDE_DIRECTORIES \"{}\")\n",
        compile::target().join("libpsa_host.so").display(),
        compile::root().join("include").display(),
    );
    let place = folder.join("package/lib/cmake/psa_host");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("psa_hostConfig.cmake"), text).unwrap();
}

/// The example, built as its README says.
fn built(folder: &Path) -> PathBuf {
    package(folder);
    let build = folder.join("build");
    run(Command::new("cmake")
        .arg("-S")
        .arg(compile::root().join("examples/cpp-server"))
        .arg("-B")
        .arg(&build)
        .args(["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"])
        .arg(format!("-DCMAKE_PREFIX_PATH={}", folder.join("package").display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    build.join("cpp-server")
}

/// The running server.
struct Server {
    child: Child,
    lines: Receiver<String>,
    address: String,
}

impl Server {
    fn start(program: &Path, config: &Path, mount: &str) -> Server {
        let mut child = Command::new(program).arg(config).arg(mount).stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        let mut server = Server { child, lines, address: String::new() };
        let ready = server.until("the page is at ");
        server.address = ready.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        server
    }

    /// Waits for a line that begins so.
    fn until(&self, beginning: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no {beginning}"));
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// Asks for a termination; the code it ends with.
    fn end(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        run(Command::new("kill").args(["-TERM", &id]));
        self.until("closed");
        self.child.wait().unwrap().code()
    }

    /// Status, head in lower case and body of an answer.
    fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(head.as_bytes()).unwrap();
        answer(stream)
    }

    /// Sends a head and a part of the body that it announces; the status that comes all the same.
    fn overlong(&self, target: &str, announces: &str, part: &[u8]) -> u16 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("POST {target} HTTP/1.1\r\nhost: desk\r\n{announces}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // The connection may end before all of it is sent.
        let _ = stream.write_all(part);
        answer(stream).0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(mut stream: TcpStream) -> (u16, String, String) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut all = Vec::new();
    // A refused body ends in a reset behind the answer.
    let _ = stream.read_to_end(&mut all);
    let text = String::from_utf8_lossy(&all).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

/// A PSA, a folder, and a connection with a linked ticket that the server will find there.
struct Scene {
    embedded: Embedded,
    config: Value,
    connection: String,
}

impl Scene {
    fn new() -> Scene {
        let embedded = Embedded::new();
        embedded.simulator.switches(&json!({"delivery_scale": 0.05})).unwrap();
        let mut more = quick();
        more["egress"] = json!({"allow_loopback_http": true});
        let config = embedded.config_with(&more);
        std::fs::write(embedded.folder.path().join("config.json"), config.to_string()).unwrap();
        let create = embedded.create();
        let mut scene = Scene { embedded, config, connection: String::new() };
        let host = scene.host();
        let made = call(&host, "connections.create", create);
        scene.connection = made["connection"].as_str().unwrap().to_owned();
        assert_eq!(call(&host, "connections.test", scene.of(json!({})))["passed"], true);
        call(&host, "links.create", scene.of(json!({"product_ticket": "HD-7", "ticket": "1001"})));
        host.close(1_000).unwrap();
        scene
    }

    /// A host beside the server's on the same folder, which does none of its work.
    fn host(&self) -> Host {
        let mut config = self.config.clone();
        config["callbacks"]["work"] = json!(false);
        Host::open(config.to_string().as_bytes(), Hooks::default()).unwrap()
    }

    fn of(&self, mut params: Value) -> Value {
        params["tenant"] = json!("t");
        params["connection"] = json!(self.connection);
        params
    }

    fn start(&self, program: &Path, mount: &str) -> Server {
        Server::start(program, &self.embedded.folder.path().join("config.json"), mount)
    }

    /// The address that the server has registered for tickets, as the PSA calls it.
    fn registered(&self, server: &Server) -> String {
        let begins = format!("http://{}/hooks/psa/", server.address);
        loop {
            let entries = self.embedded.simulator.control("GET", "callbacks", None).unwrap();
            let mut entries = entries["items"].as_array().unwrap().iter();
            let found = entries.find(|entry| {
                entry["type"] == "ticket" && entry["url"].as_str().is_some_and(|url| url.starts_with(&begins))
            });
            if let Some(found) = found {
                return found["url"].as_str().unwrap().to_owned();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn call(host: &Host, method: &str, params: Value) -> Value {
    serde_json::from_str(&host.call(method, params.to_string().as_bytes(), CallOptions::default()).unwrap()).unwrap()
}

/// Signs in; the cookie.
fn signed_in(server: &Server, mount: &str) -> String {
    assert_eq!(server.ask("GET", &format!("{mount}/"), &[], "").0, 401);
    assert_eq!(server.ask("GET", "/login?user=Ann<b>", &[], "").0, 400);
    let (status, head, _) = server.ask("GET", "/login?user=ann", &[], "");
    assert!(status == 303 && head.contains(&format!("\r\nlocation: {mount}/\r\n")), "{head}");
    let cookie = head.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap();
    cookie.to_owned()
}

/// Where the links, sources and forms of a page lead.
fn links(page: &str) -> Vec<String> {
    let parts = page.split([' ', '<']).filter_map(|part| {
        let rest = ["href=\"", "src=\"", "action=\""].iter().find_map(|name| part.strip_prefix(name))?;
        Some(rest.split('"').next()?.replace("&amp;", "&"))
    });
    parts.filter(|link| link.starts_with('/')).collect()
}

fn the_page_is_whole(server: &Server, scene: &Scene, mount: &str) {
    let cookie = signed_in(server, mount);
    let get = |target: &str| server.ask("GET", target, &[("cookie", &cookie)], "");
    let (status, _, page) = get(&format!("{mount}/"));
    assert_eq!(status, 200, "{page}");
    let found = links(&page);
    assert!(found.len() > 3, "{page}");
    for link in found {
        assert!(link.starts_with(&format!("{mount}/")), "{link}");
        assert_eq!(get(&link).0, 200, "{link}");
    }
    let overview = format!("{mount}/c/{}", scene.connection);
    let (_, _, page) = get(&overview);
    let token = page.split("name=\"_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let post = |cookie: &str, action: &str, token: &str| {
        let headers = [("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")];
        server.ask("POST", &format!("{overview}/{action}"), &headers, &format!("_token={token}"))
    };
    let other = signed_in(server, mount);
    assert_eq!(post(&cookie, "pause", "forged.AAAA").0, 403);
    assert_eq!(post(&other, "pause", token).0, 403, "of another session");
    let (status, head, _) = post(&cookie, "pause", token);
    assert!(status == 303 && head.contains(&format!("\r\nlocation: {overview}")), "{head}");
    assert!(get(&overview).2.contains("/resume\""), "it is paused");
    assert_eq!(post(&cookie, "resume", token).0, 303);
    assert!(get(&overview).2.contains("/pause\""), "it is active");
}

/// How many callbacks were believed, and how many were not, once all are judged.
fn judged(scene: &Scene) -> (usize, usize) {
    let host = scene.host();
    let items = loop {
        let listed = call(&host, "callbacks.deliveries", scene.of(json!({})));
        let items = listed["items"].as_array().unwrap().clone();
        if items.iter().all(|one| one["state"] != "received") {
            break items;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    host.close(1_000).unwrap();
    let count = |state: &str| items.iter().filter(|one| one["state"] == state).count();
    (count("verified"), count("refused"))
}

fn callbacks_are_proved(server: &Server, scene: &Scene) {
    let url = scene.registered(server);
    assert!(scene.embedded.simulator.settle_deliveries().unwrap());
    let before = judged(scene);
    let send = |order: Value| scene.embedded.simulator.control("POST", "callbacks/send", Some(&order)).unwrap();
    let sent = send(json!({"url": url, "fields": {"Note": "Größe: 4 € ☃"}}));
    assert_eq!(sent["statuses"], json!([204]), "{sent}");
    send(json!({"url": url, "fields": {"Note": "Größe: 4 € ☃"}, "sign_with": {"key": "another"}}));
    assert_eq!(judged(scene), (before.0 + 1, before.1 + 1));
    // What a person does at the PSA is printed.
    let act = json!({"note": {"text": "Wo ist er? ☃"}});
    scene.embedded.simulator.control("POST", "tickets/1001", Some(&act)).unwrap();
    server.until("event: note.added");
    let gone = server.ask("POST", "/hooks/psa/0123456789abcdef0123456789abcdef01234567?recordId=1", &[], "{}");
    assert_eq!(gone.0, 410, "{gone:?}");
}

/// A refused body is not read: its rest is never sent here, and the answer comes all the same.
fn bodies_have_limits(server: &Server, mount: &str) {
    let (kib, page, hooks) = (vec![b'x'; 1024], format!("{mount}/new/connectwise"), "/hooks/psa/none");
    let announced = |bytes: usize| format!("content-length: {bytes}");
    assert_eq!(server.overlong(&page, &announced(2 << 20), &kib), 413);
    assert_eq!(server.overlong(&page, &announced((1 << 20) + 1), b""), 413);
    assert_eq!(server.overlong(hooks, &announced((256 << 10) + 1), b""), 413);
    // Without a length it is counted.
    let chunk = [format!("{:x}\r\n", 300 << 10).into_bytes(), vec![b'x'; 300 << 10]].concat();
    assert_eq!(server.overlong(hooks, "transfer-encoding: chunked", &chunk), 413);
    let whole = "x".repeat(256 << 10);
    assert_eq!(server.ask("POST", hooks, &[], &whole).0, 410, "as long as it may be");
    assert_eq!(server.overlong(&page, &format!("cookie: {}", "x".repeat(70_000)), b""), 431);
    assert_eq!(server.overlong("", "x", b""), 400);
}

#[test]
fn the_page_its_forms_and_signed_callbacks_work_at_the_root_and_below_a_path() {
    let scene = Scene::new();
    let program = built(scene.embedded.folder.path());
    for mount in ["/", "/a/b"] {
        let server = scene.start(&program, mount);
        let mount = mount.trim_end_matches('/');
        the_page_is_whole(&server, &scene, mount);
        callbacks_are_proved(&server, &scene);
        bodies_have_limits(&server, mount);
        assert_eq!(server.ask("GET", "/elsewhere", &[], "").0, if mount.is_empty() { 401 } else { 404 });
        assert_eq!(server.end(), Some(0));
    }
}
