//! Reads forms of EDN and of JSON, which are the same but for words: a keyword and a string are a
//! word here, commas and lone colons are space, and a tag is passed over. Every form knows its
//! line, and a form that is damaged does not hide the others.

use crate::base::diagnostics::Diagnostics;
use crate::base::order;

/// A value and the line on which it begins, from one.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// Where.
    pub line: u32,
    /// What.
    pub value: Value,
}

/// What a form says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `nil` or `null`.
    Nil,
    /// A whole number.
    Int(i64),
    /// A keyword without its colon, a string, or anything else.
    Word(String),
    /// `[…]`, `(…)` or `#{…}`.
    List(Vec<Form>),
    /// `{…}`: keys that are words, and their values.
    Map(Vec<(String, Form)>),
}

impl Form {
    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Form> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The word, if it is one.
    pub fn word(&self) -> Option<&str> {
        if let Value::Word(word) = &self.value { Some(word) } else { None }
    }

    /// The number, if it is one.
    pub fn int(&self) -> Option<i64> {
        if let Value::Int(n) = self.value { Some(n) } else { None }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[Form]> {
        if let Value::List(list) = &self.value { Some(list) } else { None }
    }
}

/// Forms within forms, at most.
const DEPTH: u32 = 32;

/// All maps of a text, be they one after the other or in a list. What is damaged is noted and
/// passed over, up to the next line that begins with a brace.
pub fn maps(text: &str, problems: &mut Diagnostics) -> Vec<Form> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut found = Vec::new();
    loop {
        reader.space();
        match reader.peek() {
            None => return found,
            Some('[' | ']' | '(' | ')') => drop(reader.take()),
            Some(_) => {
                let line = reader.line;
                match reader.form(0) {
                    Ok(form) if matches!(form.value, Value::Map(_)) => found.push(form),
                    Ok(_) => {
                        let remedy = "write each event as a map in braces";
                        problems.error(at(line), "is not a map", remedy);
                        reader.recover();
                    }
                    Err((message, remedy)) => {
                        problems.error(at(reader.line), message, remedy);
                        reader.recover();
                    }
                }
            }
        }
    }
}

/// Where a problem is.
pub fn at(line: u32) -> String {
    format!("line {line}")
}

/// Sorts problems by their lines.
pub fn in_order(mut problems: Diagnostics) -> Diagnostics {
    let line = |path: &str| path.strip_prefix("line ").and_then(|n| n.parse::<u32>().ok());
    order::by_key(&mut problems.problems, |problem| line(&problem.path));
    problems
}

type Damage = (String, &'static str);

struct Reader<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        self.line += u32::from(next == '\n');
        Some(next)
    }

    fn space(&mut self) {
        while let Some(next) = self.peek() {
            let mut after = self.rest.chars().skip(1);
            let alone = after.next().is_none_or(|c| !is_plain(c));
            if next == ';' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.take();
                }
            } else if next.is_whitespace() || next == ',' || (next == ':' && alone) {
                self.take();
            } else {
                return;
            }
        }
    }

    /// On to the next line that begins with a brace.
    fn recover(&mut self) {
        while self.take().is_some_and(|c| c != '\n') || {
            let start = self.rest.trim_start_matches([' ', '\t', '[', '(', ',']);
            !self.rest.is_empty() && !start.starts_with(['{', '#'])
        } {}
    }

    fn form(&mut self, depth: u32) -> Result<Form, Damage> {
        if depth > DEPTH {
            return Err(("is nested too deeply".into(), "write events one after the other"));
        }
        self.space();
        let line = self.line;
        let value = match self.peek() {
            None => return Err(("ends in the middle of a form".into(), "is the file complete?")),
            Some('{') => {
                self.take();
                self.map(depth)?
            }
            Some('[' | '(') => {
                self.take();
                Value::List(self.items(depth)?)
            }
            Some('"') => Value::Word(self.text()?),
            Some('#') => return self.tagged(depth),
            Some(c @ (']' | ')' | '}')) => {
                self.take();
                return Err((format!("`{c}` closes what was not opened"), "take it away"));
            }
            Some(_) => self.plain(),
        };
        Ok(Form { line, value })
    }

    fn tagged(&mut self, depth: u32) -> Result<Form, Damage> {
        self.take();
        match self.peek() {
            Some('{') => {
                let line = self.line;
                self.take();
                Ok(Form { line, value: Value::List(self.items(depth)?) })
            }
            // A comment for the next form.
            Some('_') => {
                self.take();
                self.form(depth + 1)?;
                self.form(depth + 1)
            }
            _ => {
                self.word();
                self.form(depth + 1)
            }
        }
    }

    fn items(&mut self, depth: u32) -> Result<Vec<Form>, Damage> {
        let mut items = Vec::new();
        loop {
            self.space();
            if let Some(']' | ')' | '}') = self.peek() {
                self.take();
                return Ok(items);
            }
            items.push(self.form(depth + 1)?);
        }
    }

    fn map(&mut self, depth: u32) -> Result<Value, Damage> {
        let mut entries = Vec::new();
        loop {
            self.space();
            if self.peek() == Some('}') {
                self.take();
                return Ok(Value::Map(entries));
            }
            let quoted = self.peek() == Some('"');
            let key = match self.form(depth + 1)?.value {
                Value::Word(word) => word,
                Value::Int(n) => n.to_string(),
                _ => return Err(("a key is not a word".into(), "write `:key value`")),
            };
            self.space();
            // `"time":12` has no keyword in it.
            if quoted && self.peek() == Some(':') {
                self.take();
                self.space();
            }
            if self.peek() == Some('}') {
                return Err((format!("`{key}` has no value"), "give it one, or `nil`"));
            }
            entries.push((key, self.form(depth + 1)?));
        }
    }

    fn text(&mut self) -> Result<String, Damage> {
        let damage = || ("a string has no end".to_owned(), "close it with a quote");
        self.take();
        let mut text = String::new();
        loop {
            // The next line is left for the next form.
            if self.peek() == Some('\n') {
                return Err(damage());
            }
            match self.take().ok_or_else(damage)? {
                '"' => return Ok(text),
                // What a string says matters for names alone: escapes stay as they are.
                '\\' => text.extend(self.take()),
                c => text.push(c),
            }
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c| !is_plain(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A keyword, a number, or another bare word.
    fn plain(&mut self) -> Value {
        let is_keyword = self.peek() == Some(':');
        if is_keyword {
            self.take();
        }
        let word = self.word();
        if word.is_empty() {
            // No sign that begins a word: pass it over as one.
            return Value::Word(self.take().map(String::from).unwrap_or_default());
        }
        match word.trim_end_matches('N').parse() {
            _ if is_keyword => Value::Word(word.to_owned()),
            Ok(n) => Value::Int(n),
            Err(_) if word == "nil" || word == "null" => Value::Nil,
            Err(_) => Value::Word(word.to_owned()),
        }
    }
}

fn is_plain(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '{' | '}' | '[' | ']' | '(' | ')' | '"' | ',' | ';' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Vec<Form>, String) {
        let mut problems = Diagnostics::default();
        let found = maps(text, &mut problems);
        (found, problems.to_string())
    }

    fn unlined(form: &Form) -> String {
        match &form.value {
            Value::Nil => "nil".to_owned(),
            Value::Int(n) => n.to_string(),
            Value::Word(word) => format!(":{word}"),
            Value::List(list) => format!("{:?}", list.iter().map(unlined).collect::<Vec<_>>()),
            Value::Map(map) => {
                let entry = |(k, v): &(String, Form)| format!("{k} {}", unlined(v));
                format!("{:?}", map.iter().map(entry).collect::<Vec<_>>())
            }
        }
    }

    #[test]
    fn the_same_in_both_languages() {
        let edn = "; a history\n#jepsen.Op{:type :invoke, :value [1 nil] :time 12N, :n -3}";
        let json = r#"[{"type": "invoke","value":[1,null],"time":12 , "n":-3}]"#;
        let (a, b) = (read(edn), read(json));
        assert_eq!((a.1.as_str(), b.1.as_str()), ("", ""));
        assert_eq!((a.0.len(), a.0[0].line, b.0[0].line), (1, 2, 1));
        assert_eq!(unlined(&a.0[0]), unlined(&b.0[0]));
        assert_eq!(a.0[0].get("time").and_then(Form::int), Some(12));
    }

    #[test]
    fn what_is_damaged_hides_nothing_else() {
        let text = "{:a 1}\n{:b [1}\n 2 3\n{:c}\n{:d 4}\nx\n{:e \"open\n{:f 6}\n{:g {";
        let (found, problems) = read(text);
        let keys = ["a", "d", "f"].map(|key| found.iter().any(|form| form.get(key).is_some()));
        assert_eq!(keys, [true; 3]);
        for line in ["line 4: `c` has no value", "line 6: is not a map", "line 9: ends in"] {
            assert!(problems.contains(line), "{line}: {problems}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[{}\\[\\]()\":#_;, \\n\\\\a-c0-9é-]{0,80}") {
            read(&text);
        }
    }
}
