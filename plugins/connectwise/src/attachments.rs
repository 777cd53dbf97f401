//! Files at tickets.
//!
//! Promises: the bytes of a file pass by unseen; whether the customer may see it is always said; a name is never a path,
//! and never ends a header.
//! Leaves to others: moving the bytes, and their limits (the host).

use crate::client::{Ask, Client, Query, number};
use crate::disposition;
use crate::map::Record;
use crate::paging::{self, Order};
use psa_host_api::model::{Attachment, AttachmentContent, Page};
use psa_host_api::ops::{AddAttachmentRequest, GetAttachmentRequest, ListAttachmentsRequest};
use psa_host_api::sdk::{Body, Cx, Request};
use psa_host_api::{Code, Error};
use serde_json::Value;

/// The longest title and the longest name, in characters. No limit is documented; file systems have this one.
const NAME_CHARS_MAX: usize = 255;

/// What is said of bytes of which nothing is said.
const ANY_TYPE: &str = "application/octet-stream";

/// By plain parameters and not by conditions. Source: facts 10.2, also for project tickets.
pub(crate) async fn list(client: &Client, cx: &Cx, request: ListAttachmentsRequest) -> Result<Page<Attachment>, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let query: Query = vec![("recordType", "Ticket".to_owned()), ("recordId", ticket.to_string())];
    let read = |record: Record<'_>| attachment_from(ticket, record);
    paging::list_by(Order::OldestNumbered, client, cx, "system/documents", query, &request.page, read).await
}

/// Asked for with an `Accept` that is no JSON. Source: facts 10.2.
pub(crate) async fn get(client: &Client, cx: &Cx, request: GetAttachmentRequest) -> Result<AttachmentContent, Error> {
    let path = format!("system/documents/{}/download", number(&request.attachment, "attachment")?);
    let ask = Ask::new("GET", path).accept("*/*");
    let response = client.read_as(cx, &ask, Request::to_output).await?;
    Ok(AttachmentContent {
        file_name: response.header("content-disposition").and_then(disposition::file_name),
        content_type: response.header("content-type").map(str::to_owned).filter(|kind| is_media_type(kind)),
    })
}

pub(crate) async fn add(client: &Client, cx: &Cx, request: AddAttachmentRequest) -> Result<Attachment, Error> {
    let ticket = number(&request.ticket, "ticket")?;
    let boundary = boundary(cx)?;
    let (before, after) = multipart(&request, ticket, &boundary)?;
    let ask = Ask::new("POST", "system/documents");
    let shape = |ask: Request| {
        let pieces = vec![Body::Bytes(before), Body::Input, Body::Bytes(after)];
        ask.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(pieces)
    };
    // One client also met an array. Source: facts 10.2.
    let made = match client.write_as(cx, &ask, shape).await?.json()? {
        Value::Array(made) => made.into_iter().next().unwrap_or_default(),
        made => made,
    };
    attachment_from(ticket, Record::of(made)?)
}

/// Nobody can write a file that holds it: it is drawn when the request is made.
fn boundary(cx: &Cx) -> Result<String, Error> {
    let mut random = [0; 24];
    cx.random(&mut random)?;
    Ok(random.iter().fold("psa-".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

/// What stands before the file's bytes and after them. JSON is refused there. Source: facts 10.2.
fn multipart(request: &AddAttachmentRequest, ticket: u64, boundary: &str) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let title = cleaned(&request.title, "title", |_| false)?;
    let name = cleaned(&request.file_name, "file_name", |c| matches!(c, '/' | '\\' | ':'))?;
    let kind = request.content_type.as_deref().unwrap_or(ANY_TYPE);
    if !is_media_type(kind) {
        let message = "content_type must be a media type such as image/png";
        return Err(Error::invalid(message).field("/content_type", "media_type", message));
    }
    let mut before = String::new();
    let private = (!request.public).to_string();
    // What is not said counts as nobody knows what. Source: facts 10.2, "always send it".
    let parts =
        [("recordType", "Ticket"), ("recordId", &ticket.to_string()), ("title", &title), ("privateFlag", &private)];
    for (part, value) in parts {
        let header = format!("content-disposition: form-data; name=\"{part}\"");
        before.push_str(&format!("--{boundary}\r\n{header}\r\n\r\n{value}\r\n"));
    }
    let header = format!("content-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: {kind}");
    before.push_str(&format!("--{boundary}\r\n{header}\r\n\r\n"));
    let after = format!("\r\n--{boundary}--\r\n");
    Ok((before.into_bytes(), after.into_bytes()))
}

/// A text without what ends a header or leads to a folder. Nothing of it may be all there was.
fn cleaned(text: &str, at: &str, hostile: impl Fn(char) -> bool) -> Result<String, Error> {
    let clean = |c: char| if c.is_control() || disposition::turns(c) || c == '"' || hostile(c) { '_' } else { c };
    let cleaned: String = text.trim().chars().map(clean).collect();
    let length = cleaned.chars().count();
    if length > NAME_CHARS_MAX || cleaned.chars().all(|c| matches!(c, '_' | '.' | ' ')) {
        let message = format!("{at} must have a name in it, of at most {NAME_CHARS_MAX} characters");
        return Err(Error::invalid(message.clone()).field(format!("/{at}"), "name", message));
    }
    Ok(cleaned)
}

/// `image/png`, `text/plain; charset=utf-8`: goes into a header, so nothing else may be in it.
fn is_media_type(text: &str) -> bool {
    let token = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !text.is_empty() && text.bytes().all(plain)
    };
    let mut parts = text.split(';');
    let kind = parts.next().and_then(|kind| kind.split_once('/'));
    let parameters =
        parts.all(|part| part.trim().split_once('=').is_some_and(|(name, value)| token(name) && token(value)));
    text.len() <= 200 && parameters && kind.is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// A document of theirs in our words. Source: facts 10.2; an entry may be a link without bytes.
fn attachment_from(ticket: u64, mut record: Record<'_>) -> Result<Attachment, Error> {
    let Some(id) = record.id("id") else {
        let message = "ConnectWise answered with a document that has no id";
        return Err(Error::new(Code::Unavailable, message).because("shape"));
    };
    let is_link = record.flag("linkFlag") == Some(true) || record.flag("urlFlag") == Some(true);
    let name = record.text("fileName").filter(|name| !name.is_empty());
    let address = || record.peek("url").or_else(|| record.peek("serverFileName")).or_else(|| name.clone());
    let is_address = |text: &String| text.starts_with("https://") || text.starts_with("http://");
    let link = is_link.then(address).flatten().filter(is_address);
    let title = record.text("title").filter(|title| !title.is_empty());
    Ok(Attachment {
        id,
        ticket: ticket.to_string(),
        title: title.or_else(|| name.clone()).unwrap_or_default(),
        file_name: name.filter(|_| !is_link),
        size: record.number("size").and_then(|size| u64::try_from(size).ok()),
        public: record.known("publicFlag"),
        link,
        created_at: record.text("createdOnDate").or_else(|| record.info("dateEntered")),
        created_by: record.text("owner").filter(|owner| !owner.is_empty()),
        raw: record.rest(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use psa_host_api::model::Known;

    fn request(change: impl FnOnce(&mut AddAttachmentRequest)) -> AddAttachmentRequest {
        let (title, file_name) = ("The fuser".into(), "fuser.png".into());
        let content_type = Some("image/png".into());
        let mut request = AddAttachmentRequest { ticket: "69".into(), title, file_name, public: false, content_type };
        change(&mut request);
        request
    }

    #[test]
    fn names_cannot_end_a_header_or_lead_to_a_folder() {
        let before = |change: fn(&mut AddAttachmentRequest)| {
            String::from_utf8(multipart(&request(change), 69, "psa-b").unwrap().0).unwrap()
        };
        let good = before(|_| {});
        assert!(good.contains("name=\"file\"; filename=\"fuser.png\"\r\ncontent-type: image/png\r\n\r\n"), "{good}");
        assert!(good.contains("name=\"privateFlag\"\r\n\r\ntrue\r\n"), "{good}");
        assert!(before(|request| request.public = true).contains("name=\"privateFlag\"\r\n\r\nfalse\r\n"));
        let evil = before(|request| {
            request.file_name = "../a\\c:b\"; name=\"x\r\n\r\nEvil: 1\0é.png".into();
            request.title = "a\r\n--psa-b\r\nx: \"y\"".into();
            request.content_type = None;
        });
        assert!(
            evil.contains("filename=\".._a_c_b_; name=_x____Evil_ 1_é.png\"\r\ncontent-type: application/octet-stream")
        );
        assert!(evil.contains("\r\n\r\na__--psa-b__x: _y_\r\n"), "{evil}");
        assert_eq!(evil.matches("--psa-b\r\n").count(), 5);
    }

    #[test]
    fn what_is_no_name_or_no_type_is_refused_by_its_field() {
        type Row = (fn(&mut AddAttachmentRequest), &'static str);
        let rows: [Row; 10] = [
            (|request| request.title = " ".into(), "/title"),
            (|request| request.title = "x".repeat(256), "/title"),
            (|request| request.file_name = String::new(), "/file_name"),
            (|request| request.file_name = "..".into(), "/file_name"),
            (|request| request.file_name = "/".into(), "/file_name"),
            (|request| request.file_name = "x".repeat(256), "/file_name"),
            (|request| request.content_type = Some("png".into()), "/content_type"),
            (|request| request.content_type = Some("image/png\r\nX: y".into()), "/content_type"),
            (|request| request.content_type = Some("image/png; a=\"b\"".into()), "/content_type"),
            (|request| request.content_type = Some(String::new()), "/content_type"),
        ];
        for (change, at) in rows {
            assert_eq!(multipart(&request(change), 69, "psa-b").unwrap_err().fields[0].at, at);
        }
        assert!(is_media_type("text/plain; charset=utf-8") && is_media_type("application/vnd.ms-excel+x"));
    }

    #[test]
    fn a_document_says_whether_the_customer_sees_it() {
        let kept: Vec<Value> = serde_json::from_str(include_str!("../tests/kept/documents.json")).unwrap();
        let read = |position: usize| attachment_from(69, Record::of(kept[position].clone()).unwrap()).unwrap();
        let file = read(0);
        assert_eq!(
            (file.id.as_str(), file.title.as_str(), file.file_name.as_deref()),
            ("12", "The fuser", Some("fuser.png"))
        );
        assert_eq!((file.size, file.public, file.created_by.as_deref()), (Some(20_480), Known::No, Some("user10")));
        assert_eq!((file.created_at.as_deref(), &file.link), (Some("2026-01-31T12:00:00Z"), &None));
        let link = read(1);
        assert_eq!((link.link.as_deref(), link.file_name), (Some("https://wiki.example/fuser"), None));
        assert_eq!((read(2).public, read(2).title.as_str()), (Known::Unknown, "old.txt"));
    }
}
