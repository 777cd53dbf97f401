//! Files at tickets.

use crate::{BASE, scene};
use psa_host_api::Code;
use psa_host_api::model::{Known, PageRequest};
use psa_host_api::ops::{AddAttachmentRequest, GetAttachmentRequest, ListAttachmentsRequest};
use psa_host_api::sdk::{Provider, Response};

#[test]
fn documents_are_asked_for_by_plain_parameters() {
    let (host, provider) = scene();
    let line =
        format!("GET {BASE}/system/documents?recordType=Ticket&recordId=69&pageSize=100&orderBy=id%20asc&page=1");
    host.answer(&line, 200, include_str!("../kept/documents.json"));
    let request = ListAttachmentsRequest { ticket: "69".into(), page: PageRequest::default() };
    let page = host.run(async |cx| provider.list_attachments(cx, request).await).unwrap();
    assert_eq!((page.items.len(), page.items[0].ticket.as_str(), page.next), (3, "69", None));
}

#[test]
fn the_bytes_go_to_the_output_and_only_their_name_and_type_are_seen() {
    let (host, provider) = scene();
    let headers = vec![
        ("content-disposition".to_owned(), "attachment; filename=\"../fuser.png\"".to_owned()),
        ("content-type".to_owned(), "image/png".to_owned()),
    ];
    let bytes = b"\x89PNG\r\n--psa-\0".to_vec();
    let line = format!("GET {BASE}/system/documents/12/download");
    host.answer_with(&line, Response { status: 200, headers, body: bytes.clone() });
    host.answer(&format!("GET {BASE}/system/documents/13/download"), 404, r#"{"code":"NotFound","message":"gone"}"#);
    let get = |attachment: &str| {
        let request = GetAttachmentRequest { attachment: attachment.into() };
        host.run(async |cx| provider.get_attachment(cx, request).await)
    };
    let content = get("12").unwrap();
    assert_eq!((content.file_name.as_deref(), content.content_type.as_deref()), (Some("fuser.png"), Some("image/png")));
    assert_eq!(host.output(), bytes);
    let accepts: Vec<_> =
        host.sent().last().unwrap().headers.iter().filter(|(name, ..)| name == "accept").cloned().collect();
    assert_eq!(accepts, [("accept".to_owned(), "*/*".to_owned(), String::new())]);
    // What is said of an error is no file.
    assert_eq!(get("13").unwrap_err().code, Code::NotFound);
    assert_eq!(host.output(), bytes);
    assert_eq!(get("12/../1").unwrap_err().fields[0].at, "/attachment");
}

#[test]
fn a_file_is_one_post_with_our_parts_around_its_bytes() {
    let (host, provider) = scene();
    let one = r#"{"id":12,"title":"The fuser","publicFlag":false}"#;
    let line = format!("POST {BASE}/system/documents");
    host.answer(&line, 201, one).answer(&line, 201, format!("[{one}]")).answer(&line, 201, "[]");
    let bytes = b"\x00\x01--psa-\r\n--\xff".to_vec();
    host.input(&bytes);
    let add = || {
        let request = AddAttachmentRequest {
            ticket: "69".into(),
            title: "The fuser".into(),
            file_name: "fuser.png".into(),
            public: false,
            content_type: Some("image/png".into()),
        };
        host.run(async |cx| provider.add_attachment(cx, request).await)
    };
    let mut boundaries = Vec::new();
    for _ in 0..2 {
        let made = add().unwrap();
        assert_eq!((made.id.as_str(), made.ticket.as_str(), made.public), ("12", "69", Known::No));
        let sent = host.sent().last().unwrap().clone();
        assert!(!sent.as_read);
        let header = sent.headers.iter().find(|(name, ..)| name == "content-type").unwrap();
        let boundary = header.1.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        assert_eq!(boundary.len(), 4 + 48);
        let part = |name: &str, value: &str| {
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields = [("recordType", "Ticket"), ("recordId", "69"), ("title", "The fuser"), ("privateFlag", "true")];
        let mut expected: Vec<u8> = fields.map(|(name, value)| part(name, value)).concat().into_bytes();
        let header = "content-disposition: form-data; name=\"file\"; filename=\"fuser.png\"\r\ncontent-type: image/png";
        expected.extend(format!("--{boundary}\r\n{header}\r\n\r\n").bytes());
        expected.extend(&bytes);
        expected.extend(format!("\r\n--{boundary}--\r\n").bytes());
        assert_eq!(String::from_utf8_lossy(&sent.body), String::from_utf8_lossy(&expected));
        boundaries.push(boundary);
    }
    assert_ne!(boundaries[0], boundaries[1]);
    assert_eq!(add().unwrap_err().reason.as_deref(), Some("shape"));
}
