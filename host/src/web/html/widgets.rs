//! One field of a form: label, help, what is wrong, control, in the order in which they are read.

use super::parts::{Pen, chip, moment, told};
use super::text::text;
use crate::web::form::{ChoiceView, ChoicesView, FieldView, SecretChoice, SecretView};
use crate::web::told::Told;
use crate::web::view::{Chip, Tone};
use maud::{Markup, html};
use psa_host_api::form::types::{FieldType, Width};

/// A field.
pub(super) fn field(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let class = match field.width {
        Width::Full => "psa-field",
        Width::Half => "psa-field psa-half",
        Width::Third => "psa-field psa-third",
    };
    let when = field.when.as_ref().map(ToString::to_string);
    let inside = match field.kind {
        FieldType::Notice => return notice(pen, field, when.as_deref()),
        FieldType::Secret => return secret(pen, field, class, when.as_deref()),
        FieldType::Radio | FieldType::Multiselect => return boxes(pen, field, class, when.as_deref()),
        FieldType::Bool => tick(pen, field),
        _ => html! { (label(pen, field)) (above(pen, field)) (control(pen, field)) },
    };
    html! { div class=(class) id=[swapped(field)] data-when=[when] { (inside) (below(pen, field)) } }
}

/// The name of the part of the page that a search replaces.
fn swapped(field: &FieldView) -> Option<String> {
    let is_searched = field.choices.as_ref().is_some_and(|choices| choices.search.is_some());
    is_searched.then(|| format!("{}-field", field.key))
}

fn label(pen: &Pen<'_>, field: &FieldView) -> Markup {
    html! { label class="psa-label" for=(field.key) { (field.label) (needed(pen, field)) } }
}

fn needed(pen: &Pen<'_>, field: &FieldView) -> Markup {
    html! {
        @if field.required { " " span class="psa-req" aria-hidden="true" { "*" } }
        @else if !matches!(field.kind, FieldType::Computed | FieldType::Bool) {
            " " span class="psa-opt" { (pen.words.say("form.optional")) }
        }
    }
}

/// Help and what is wrong, each with the id that the control names.
fn above(pen: &Pen<'_>, field: &FieldView) -> Markup {
    html! {
        @if has_help(field) {
            div class="psa-help" id={ (field.key) "-h" } {
                (text(pen.words, &field.help))
                @if !field.when_said.is_empty() { p { (field.when_said) } }
            }
        }
        (errors(pen, field))
    }
}

fn errors(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let errors: Vec<&Told> = field.issues.iter().filter(|issue| !issue.warning).map(|issue| &issue.told).collect();
    html! {
        @if !errors.is_empty() {
            div id={ (field.key) "-e" } {
                @for error in errors {
                    p class="psa-error" { span { span class="psa-sr" { (pen.words.say("form.error")) " " } (told(error)) } }
                }
            }
        }
    }
}

/// What should be looked at, why there is no list, and why it cannot be changed.
fn below(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let missing = field.choices.as_ref().and_then(|choices| choices.missing.as_ref());
    html! {
        @if has_note(field) {
            div class="psa-small" id={ (field.key) "-w" } {
                @for issue in field.issues.iter().filter(|issue| issue.warning) { p { (told(&issue.told)) } }
                @if let Some(missing) = missing {
                    p class="psa-row" {
                        (chip(&Chip { tone: Tone::Warn, label: pen.words.say("form.choices.missing") }))
                        span { (told(missing)) }
                    }
                }
                @if let Some(why) = &field.fixed { p class="psa-muted" { (why) } }
            }
        }
    }
}

fn has_help(field: &FieldView) -> bool {
    !field.help.is_empty() || !field.when_said.is_empty()
}

fn has_error(field: &FieldView) -> bool {
    field.issues.iter().any(|issue| !issue.warning)
}

fn has_note(field: &FieldView) -> bool {
    let missing = field.choices.as_ref().is_some_and(|choices| choices.missing.is_some());
    missing || field.fixed.is_some() || field.issues.iter().any(|issue| issue.warning)
}

/// What describes the control.
fn described(field: &FieldView) -> Option<String> {
    let parts = [(has_help(field), "h"), (has_error(field), "e"), (has_note(field), "w")];
    let ids: Vec<String> = parts.iter().filter(|(is, _)| *is).map(|(_, id)| format!("{}-{id}", field.key)).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// A browser asks for it only where it cannot be hidden: what is hidden could not be asked for.
fn is_asked(field: &FieldView) -> bool {
    field.required && field.when.is_none() && field.fixed.is_none()
}

fn control(pen: &Pen<'_>, field: &FieldView) -> Markup {
    match field.kind {
        FieldType::Select => select(pen, field),
        FieldType::Textarea | FieldType::List => area(pen, field),
        FieldType::Duration => duration(pen, field),
        FieldType::Computed => computed(pen, field),
        _ => input(field),
    }
}

fn class_of(field: &FieldView) -> &'static str {
    if field.mono { "psa-input psa-mono" } else { "psa-input" }
}

fn first(field: &FieldView) -> &str {
    field.values.first().map(String::as_str).unwrap_or_default()
}

fn input(field: &FieldView) -> Markup {
    // Never `number`: it turns with the wheel and does not know the reader's comma.
    let (kind, mode) = match field.kind {
        FieldType::Url => ("url", "url"),
        FieldType::Email => ("email", "email"),
        FieldType::Number => ("text", "decimal"),
        _ => ("text", "text"),
    };
    let line = html! {
        input class=(class_of(field)) type=(kind) inputmode=(mode) id=(field.key) name=(field.key) value=(first(field))
            placeholder=(field.placeholder) autocomplete="off" spellcheck="false" required[is_asked(field)]
            readonly[field.fixed.is_some()] aria-describedby=[described(field)]
            aria-invalid=[has_error(field).then_some("true")];
    };
    html! {
        @if field.unit.is_empty() { (line) }
        @else { div class="psa-inline" { (line) span class="psa-muted psa-nowrap" { (field.unit) } } }
    }
}

fn area(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let list = field.kind == FieldType::List;
    let word = |key: &str| list.then(|| pen.words.say(key));
    html! {
        textarea class=(class_of(field)) id=(field.key) name=(field.key) rows="4" placeholder=(field.placeholder)
            spellcheck=(if list { "false" } else { "true" }) required[is_asked(field)] readonly[field.fixed.is_some()]
            data-rows=[word("form.list.add")] data-remove=[word("form.list.remove")] aria-describedby=[described(field)] aria-invalid=[has_error(field).then_some("true")] {
            // The first line break behind the tag is none of the text.
            "\n" (field.values.join("\n"))
        }
    }
}

fn duration(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let unit = field.values.get(1).map_or("M", String::as_str);
    let whole = field.values.len() == 1;
    html! {
        div class="psa-inline" {
            (input(field))
            @if !whole {
                label class="psa-sr" for={ (field.key) ".unit" } { (pen.words.fill("form.unit", &[("field", &field.label)])) }
                select class="psa-input" id={ (field.key) ".unit" } name={ (field.key) ".unit" } disabled[field.fixed.is_some()] {
                    @for (value, name) in [("S", "form.unit.S"), ("M", "form.unit.M"), ("H", "form.unit.H"), ("D", "form.unit.D")] {
                        option value=(value) selected[value == unit] { (pen.words.say(name)) }
                    }
                }
            }
        }
    }
}

fn computed(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let value = first(field);
    html! {
        @if value.is_empty() { p class="psa-muted" { (pen.words.say("form.computed.none")) } }
        @else {
            div class="psa-affix" {
                input class="psa-input psa-mono" id=(field.key) value=(value) readonly aria-describedby=[described(field)];
                @if field.copy {
                    button class="psa-btn" type="button" data-copy=(field.key) data-said=(pen.words.say("form.copied")) {
                        (pen.words.say("form.copy")) span class="psa-sr" { " " (field.label) }
                    }
                }
            }
        }
    }
}

fn tick(pen: &Pen<'_>, field: &FieldView) -> Markup {
    html! {
        (errors(pen, field))
        label class="psa-choice" {
            input class="psa-check" type="checkbox" id=(field.key) name=(field.key) value="on" checked[!first(field).is_empty()]
                disabled[field.fixed.is_some()] aria-describedby=[described(field)];
            span { (field.label) }
        }
        @if has_help(field) {
            div class="psa-help" id={ (field.key) "-h" } {
                (text(pen.words, &field.help))
                @if !field.when_said.is_empty() { p { (field.when_said) } }
            }
        }
    }
}

fn select(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let Some(choices) = &field.choices else { return input(field) };
    // A list that is not there: what is kept can still be seen, and another id typed in.
    if choices.missing.is_some() && choices.manual {
        return typed(pen, field, choices);
    }
    let locked = field.fixed.is_some() || choices.missing.is_some();
    html! {
        select class="psa-input" id=(field.key) name=(field.key) required[is_asked(field) && !locked] disabled[locked]
            aria-describedby=[described(field)] aria-invalid=[has_error(field).then_some("true")] {
            @if !field.required || first(field).is_empty() { option value="" { (pen.words.say("form.choose")) } }
            (options(field, &choices.items))
        }
        @if locked && !first(field).is_empty() { input type="hidden" name=(field.key) value=(first(field)); }
        (find(pen, field))
    }
}

/// Where the rest of a long list is looked for. What was found is in the list above it.
fn find(pen: &Pen<'_>, field: &FieldView) -> Markup {
    let Some(search) = field.choices.as_ref().and_then(|choices| choices.search.as_ref()) else { return html! {} };
    let (said, list) = (format!("{}-said", search.name), format!("{}-names", search.name));
    let named = (!search.proposals.is_empty()).then_some(&list);
    let boxes = matches!(field.kind, FieldType::Radio | FieldType::Multiselect);
    let swap = if boxes { format!("#{}", field.key) } else { format!("#{}-field", field.key) };
    let label = pen.words.fill("form.search.label", &[("field", &field.label)]);
    html! {
        @if field.fixed.is_none() {
            div class="psa-inline" {
                input class="psa-input" type="search" name=(search.name) value=(search.words) maxlength="100" autocomplete="off"
                    spellcheck="false" placeholder=(pen.words.say("form.search.words")) aria-label=(label)
                    aria-describedby=(said) list=[named] data-find=(field.key);
                @if let Some(list) = named { datalist id=(list) { @for name in &search.proposals { option value=(name) {} } } }
                button class="psa-btn psa-btn-small" name="_action" value={ "find:" (field.key) } formnovalidate
                    data-swap=(swap) {
                    (pen.words.say("form.search.find")) span class="psa-sr" { " " (field.label) }
                }
            }
            p class="psa-small psa-muted" id=(said) { (told(&search.said)) }
        }
    }
}

/// The options under their headings, in the order in which they came.
fn options(field: &FieldView, items: &[ChoiceView]) -> Markup {
    let mut runs: Vec<(&str, Vec<&ChoiceView>)> = Vec::new();
    for item in items {
        match runs.last_mut() {
            Some((group, run)) if *group == item.group => run.push(item),
            _ => runs.push((&item.group, vec![item])),
        }
    }
    let one = |item: &ChoiceView| {
        let chosen = field.values.contains(&item.value);
        html! { option value=(item.value) selected[chosen] disabled[item.inactive && !chosen] { (item.label) } }
    };
    html! {
        @for (group, run) in runs {
            @if group.is_empty() { @for item in run { (one(item)) } }
            @else { optgroup label=(group) { @for item in run { (one(item)) } } }
        }
    }
}

fn typed(pen: &Pen<'_>, field: &FieldView, choices: &ChoicesView) -> Markup {
    let list = (!choices.items.is_empty()).then(|| format!("{}-list", field.key));
    let kept = choices.items.iter().find(|item| item.value == first(field));
    html! {
        input class="psa-input" id=(field.key) name=(field.key) value=(first(field)) list=[list.as_deref()] autocomplete="off"
            spellcheck="false" required[is_asked(field)] readonly[field.fixed.is_some()] aria-describedby=[described(field)]
            aria-invalid=[has_error(field).then_some("true")];
        @if let Some(list) = &list {
            datalist id=(list) { @for item in &choices.items { option value=(item.value) { (item.label) } } }
        }
        @if let Some(kept) = kept { p class="psa-small psa-muted" { (pen.words.fill("form.choices.now", &[("label", &kept.label)])) } }
    }
}

fn boxes(pen: &Pen<'_>, field: &FieldView, class: &str, when: Option<&str>) -> Markup {
    let kind = if field.kind == FieldType::Radio { "radio" } else { "checkbox" };
    let items: &[ChoiceView] = field.choices.as_ref().map_or(&[], |choices| &choices.items);
    html! {
        fieldset class=(class) id=(field.key) data-when=[when] aria-describedby=[described(field)] tabindex="-1" {
            legend class="psa-label" { (field.label) (needed(pen, field)) }
            (above(pen, field))
            @for item in items {
                @let chosen = field.values.contains(&item.value);
                label class="psa-choice" {
                    input class="psa-check" type=(kind) name=(field.key) value=(item.value) checked[chosen]
                        disabled[field.fixed.is_some() || (item.inactive && !chosen)]
                        required[kind == "radio" && is_asked(field)];
                    span { (item.label) @if !item.help.is_empty() { br; span class="psa-help" { (item.help) } } }
                }
            }
            (find(pen, field))
            (below(pen, field))
        }
    }
}

fn notice(pen: &Pen<'_>, field: &FieldView, when: Option<&str>) -> Markup {
    let class = if field.tone == Some(Tone::Warn) { "psa-note psa-note-warn" } else { "psa-note" };
    html! {
        div class="psa-field" data-when=[when] {
            div class=(class) {
                (text(pen.words, &field.label))
                @if has_help(field) { (text(pen.words, &field.help)) @if !field.when_said.is_empty() { p { (field.when_said) } } }
            }
        }
    }
}

fn secret(pen: &Pen<'_>, field: &FieldView, class: &str, when: Option<&str>) -> Markup {
    let Some(secret) = &field.secret else { return html! {} };
    let words = pen.words;
    if !secret.set {
        return html! {
            div class=(class) data-when=[when] {
                (label(pen, field)) (above(pen, field)) (entry(pen, field, secret)) (below(pen, field))
            }
        };
    }
    let op = format!("{}.op", field.key);
    let choice = |value: &str, this: SecretChoice, key: &str| {
        html! {
            label class="psa-choice" {
                input class="psa-check" type="radio" name=(op) value=(value) checked[secret.op == this];
                span { (words.say(key)) }
            }
        }
    };
    let replacing = serde_json::json!({"field": op, "eq": "replace"}).to_string();
    html! {
        fieldset class="psa-field" data-when=[when] {
            legend class="psa-label" { (field.label) (needed(pen, field)) }
            (above(pen, field))
            div class="psa-secret" {
                p class="psa-small" { (stored(pen, secret)) }
                (choice("keep", SecretChoice::Keep, "form.secret.keep"))
                (choice("replace", SecretChoice::Replace, "form.secret.replace"))
                div data-when=(replacing) {
                    label class="psa-label psa-small" for=(field.key) {
                        (words.fill("form.secret.new", &[("field", &field.label)]))
                    }
                    (entry(pen, field, secret))
                }
                @if secret.clearable { (choice("clear", SecretChoice::Clear, "form.secret.clear")) }
            }
            (below(pen, field))
        }
    }
}

fn stored(pen: &Pen<'_>, secret: &SecretView) -> Markup {
    let words = pen.words;
    html! {
        strong { (words.say("form.secret.stored")) } " "
        @if !secret.fingerprint.is_empty() { (words.say("form.secret.fingerprint")) " " code { (secret.fingerprint) } ". " }
        @if let Some(at) = &secret.set_at { (words.say("form.secret.set")) " " (moment(at)) }
        @if !secret.set_by.is_empty() { " " (words.fill("form.secret.by", &[("name", &secret.set_by)])) }
        " " (words.say("form.secret.never"))
    }
}

/// Where a new secret is entered. It never holds one.
fn entry(pen: &Pen<'_>, field: &FieldView, secret: &SecretView) -> Markup {
    let asked = is_asked(field) && !secret.set && !secret.waiting;
    html! {
        @if secret.multiline {
            textarea class="psa-input psa-mono" id=(field.key) name=(field.key) rows="4" autocomplete="off" spellcheck="false"
                required[asked] aria-describedby=[described(field)] aria-invalid=[has_error(field).then_some("true")] {}
        } @else {
            input class="psa-input psa-mono" type="password" id=(field.key) name=(field.key) autocomplete="new-password"
                spellcheck="false" required[asked] data-reveal=(pen.words.say("form.secret.reveal"))
                aria-describedby=[described(field)] aria-invalid=[has_error(field).then_some("true")];
        }
        @if secret.waiting { p class="psa-small" { (pen.words.say("form.secret.waiting")) } }
    }
}
