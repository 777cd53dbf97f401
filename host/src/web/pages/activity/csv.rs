//! The activity as a file for a spreadsheet.
//!
//! Promises: no cell is a formula there, whoever has written what is in it; a file that was cut says so.

use super::{Filter, allowed, request_of, said, sentence};
use crate::store::{LeafAsk, StoredEntry};
use crate::web::ask::{Ask, Reply};
use psa_host_api::Error;
use serde_json::Value;

/// Rows, at most.
const ROWS: usize = 10_000;
/// Entries that are looked at for them.
const SCAN: usize = 100_000;

pub(crate) async fn csv(ask: &Ask<'_>) -> Result<Reply, Error> {
    let place = ask.place();
    ask.core.connections.exists(&place)?;
    let filter = Filter::of(ask, &place)?;
    let wanted = |entry: &StoredEntry| filter.wants(entry);
    let leaf = ask.core.store.leaf(&place, &LeafAsk { before: i64::MAX, limit: ROWS, scan: SCAN, wanted: &wanted })?;
    let heads = ["seq", "at", "by", "action", "text", "subject", "detail", "request", "remote_addr"];
    let mut file = String::new();
    line(&mut file, &heads.map(str::to_owned));
    for entry in &leaf.entries {
        let fields = allowed(entry);
        let request = request_of(entry);
        let of_request = |name: &str| request.get(name).map(said).unwrap_or_default();
        line(
            &mut file,
            &[
                entry.seq.to_string(),
                crate::clock::rfc3339(entry.at),
                entry.actor.clone(),
                entry.action.clone(),
                sentence(ask, entry, &fields),
                entry.subject.clone().unwrap_or_default(),
                if fields.is_empty() { String::new() } else { Value::Object(fields).to_string() },
                of_request("id"),
                of_request("remote_addr"),
            ],
        );
    }
    if leaf.next.is_some() {
        let cut = ask.words.count("activity.cut", leaf.entries.len() as u64);
        line(&mut file, &["", "", "", "", &cut, "", "", "", ""].map(str::to_owned));
    }
    let name = Some(format!("activity-{}.csv", place.connection));
    Ok(Reply::Bytes { content_type: "text/csv; charset=utf-8", body: file.into_bytes(), for_ever: false, name })
}

fn line(file: &mut String, cells: &[String; 9]) {
    for (index, text) in cells.iter().enumerate() {
        if index > 0 {
            file.push(',');
        }
        cell(file, text);
    }
    file.push_str("\r\n");
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe in front; also behind a semicolon, where others
/// begin a cell.
fn cell(file: &mut String, text: &str) {
    let text = &["=", "+", "-", "@"]
        .iter()
        .fold(text.to_owned(), |text, sign| text.replace(&format!(";{sign}"), &format!(";'{sign}")));
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r', ';']) {
        file.push('"');
        file.push_str(guard);
        file.push_str(&text.replace('"', "\"\""));
        file.push('"');
    } else {
        file.push_str(guard);
        file.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_its_line() {
        for (text, written) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("x;=1+1", "\"x;'=1+1\""),
            ("a,b", "\"a,b\""),
            ("a\nb", "\"a\nb\""),
            ("", ""),
        ] {
            let mut file = String::new();
            cell(&mut file, text);
            assert_eq!(file, written);
        }
    }
}
