//! Somebody who looks at the Integrations page, as the product would let them in.

use psa_host::{Host, HttpRequest};
use serde_json::{Value, json};

/// All permissions there are.
pub const ALL: [&str; 7] = ["view", "configure", "secrets", "map", "operate", "delete", "audit"];

/// A person with a browser.
#[derive(Clone)]
pub struct Visitor<'a> {
    host: &'a Host,
    /// What the product says of them: to be changed at will.
    pub who: Value,
    /// What their browser sends with a POST.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// What they get.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// HTML, JSON, or whatever it is.
    pub body: String,
}

impl<'a> Visitor<'a> {
    /// Ann, who may do everything for tenant "t".
    pub fn new(host: &'a Host) -> Visitor<'a> {
        let who = json!({
            "tenant": "t", "actor": {"id": "u1", "name": "Ann Lee"}, "permissions": ALL,
            "mount": "/desk/psa", "public_origin": "https://desk.example.com", "request_id": "r-1",
            "remote_addr": "192.0.2.7",
        });
        Visitor { host, who, headers: vec![("Sec-Fetch-Site", "same-origin")] }
    }

    /// The same person with only these permissions.
    pub fn may(&self, permissions: &[&str]) -> Visitor<'a> {
        self.with("permissions", json!(permissions))
    }

    /// The same person, of whom the product says something else.
    pub fn with(&self, name: &str, value: Value) -> Visitor<'a> {
        let mut other = self.clone();
        other.who[name] = value;
        other
    }

    /// Opens a page. `url`: below the mount, or with it.
    pub fn get(&self, url: &str) -> Shown {
        self.send("GET", url, &[], b"")
    }

    /// Sends a form.
    pub fn post(&self, url: &str, fields: &[(&str, &str)]) -> Shown {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", url, &[("Content-Type", "application/x-www-form-urlencoded")], body.as_bytes())
    }

    /// Sends anything.
    pub fn send(&self, method: &str, url: &str, headers: &[(&'static str, &'static str)], body: &[u8]) -> Shown {
        let mount = self.who["mount"].as_str().unwrap_or_default();
        let url = url.strip_prefix(mount).filter(|rest| rest.starts_with('/')).unwrap_or(url);
        let all: Vec<(&str, &str)> = self.headers.iter().chain(headers).copied().collect();
        let request = HttpRequest { method, url, headers: &all, body };
        let answer = self.host.page(self.who.to_string().as_bytes(), &request).expect("who is right");
        let body = String::from_utf8(answer.body).expect("pages are UTF-8");
        Shown { status: answer.status, headers: answer.headers, body }
    }

    /// Sends a form and looks at where it leads.
    pub fn post_and_follow(&self, url: &str, fields: &[(&str, &str)]) -> Shown {
        let answer = self.post(url, fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.get(answer.header("location").expect("a redirect leads somewhere"))
    }
}

impl Shown {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// What a reader reads: without tags, spaces made one.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut rest = self.body.as_str();
        while let Some((before, tag)) = rest.split_once('<') {
            text.push_str(before);
            text.push(' ');
            rest = tag.split_once('>').map_or("", |(_, after)| after);
        }
        text.push_str(rest);
        let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Panics unless a reader reads this.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Shown {
        assert!(self.text().contains(words), "nothing says \"{words}\" ({}): {}", self.status, self.text());
        self
    }

    /// Panics if a reader reads this.
    #[track_caller]
    pub fn hides(&self, words: &str) -> &Shown {
        assert!(!self.body.contains(words), "\"{words}\" is shown ({}): {}", self.status, self.text());
        self
    }

    /// The value of a field of a form, by its name; the first one.
    pub fn value(&self, name: &str) -> Option<String> {
        let named = format!("name=\"{name}\"");
        let tag = self.body.split('<').find(|tag| tag.starts_with("input") && tag.contains(&named))?;
        tag.split_once(" value=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value.to_owned())
    }
}
