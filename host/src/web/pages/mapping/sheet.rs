//! The rows of a mapping page: how each stands, and which are shown.
//!
//! Promises: a proposal is never chosen by itself; what is kept and no longer offered stays readable; a page has a bounded
//! number of rows.

use super::{Mapping, PAGE, Pick, Row, RowState, Subject, Tools, Trouble, coded, here};
use crate::mappings::{Choice, Line, Suggestion};
use crate::store::{KeptMapping, Mapped, MappingState, MappingWay, Target};
use crate::web::ask::Ask;
use crate::web::pages::frame::{Framed, plugin_name};
use crate::web::permission::Permission;
use crate::web::view::{Chip, Link, Pager, Tone};
use psa_host_api::Error;
use std::collections::{HashMap, HashSet};

/// More choices than this are not drawn as a list in each row: they are typed, and completed by the browser.
const LIST_MAX: usize = 200;
/// From so many rows on there is something to find one by.
const FIND_FROM: usize = 8;
/// Of what comes from the provider and is not mapped, at most so many are named.
const INCOMING_MAX: usize = 50;

/// What was sent in and not kept, by value: it is shown again, with what is wrong with it.
pub(crate) type Unsaved = HashMap<String, (String, String)>;

/// What the three pages are made from.
pub(crate) struct Sheet<'a> {
    pub(super) subject: Subject,
    pub(super) which: Mapped,
    pub(super) lines: Vec<Line>,
    pub(super) choices: Result<Vec<Choice>, Error>,
    pub(super) suggested: Vec<Suggestion>,
    pub(super) unsaved: &'a Unsaved,
    /// Where each choice is, and which lines have chosen each: there may be thousands of both.
    pub(super) known: Known,
}

/// Numbers of choices and lines, by the provider's id.
pub(super) struct Known {
    choices: HashMap<String, usize>,
    lines: HashMap<String, Vec<usize>>,
}

impl Known {
    pub(super) fn of(lines: &[Line], choices: &Result<Vec<Choice>, Error>) -> Known {
        let choices =
            choices.iter().flatten().enumerate().map(|(number, choice)| (choice.id.clone(), number)).collect();
        let mut chosen: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, line) in lines.iter().enumerate() {
            if let Target::Is(id) = line.target() {
                chosen.entry(id).or_default().push(number);
            }
        }
        Known { choices, lines: chosen }
    }
}

impl Sheet<'_> {
    /// The choice of an id, if the list is here and has it.
    fn choice(&self, id: &str) -> Option<&Choice> {
        self.choices.as_ref().ok()?.get(*self.known.choices.get(id)?)
    }

    /// The page, without what only one of the three has.
    pub(super) fn page(&self, ask: &Ask<'_>, framed: &Framed) -> Mapping {
        let scope = match &self.which {
            Mapped::Statuses { scope } if !scope.is_empty() => Some(scope.as_str()),
            _ => None,
        };
        let typed = self.choices.as_ref().is_ok_and(|choices| choices.len() > LIST_MAX);
        let all_rows: Vec<Row> = self.lines.iter().map(|line| self.row(ask, line, typed)).collect();
        let settled = |row: &&Row| matches!(row.state, RowState::Mapped | RowState::Nobody | RowState::Conflict);
        let done = all_rows.iter().filter(settled).count() as u64;
        let all = all_rows.len() as u64;
        let tools = self.tools(ask, &all_rows, scope);
        let (find, show) = match &tools {
            Some(tools) => (tools.find.to_lowercase(), tools.show.clone()),
            None => Default::default(),
        };
        let fits = |row: &Row| {
            let named = [&row.name, &row.aside].iter().any(|text| text.to_lowercase().contains(&find));
            (find.is_empty() || named) && (show.is_empty() || row.state.word() == show)
        };
        let found: Vec<Row> = all_rows.into_iter().filter(fits).collect();
        let from = ask.query.get("from").and_then(|from| from.parse().ok()).unwrap_or(0).min(found.len());
        let from = from - from % PAGE;
        let pager = self.pager(ask, scope, from, found.len());
        let rows: Vec<Row> = found.into_iter().skip(from).take(PAGE).collect();
        let numbers = [("done", ask.words.number(done)), ("all", ask.words.number(all))];
        let empty = rows.is_empty().then(|| {
            let key = if all == 0 { "none" } else { "nothing" };
            ask.words.say(&format!("map.empty.{key}"))
        });
        let may = ask.may(Permission::Map) && self.choices.is_ok() && !rows.is_empty();
        Mapping {
            subject: self.subject,
            provider: plugin_name(ask, &framed.summary.connection.plugin).name,
            done,
            all,
            said: ask.words.fill("map.progress", &[("done", &numbers[0].1), ("all", &numbers[1].1)]),
            action: None,
            scopes: None,
            tools,
            rows,
            pager,
            choices: self.picks(ask, typed),
            typed,
            trouble: self.choices.as_ref().err().map(|error| Trouble {
                text: ask.words.say("map.trouble"),
                why: ask.words.told(error),
                retry: Link { label: ask.words.say("map.retry"), href: here(ask, self.subject, scope, Some(from)) },
            }),
            copy: None,
            save: may.then(|| here(ask, self.subject, scope, Some(from))),
            incoming: self.incoming(),
            empty,
        }
    }

    fn tools(&self, ask: &Ask<'_>, rows: &[Row], scope: Option<&str>) -> Option<Tools> {
        if rows.len() < FIND_FROM {
            return None;
        }
        let states = [
            RowState::Open,
            RowState::Suggested,
            RowState::Broken,
            RowState::Conflict,
            RowState::Nobody,
            RowState::Mapped,
        ];
        let mut shows = vec![Pick { value: String::new(), label: ask.words.say("map.show.all") }];
        for state in states {
            let n = rows.iter().filter(|row| row.state == state).count() as u64;
            let label = ask.words.count(&format!("map.show.{}", state.word()), n);
            shows.extend((n > 0).then(|| Pick { value: state.word().to_owned(), label }));
        }
        let show = ask.query.filled("show").unwrap_or_default().to_owned();
        let show = if shows.iter().any(|known| known.value == show) { show } else { String::new() };
        let find = ask.query.filled("find").unwrap_or_default().to_owned();
        Some(Tools { find, show, shows, scope: scope.map(str::to_owned) })
    }

    fn pager(&self, ask: &Ask<'_>, scope: Option<&str>, from: usize, found: usize) -> Pager {
        let until = (from + PAGE).min(found);
        let number = |n: usize| ask.words.number(n as u64);
        let first = number(if found == 0 { 0 } else { from + 1 });
        let shown = [("from", first), ("until", number(until)), ("all", number(found))];
        let shown: Vec<(&str, &str)> = shown.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let at = |from: usize| here(ask, self.subject, scope, Some(from));
        Pager {
            shown: ask.words.fill("map.shown", &shown),
            first: (from > 0).then(|| at(0)),
            next: (until < found).then(|| at(until)),
        }
    }

    /// What can be chosen in every row.
    fn picks(&self, ask: &Ask<'_>, typed: bool) -> Vec<Pick> {
        let Ok(choices) = &self.choices else { return Vec::new() };
        let mut picks = Vec::new();
        if self.subject == Subject::Members {
            picks.push(Pick { value: coded(&Target::Nobody), label: ask.words.say("map.nobody") });
        }
        let offered = choices.iter().filter(|choice| choice.is_offered());
        picks.extend(offered.map(|choice| Pick { value: format!("={}", choice.id), label: choice.label() }));
        if typed {
            // What is typed is the label itself.
            picks.iter_mut().for_each(|pick| pick.value.clone_from(&pick.label));
        }
        picks
    }

    fn incoming(&self) -> Vec<String> {
        let Ok(choices) = &self.choices else { return Vec::new() };
        if self.subject == Subject::Members {
            return Vec::new();
        }
        let taken: HashSet<String> = self.lines.iter().map(|line| coded(&line.target())).collect();
        let open = choices.iter().filter(|choice| choice.is_offered() && !taken.contains(&format!("={}", choice.id)));
        open.map(Choice::label).take(INCOMING_MAX).collect()
    }

    fn row(&self, ask: &Ask<'_>, line: &Line, typed: bool) -> Row {
        let target = line.target();
        let before = coded(&target);
        let (state, text) = self.state(ask, line);
        let mut own = Vec::new();
        let label = self.label(ask, line);
        let is_offered = |id: &str| self.choice(id).is_some_and(Choice::is_offered);
        if let Target::Is(id) = &target
            && !is_offered(id)
        {
            own.push(Pick { value: before.clone(), label: label.clone() });
        }
        let unsaved = self.unsaved.get(&line.value.id);
        // What was chosen and not saved stays chosen, also if it is not offered any more: else nothing would be chosen.
        if let Some((typed, _)) = unsaved
            && let Some(id) = typed.strip_prefix('=')
            && !is_offered(id)
            && *typed != before
        {
            own.push(Pick {
                value: typed.clone(),
                label: self.choice(id).map_or_else(|| format!("({id})"), Choice::label),
            });
        }
        let shown = match (unsaved, typed) {
            (Some((typed, _)), _) => typed.clone(),
            (None, true) if target != Target::Nothing => label,
            (None, _) => before.clone(),
        };
        let kept = line.kept.as_ref();
        Row {
            value: line.value.id.clone(),
            name: line.value.name.clone(),
            aside: line.value.email.clone().unwrap_or_default(),
            before,
            shown,
            own,
            state,
            chip: Chip { tone: self.tone(state), label: ask.words.say(&format!("map.state.{}", state.word())) },
            text,
            by: kept.map(|kept| by(ask, kept)).unwrap_or_default(),
            when: kept.map(|kept| ask.words.moment(kept.changed)),
            error: unsaved.map(|(_, error)| error.clone()),
        }
    }

    /// What stands for it, in words: as the provider has it now, else as it was called then.
    fn label(&self, ask: &Ask<'_>, line: &Line) -> String {
        let Some(kept) = &line.kept else { return String::new() };
        let Target::Is(id) = &kept.target else { return ask.words.say("map.nobody") };
        match (self.choice(id), &kept.label) {
            (Some(choice), _) => choice.label(),
            (None, Some(label)) => format!("{label} ({id})"),
            (None, None) => format!("({id})"),
        }
    }

    fn state(&self, ask: &Ask<'_>, line: &Line) -> (RowState, String) {
        match line.target() {
            Target::Nobody => (RowState::Nobody, String::new()),
            Target::Nothing => match self.suggested.iter().find(|one| one.agent == line.value.id) {
                Some(found) => {
                    let who = self.choice(&found.member).map(Choice::label);
                    let key = format!("map.alike.{}", found.by.word());
                    (RowState::Suggested, ask.words.fill(&key, &[("name", who.as_deref().unwrap_or_default())]))
                }
                None => (RowState::Open, String::new()),
            },
            Target::Is(id) => self.state_of(ask, line, &id),
        }
    }

    fn state_of(&self, ask: &Ask<'_>, line: &Line, id: &str) -> (RowState, String) {
        if self.choices.is_ok() {
            match self.choice(id) {
                None => return (RowState::Broken, ask.words.say("map.gone")),
                Some(choice) if choice.inactive => return (RowState::Broken, ask.words.say("map.inactive")),
                Some(_) => {}
            }
        } else if line.kept.as_ref().is_some_and(|kept| kept.state == MappingState::Broken) {
            return (RowState::Broken, String::new());
        }
        // A member is one person; a status may stand for several of the product's.
        let same = self.known.lines.get(id).map(Vec::as_slice).unwrap_or_default();
        let others = same.iter().map(|other| &self.lines[*other].value).filter(|value| value.id != line.value.id);
        let names: Vec<&str> = others.map(|value| value.name.as_str()).take(3).collect();
        if self.subject == Subject::Members && !names.is_empty() {
            return (RowState::Conflict, ask.words.fill("map.twins", &[("names", &names.join(", "))]));
        }
        (RowState::Mapped, String::new())
    }

    fn tone(&self, state: RowState) -> Tone {
        match state {
            RowState::Mapped => Tone::Ok,
            RowState::Nobody => Tone::Idle,
            RowState::Suggested | RowState::Broken | RowState::Conflict => Tone::Warn,
            // A priority that is not mapped keeps nothing from being sent.
            RowState::Open if self.subject == Subject::Priorities => Tone::Idle,
            RowState::Open => Tone::Bad,
        }
    }
}

/// Who set it, and how it was found out.
fn by(ask: &Ask<'_>, kept: &KeptMapping) -> String {
    let who = kept.decided_by.clone().unwrap_or_default();
    match kept.way {
        Some(MappingWay::Email) => ask.words.fill("map.by.email", &[("name", &who)]),
        _ if who.is_empty() => String::new(),
        _ => ask.words.fill("map.by.person", &[("name", &who)]),
    }
}
