//! What a page shows: complete, and the same for HTML and JSON.
//!
//! Holds: [`View`] and the parts that several pages share; what one page alone shows is with that page.
//! Promises: nothing that could hold a secret; every text is ready to be shown, and none of it is markup; links are paths of
//! ours, made by `Ask::href`, or https.

use super::moment::Moment;
use super::pages::{
    activity, callbacks, connect, index, mapping, operation, overview, plugin, problem, remove, settings, ticket,
    tickets, work,
};
use super::permission::Permission;
use super::told::Told;
use serde::{Deserialize, Serialize};

/// A whole page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct View {
    /// Of the document.
    pub(crate) title: String,
    /// The way here; the last one is this page.
    pub(crate) crumbs: Vec<Crumb>,
    /// The connection that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<Frame>,
    /// What is to be said first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notices: Vec<Notice>,
    /// What is particular to it.
    #[serde(flatten)]
    pub(crate) body: Body,
}

/// What is particular to a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "view", rename_all = "snake_case")]
pub(crate) enum Body {
    /// What the provider tells us.
    Callbacks(Box<callbacks::Callbacks>),
    /// One thing that it told.
    Delivery(callbacks::DeliveryPage),
    /// All connections.
    Index(index::Index),
    /// A new connection.
    Connect(Box<connect::Connect>),
    /// Its settings, or its credentials alone.
    Settings(Box<settings::Settings>),
    /// Who is who, and what stands for what.
    Mapping(Box<mapping::Mapping>),
    /// What stands for what on one board, on others.
    Copy(Box<mapping::copy::Copy>),
    /// How a connection does.
    Overview(overview::Overview),
    /// About a plugin.
    Plugin(Box<plugin::About>),
    /// All ticket links.
    Tickets(tickets::Tickets),
    /// A ticket link.
    Ticket(Box<ticket::Ticket>),
    /// An operation.
    Operation(Box<operation::Operation>),
    /// What happened.
    Activity(activity::Activity),
    /// One thing that happened.
    Entry(activity::Entry),
    /// Something is not as it should be.
    Problem(problem::Problem),
    /// Ending a connection.
    Remove(Box<remove::Remove>),
    /// It has ended, and something stays at the provider.
    Removed(remove::Removed),
    /// How far a long work is.
    Work(Box<work::Work>),
}

/// A step on the way here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crumb {
    pub(crate) label: String,
    /// None for this page itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) href: Option<String>,
}

/// What stands above all pages of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub(crate) connection: String,
    pub(crate) name: String,
    pub(crate) chip: Chip,
    pub(crate) plugin: PluginName,
    /// Who we are at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    pub(crate) tabs: Vec<Tab>,
    /// What can be done with the connection as a whole.
    pub(crate) actions: Vec<Action>,
}

/// A plugin as it is named on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PluginName {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// Two letters that stand for it.
    pub(crate) initials: String,
    /// Where its picture is, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) icon: Option<String>,
}

/// A tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tab {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) current: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<Count>,
}

/// A number on a tab, with the words it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) n: u64,
    /// "1,284".
    pub(crate) shown: String,
    /// " unmapped": read out behind the number.
    pub(crate) words: String,
    pub(crate) tone: Tone,
}

/// How good something is. Shown as shape, colour and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tone {
    Ok,
    Idle,
    Info,
    Warn,
    Bad,
}

/// A state in a word or two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chip {
    pub(crate) tone: Tone,
    pub(crate) label: String,
}

/// Something said above the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) tone: Tone,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(flatten)]
    pub(crate) told: Told,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
    /// It is about what was just sent in, and is read out at once.
    #[serde(default)]
    pub(crate) alert: bool,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) href: String,
}

/// Something that can be done: a link, or a form with one button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Action {
    /// Stable.
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) href: String,
    pub(crate) label: String,
    /// Read out behind the label, where several of the same stand on a page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) of: String,
    pub(crate) look: Look,
    /// What goes with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<(String, String)>,
    /// Who may.
    pub(crate) needs: Vec<Permission>,
}

/// How it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    Get,
    Post,
}

/// How a button looks. One primary per page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Look {
    Primary,
    Plain,
    Small,
    Quiet,
    Danger,
}

/// Where a list goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pager {
    /// "1 to 5 of 22".
    pub(crate) shown: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A name and what stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Shown in a fixed-width face.
    #[serde(default)]
    pub(crate) mono: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Moment>,
}

/// A step or capability with a mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) tone: Tone,
    /// "Passed", "Warning": read out.
    pub(crate) said: String,
    pub(crate) title: String,
    #[serde(flatten)]
    pub(crate) told: Told,
    /// "84 ms".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) aside: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) links: Vec<Link>,
}

impl Notice {
    /// Something that needs looking at.
    pub(crate) fn warn(title: String, text: String) -> Notice {
        Notice { tone: Tone::Warn, title: Some(title), told: Told::ours(text), links: Vec::new(), alert: false }
    }

    /// What was just done.
    pub(crate) fn done(text: String) -> Notice {
        Notice { tone: Tone::Ok, title: None, told: Told::ours(text), links: Vec::new(), alert: true }
    }

    /// What was just refused.
    pub(crate) fn bad(title: String, told: impl Into<Told>) -> Notice {
        Notice { tone: Tone::Bad, title: Some(title), told: told.into(), links: Vec::new(), alert: true }
    }
}

impl Action {
    /// A link that looks like a button.
    pub(crate) fn get(name: &str, label: String, href: String, needs: &[Permission]) -> Action {
        Action {
            name: name.to_owned(),
            method: Method::Get,
            href,
            label,
            of: String::new(),
            look: Look::Plain,
            fields: Vec::new(),
            needs: needs.to_vec(),
        }
    }

    /// A form with one button.
    pub(crate) fn post(name: &str, label: String, href: String, needs: &[Permission]) -> Action {
        Action { method: Method::Post, ..Action::get(name, label, href, needs) }
    }

    /// With another look.
    pub(crate) fn look(self, look: Look) -> Action {
        Action { look, ..self }
    }

    /// With a field that goes with it.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Action {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With what it is about, for those who hear the page.
    pub(crate) fn of(self, of: &str) -> Action {
        Action { of: of.to_owned(), ..self }
    }
}
