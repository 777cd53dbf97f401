//! Files at tickets of ConnectWise: the bytes as they were, private unless said, names that harm nobody.

use psa_host::{CallOptions, Code, Error, Input, Output};
use psa_tests::scene::{Scene, fast};
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

fn add(scene: &Scene, name: &str, public: bool, bytes: Vec<u8>) -> Result<Value, Error> {
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "1001", "title": "A file",
                        "file_name": name, "public": public});
    let length = bytes.len() as u64;
    let options = CallOptions { input: Some(Input::new(Cursor::new(bytes), Some(length))), ..CallOptions::default() };
    scene.world.call_with("attachments.add", params, options)
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn get(scene: &Scene, attachment: &Value) -> Result<(Value, Vec<u8>), Error> {
    let sink = Sink::default();
    let options = CallOptions { output: Some(Output::new(sink.clone())), ..CallOptions::default() };
    let params = json!({"tenant": "t", "connection": scene.connection, "attachment": attachment["id"]});
    let content = scene.world.call_with("attachments.get", params, options)?;
    let bytes = std::mem::take(&mut *sink.0.lock().unwrap());
    Ok((content, bytes))
}

fn kept(scene: &Scene) -> Vec<Value> {
    scene.simulator.control("GET", "documents", None).unwrap()["items"].as_array().unwrap().clone()
}

/// The same for the same length, and no byte like its neighbour.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
}

#[test]
fn bytes_come_back_as_they_went_in() {
    let scene = Scene::new();
    let mut hostile =
        b"\r\n--psa-0123456789abcdef\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n\0\xff\xfe\r\n\r\n--"
            .to_vec();
    hostile.extend(noise(999));
    hostile.extend(b"\r\n--psa-");
    for bytes in [Vec::new(), vec![b'x'], noise(100 * 1024), hostile, noise(40 << 20)] {
        let added = add(&scene, "file.bin", false, bytes.clone()).unwrap();
        assert_eq!((added["size"].as_u64(), added["file_name"].as_str()), (Some(bytes.len() as u64), Some("file.bin")));
        let (content, back) = get(&scene, &added).unwrap();
        assert_eq!(content["file_name"], "file.bin");
        assert!(back == bytes, "{} bytes came back as {} others", bytes.len(), back.len());
        assert_eq!(kept(&scene).last().unwrap()["size"], bytes.len());
    }
}

#[test]
fn the_customer_sees_what_was_said_to_be_public_and_nothing_else() {
    let scene = Scene::new();
    for public in [false, true] {
        let added = add(&scene, "file.txt", public, b"words".to_vec()).unwrap();
        assert_eq!(added["public"], if public { "yes" } else { "no" });
        assert_eq!(kept(&scene).last().unwrap()["private"], !public);
    }
    let params = json!({"tenant": "t", "connection": scene.connection, "ticket": "1001", "title": "A file", "file_name": "x.txt"});
    let options = CallOptions { input: Some(Input::new(Cursor::new(b"x"), Some(1))), ..CallOptions::default() };
    assert_eq!(scene.world.call_with("attachments.add", params, options).unwrap_err().code, Code::InvalidArgument);
    assert_eq!(kept(&scene).len(), 2);
}

#[test]
fn a_file_whose_answer_was_lost_is_found_whatever_its_name_and_a_missing_one_stays_in_doubt() {
    for (fault, found) in [
        ("reset_after_commit", true),
        ("error_500_after_commit", true),
        ("truncated_json", true),
        ("reset_before_commit", false),
    ] {
        for name in ["log.txt", "the \"new\" log.txt", "log: new.txt"] {
            let scene = Scene::with(&["--tls"], fast());
            scene.fault("add_document", fault, json!({}));
            match add(&scene, name, false, b"words".to_vec()) {
                Ok(added) => {
                    assert!(found, "{fault} {name}");
                    assert_eq!(added["id"], kept(&scene)[0]["id"].to_string(), "{fault} {name}");
                }
                Err(error) => {
                    assert!(!found, "{fault} {name}: {error} {:?}", error.details);
                    assert_eq!(
                        (error.code, &error.details.unwrap()["seen"]["new"]),
                        (Code::OutcomeUnknown, &json!([]))
                    );
                }
            }
            assert_eq!(
                (kept(&scene).len(), scene.seen("add_document").len()),
                (usize::from(found), 1),
                "{fault} {name}"
            );
        }
    }
}

#[test]
fn what_is_too_large_or_forbidden_is_said_so_and_nothing_is_kept() {
    let scene = Scene::new();
    scene.simulator.switches(&json!({"document_bytes_max": 1000})).unwrap();
    let error = add(&scene, "file.bin", false, noise(1001)).unwrap_err();
    assert_eq!(error.code, Code::TooLarge, "{error}");
    scene.simulator.switches(&json!({"document_bytes_max": 0})).unwrap();
    let added = add(&scene, "file.bin", false, noise(1001)).unwrap();
    for (right, reads) in [("add_document", false), ("documents", false), ("download_document", true)] {
        scene.simulator.control("POST", "rights", Some(&json!({"deny": [right]}))).unwrap();
        let error =
            if reads { get(&scene, &added).unwrap_err() } else { add(&scene, "x.bin", false, noise(10)).unwrap_err() };
        assert_eq!(error.code, Code::Forbidden, "{right}: {error}");
    }
    assert_eq!(kept(&scene).len(), 1);
}

#[test]
fn hostile_names_harm_nobody_on_their_way_up() {
    let scene = Scene::new();
    for name in ["../../x", "a/b.txt", "..", "line\r\nbreak.txt", "nul\0.txt", "", &"x".repeat(300)] {
        let error = add(&scene, name, false, b"words".to_vec()).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument, "{name:?}: {error}");
    }
    assert!(kept(&scene).is_empty() && scene.seen("add_document").is_empty());
    for name in ["quo\"te.txt", "rtl\u{202e}txt.exe", "c:x.txt", "Grüße.txt", "a;b=c.txt", "%2e%2e%2fx"] {
        let added = add(&scene, name, false, b"words".to_vec()).unwrap();
        let shown = added["file_name"].as_str().unwrap();
        let harmless = |c: char| !c.is_control() && !"\"/\\:\u{202e}\u{202d}\u{2066}\u{2067}".contains(c);
        assert!(shown.chars().all(harmless), "{name:?} became {shown:?}");
        let (content, bytes) = get(&scene, &added).unwrap();
        assert_eq!((content["file_name"].as_str(), bytes.as_slice()), (Some(shown), b"words".as_slice()), "{name:?}");
    }
}

#[test]
fn hostile_names_harm_nobody_on_their_way_down() {
    for unquoted in [false, true] {
        let scene = Scene::new();
        scene.simulator.switches(&json!({"filename_unquoted": unquoted})).unwrap();
        let plain = add(&scene, "report.txt", false, b"words".to_vec()).unwrap();
        assert_eq!(get(&scene, &plain).unwrap().0["file_name"], "report.txt", "{unquoted}");
        let (status, _) = psa_tests::psa::ask(&scene.simulator, "GET", "system/documents/701", None);
        assert_eq!(status, 200);
        for name in ["../../etc/passwd", "..\\..\\boot.ini", "a\u{202e}txt.exe", "/etc/passwd"] {
            let id = psa_tests::psa::upload(&scene.simulator, 1001, name, b"words");
            let (content, bytes) = get(&scene, &json!({"id": id.to_string()})).unwrap();
            let shown = content["file_name"].as_str().unwrap_or_default();
            assert!(
                !shown.contains(['/', '\\', ':', '\u{202e}']) && !shown.contains(".."),
                "{name:?} became {shown:?}"
            );
            assert_eq!(bytes, b"words");
        }
    }
}

#[test]
fn adding_and_fetching_files_each_need_a_right_of_their_own() {
    let scene = Scene::with(&["--tls"], fast());
    let deny = |rights: Value| scene.simulator.control("POST", "rights", Some(&json!({"deny": rights}))).unwrap();
    let there = add(&scene, "file.txt", false, b"words".to_vec()).unwrap();
    deny(json!(["add_document"]));
    assert_eq!(add(&scene, "other.txt", false, b"more".to_vec()).unwrap_err().code, Code::Forbidden);
    assert_eq!(get(&scene, &there).unwrap().1, b"words");
    deny(json!(["download_document"]));
    assert_eq!(get(&scene, &there).unwrap_err().code, Code::Forbidden);
    assert_eq!(
        scene.call("attachments.list", json!({"ticket": "1001"})).unwrap()["items"].as_array().unwrap().len(),
        1
    );
    add(&scene, "other.txt", false, b"more".to_vec()).unwrap();
}
