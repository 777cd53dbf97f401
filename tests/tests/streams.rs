//! Attachments stream past the plugin: constant memory, back pressure both ways, and every way to break off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use psa_host::{CallOptions, Code, Error, Input, Output};
use psa_tests::compile;
use psa_tests::files::{Act, Files};
use psa_tests::world::World;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

struct Scene {
    world: World,
    files: Arc<Files>,
    connection: String,
}

impl Scene {
    fn new(act: Act) -> Scene {
        Scene::with(Files::start(act, 1000, true), &[], json!({}))
    }

    fn with(files: Files, defines: &[&str], egress: Value) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let plugin = compile::stream_plugin(defines, folder.path());
        let mut config = json!({"allow_loopback_http": true});
        config.as_object_mut().unwrap().extend(egress.as_object().unwrap().clone());
        let world = World::open(folder, &[&plugin], json!({"egress": config})).unwrap();
        let connection = world.connect("stream", json!({"url": files.url}), json!({}));
        world.call("connections.test", json!({"tenant": "t", "connection": connection})).unwrap();
        Scene { world, files: Arc::new(files), connection }
    }

    fn add_params(&self, title: &str) -> Value {
        json!({"tenant": "t", "connection": self.connection, "ticket": "1", "title": title, "file_name": "log.txt",
               "public": false})
    }

    fn add(&self, title: &str, source: impl Read + Send + 'static, len: Option<u64>) -> Result<Value, Error> {
        let options = CallOptions { input: Some(Input::new(source, len)), ..CallOptions::default() };
        self.world.call_with("attachments.add", self.add_params(title), options)
    }

    fn get_params(&self, attachment: &str) -> Value {
        json!({"tenant": "t", "connection": self.connection, "attachment": attachment})
    }

    fn get(&self, attachment: &str, sink: impl Write + Send + 'static) -> Result<Value, Error> {
        let options = CallOptions { output: Some(Output::new(sink)), ..CallOptions::default() };
        self.world.call_with("attachments.get", self.get_params(attachment), options)
    }

    /// Starts an upload and says how it ends.
    fn submit(&self, source: impl Read + Send + 'static) -> (u64, Receiver<Result<String, Error>>) {
        let (send, ended) = channel();
        let done = Box::new(move |_, outcome| drop(send.send(outcome)));
        let options = CallOptions { input: Some(Input::new(source, None)), ..CallOptions::default() };
        let params = self.add_params("Log").to_string();
        (self.world.host.submit("attachments.add", params.as_bytes(), options, done).unwrap(), ended)
    }
}

fn told(error: &Error) -> (Code, &str) {
    (error.code, error.reason.as_deref().unwrap_or_default())
}

/// A sink that counts, and waits for leave before each piece if it is told to.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        assert!(bytes.iter().all(|byte| *byte == b'x'));
        self.0.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Gives some bytes, says so, and waits; then fails, or ends.
struct Stuck {
    gives: usize,
    began: std::sync::mpsc::Sender<()>,
    go: Receiver<()>,
    fails: bool,
}

impl Read for Stuck {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.gives);
        self.gives -= count;
        if count == 0 {
            let _ = self.began.send(());
            let _ = self.go.recv();
            if self.fails {
                return Err(std::io::Error::other("the disk is gone"));
            }
        }
        buffer[..count].fill(b'y');
        Ok(count)
    }
}

/// The most memory this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_hundred_megabytes_go_up_and_down_in_constant_memory() {
    const BYTES: u64 = 100 << 20;
    let scene = Scene::with(Files::start(Act::Well, BYTES, true), &[], json!({}));
    let before = peak();
    for (title, len, moved) in [("Log", Some(BYTES), BYTES + 2), ("base64", None, BYTES.div_ceil(3) * 4 + 2)] {
        let had = scene.files.moved();
        let added = scene.add(title, std::io::repeat(b'y').take(BYTES), len).unwrap();
        assert_eq!((&added["id"], scene.files.moved() - had), (&json!("sent"), moved));
    }
    let there = Counting::default();
    assert_eq!(scene.get("1", there.clone()).unwrap()["file_name"], "log.txt");
    assert_eq!(there.0.load(Ordering::SeqCst), BYTES);
    let grown = peak() - before;
    assert!(grown < 40 << 10, "{grown} KiB");
}

#[test]
fn the_body_is_what_was_read_and_its_length_is_said_if_known() {
    let scene = Scene::new(Act::Well);
    for length in [0, 1, 2, 3, 4, 1000] {
        for known in [true, false] {
            for title in ["Log", "base64"] {
                let bytes: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
                let inside =
                    if title == "Log" { String::from_utf8(bytes.clone()).unwrap() } else { STANDARD.encode(&bytes) };
                // Odd pieces, so that groups of three are cut.
                let source = Pieces(bytes);
                scene.add(title, source, known.then_some(length)).unwrap();
                let (head, body) = scene.files.bodies().pop().unwrap();
                assert_eq!(body, format!("<{inside}>"), "{length} {known} {title}");
                let said = head.contains(&format!("content-length: {}\r\n", body.len()));
                assert_eq!((said, head.contains("transfer-encoding: chunked")), (known, !known), "{head}");
            }
        }
    }
}

/// Seven bytes at a time.
struct Pieces(Vec<u8>);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(7);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        Ok(count)
    }
}

/// More than the buffers of the system hold, and far less than the file.
const AHEAD_MAX: u64 = 32 << 20;

/// The farther side of a stream, and how far the nearer one was ever ahead of it.
#[derive(Clone)]
struct Race {
    files: Arc<Files>,
    bytes: Arc<AtomicU64>,
    ahead: Arc<AtomicU64>,
}

impl Race {
    fn new(files: &Arc<Files>) -> Race {
        Race { files: files.clone(), bytes: Arc::default(), ahead: Arc::default() }
    }

    fn moved(&self, count: usize) -> u64 {
        let bytes = self.bytes.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
        self.ahead.fetch_max(bytes.abs_diff(self.files.moved()), Ordering::SeqCst);
        bytes
    }
}

impl Read for Race {
    /// The PSA begins to read when the first MiB is gone.
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(b'y');
        if self.moved(buffer.len()) >= 1 << 20 {
            self.files.go_on();
        }
        Ok(buffer.len())
    }
}

impl Write for Race {
    /// Takes nothing before the PSA has sent the first MiB.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        while self.files.moved() < 1 << 20 {
            std::thread::yield_now();
        }
        self.moved(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_is_slower_holds_up_the_other_side() {
    const BYTES: u64 = 128 << 20;
    let scene = Scene::new(Act::Wait);
    let race = Race::new(&scene.files);
    scene.add("Log", race.clone().take(BYTES), None).unwrap();
    assert_eq!(scene.files.kept(), [BYTES + 2]);
    let ahead = race.ahead.load(Ordering::SeqCst);
    assert!(ahead < AHEAD_MAX, "the product was {ahead} bytes ahead");
    let scene = Scene::with(Files::start(Act::Well, BYTES, false), &[], json!({}));
    let race = Race::new(&scene.files);
    scene.get("1", race.clone()).unwrap();
    let (there, ahead) = (race.bytes.load(Ordering::SeqCst), race.ahead.load(Ordering::SeqCst));
    assert!(there == BYTES && ahead < AHEAD_MAX, "{there}; the PSA was {ahead} bytes ahead");
}

#[test]
fn a_reader_that_fails_at_once_sends_nothing_and_one_that_fails_later_leaves_a_doubt() {
    let scene = Scene::new(Act::Well);
    let stuck = |gives| {
        let (began, _) = channel();
        Stuck { gives, began, go: channel().1, fails: true }
    };
    let error = scene.add("Log", stuck(0), None).unwrap_err();
    assert_eq!(told(&error), (Code::Cancelled, "input_failed"), "{error}");
    assert_eq!(scene.files.moved(), 0);
    let error = scene.add("Log", stuck(10 << 20), None).unwrap_err();
    assert_eq!(told(&error), (Code::OutcomeUnknown, "input_failed"), "{error}");
    assert!(error.message.contains("the disk is gone"), "{error}");
    assert_eq!(error.details.unwrap()["wire"], "in_doubt");
    assert_eq!(scene.files.kept(), Vec::<u64>::new());
}

#[test]
fn a_lost_answer_is_looked_for_and_only_the_one_file_is_taken_for_it() {
    let scene = Scene::new(Act::KeepAndReset(1));
    let found = scene.add("Log", &b"hello"[..], Some(5)).unwrap();
    assert_eq!((&found["id"], &found["size"]), (&json!("0"), &json!(5)));
    // The first is known by now; the next one is found again.
    assert_eq!(scene.add("Log", &b"hello"[..], Some(5)).unwrap()["id"], "1");
    for (act, new) in [(Act::KeepAndReset(2), 2), (Act::KeepAndReset(0), 0), (Act::Reset(1), 0)] {
        let scene = Scene::new(act);
        let error = scene.add("Log", &b"hello"[..], Some(5)).unwrap_err();
        assert_eq!(error.code, Code::OutcomeUnknown, "{act:?}: {error}");
        assert_eq!(error.details.unwrap()["seen"]["new"].as_array().unwrap().len(), new, "{act:?}");
    }
}

#[test]
fn a_psa_that_breaks_off_leaves_an_error_and_no_half_truth() {
    let scene = Scene::new(Act::Reset(1 << 20));
    let error = scene.add("Log", std::io::repeat(b'y').take(64 << 20), None).unwrap_err();
    assert_eq!(error.code, Code::OutcomeUnknown, "{error}");
    assert_eq!(error.details.unwrap()["seen"]["new"], json!([]));
    let scene = Scene::with(Files::start(Act::Reset(600), 1000, true), &[], json!({}));
    let error = scene.get("1", Counting::default()).unwrap_err();
    assert_eq!(told(&error), (Code::Unavailable, "egress_reset"), "{error}");
}

#[test]
fn success_before_the_file_was_there_is_not_believed() {
    for (act, title) in [(Act::Hasty, "Log"), (Act::Well, "unsent")] {
        let scene = Scene::new(act);
        let error = scene.add(title, std::io::repeat(b'y').take(64 << 20), Some(64 << 20)).unwrap_err();
        assert_eq!(error.code, Code::OutcomeUnknown, "{title}: {error}");
    }
}

#[test]
fn what_is_too_long_is_refused_or_ended() {
    let egress = json!({"input_bytes_max": 1000, "output_bytes_max": 999});
    let scene = Scene::with(Files::start(Act::Well, 1000, true), &[], egress);
    let error = scene.add("Log", std::io::repeat(0), Some(1001)).unwrap_err();
    assert_eq!(told(&error), (Code::TooLarge, "input_too_large"), "{error}");
    assert_eq!(scene.files.moved(), 0);
    scene.add("Log", std::io::repeat(b'y').take(1000), Some(1000)).unwrap();
    let error = scene.add("Log", std::io::repeat(b'y').take(1001), None).unwrap_err();
    assert_eq!(told(&error), (Code::TooLarge, "input_too_large"), "{error}");
    let error = scene.get("1", Counting::default()).unwrap_err();
    assert_eq!(told(&error), (Code::TooLarge, "output_too_large"), "{error}");
}

#[test]
fn an_answer_that_is_no_success_goes_to_the_plugin() {
    let scene = Scene::new(Act::Missing);
    let there = Counting::default();
    let error = scene.get("1", there.clone()).unwrap_err();
    assert_eq!((error.code, there.0.load(Ordering::SeqCst)), (Code::Rejected, 0));
    assert!(error.message.contains("status 404 with 7 bytes"), "{error}");
}

#[test]
fn a_call_that_is_cancelled_or_closed_ends_after_its_reader_has_returned() {
    for close in [false, true] {
        let scene = Scene::new(Act::Well);
        let (began, begun) = channel();
        let (go, told) = channel();
        let (id, ended) = scene.submit(Stuck { gives: 1 << 20, began, go: told, fails: false });
        begun.recv().unwrap();
        std::thread::scope(|scope| {
            let closing = close.then(|| scope.spawn(|| scene.world.host.close(0)));
            if !close {
                scene.world.host.cancel(id).unwrap();
            }
            // The host has been told and its request is gone; the call is not done while the reader is in use.
            while scene.files.broken_off() == 0 {
                std::thread::yield_now();
            }
            assert!(ended.try_recv().is_err());
            drop(go);
            let error = ended.recv().unwrap().unwrap_err();
            assert_eq!(error.code, Code::OutcomeUnknown, "{error}");
            if let Some(closing) = closing {
                closing.join().unwrap().unwrap();
            }
        });
        assert_eq!(begun.try_iter().count(), 0, "it was not asked again");
    }
}

#[test]
fn a_plugin_uses_only_the_streams_it_declares_and_the_input_once() {
    let scene = Scene::new(Act::Well);
    for (title, words) in
        [("again", "can be taken once"), ("as a read", "a read may be repeated"), ("form", "as it is or in base64")]
    {
        let error = scene.add(title, &b"hello"[..], None).unwrap_err();
        assert!(error.message.contains(words), "{title}: {error}");
    }
    scene.add("own", &b"hello"[..], Some(5)).unwrap();
    assert_eq!(scene.files.bodies().pop().unwrap().1, "5 of 5");
    let made = Arc::new(Mutex::new(Vec::new()));
    struct Kept(Arc<Mutex<Vec<u8>>>);
    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(scene.get("own", Kept(made.clone())).unwrap()["file_name"], "own.txt");
    assert_eq!(*made.lock().unwrap(), b"made here");
    let scene = Scene::with(Files::start(Act::Well, 1, true), &["FLAGS=0"], json!({}));
    for title in ["Log", "own"] {
        let error = scene.add(title, &b"hello"[..], None).unwrap_err();
        assert_eq!(told(&error), (Code::Forbidden, "not_declared"), "{error}");
    }
}

#[test]
fn a_method_without_a_stream_refuses_one_and_the_others_need_theirs() {
    let scene = Scene::new(Act::Well);
    for (method, input, output, words) in [
        ("methods.list", true, false, "methods.list takes no input"),
        ("attachments.add", true, true, "attachments.add gives no output"),
        ("attachments.add", false, false, "attachments.add takes an input"),
        ("attachments.get", false, false, "attachments.get gives an output"),
    ] {
        let input = input.then(|| Input::new(std::io::empty(), None));
        let output = output.then(|| Output::new(std::io::sink()));
        let error = scene.world.call_with(method, json!({}), CallOptions { input, output, ..CallOptions::default() });
        let error = error.unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(error.message.starts_with(words), "{error}");
    }
    let error = scene.add("Log", std::io::empty(), Some(0)).err();
    assert_eq!(error, None, "an empty file is a file");
    let params = Value::Object({
        let mut params = scene.add_params("Log").as_object().unwrap().clone();
        params.insert("file_name".into(), json!("../log.txt"));
        params
    });
    let options = CallOptions { input: Some(Input::new(std::io::empty(), None)), ..CallOptions::default() };
    let error = scene.world.call_with("attachments.add", params, options).unwrap_err();
    assert_eq!((error.code, error.fields[0].at.as_str()), (Code::InvalidArgument, "/file_name"));
}
