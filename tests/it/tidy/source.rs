//! A file as the rules see it: its lines and, for Rust, its tokens without comments. A lexer of
//! this size knows strings, comments and lifetimes apart, which is what searching text does not.

/// One file.
pub struct Source {
    /// From the root of the repository, with forward slashes.
    pub path: String,
    pub text: String,
    /// Empty unless it is a Rust file.
    pub tokens: Vec<Token>,
}

/// A word, a string or a sign, and the line it starts on, from one.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub line: usize,
    pub kind: Kind,
}

/// What a token is. Numbers, lifetimes and characters matter to no rule and are left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Word(String),
    /// The content of a string, escapes as written, and the line it ends on.
    Text(String, usize),
    Sign(char),
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let tokens = if path.ends_with(".rs") { lex(text) } else { Vec::new() };
        Source { path: path.to_owned(), text: text.to_owned(), tokens }
    }

    /// Lines with their numbers, from one.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The word at `index`.
    pub fn word(&self, index: usize) -> Option<&str> {
        match &self.tokens.get(index)?.kind {
            Kind::Word(word) => Some(word),
            Kind::Text(..) | Kind::Sign(_) => None,
        }
    }

    /// Whether the sign at `index` is this one.
    pub fn is(&self, index: usize, sign: char) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == Kind::Sign(sign))
    }

    /// Whether `::` stands at `index`.
    pub fn is_path_sign(&self, index: usize) -> bool {
        self.is(index, ':') && self.is(index + 1, ':')
    }

    /// The first and last line of each `#[cfg(test)] mod … { … }`.
    pub fn test_modules(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for start in 0..self.tokens.len() {
            let cfg_test = self.is(start, '#')
                && self.word(start + 2) == Some("cfg")
                && self.word(start + 4) == Some("test")
                && self.word(start + 7) == Some("mod")
                && self.is(start + 9, '{');
            if cfg_test {
                found.push((self.tokens[start].line, self.closing_line(start + 9)));
            }
        }
        found
    }

    fn closing_line(&self, open: usize) -> usize {
        let mut depth = 0;
        for index in open..self.tokens.len() {
            if self.is(index, '{') {
                depth += 1;
            } else if self.is(index, '}') {
                depth -= 1;
                if depth == 0 {
                    return self.tokens[index].line;
                }
            }
        }
        self.tokens.last().map_or(0, |token| token.line)
    }
}

fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while lexer.at < lexer.rest.len() {
        let line = lexer.line;
        if let Some(kind) = lexer.token() {
            tokens.push(Token { line, kind });
        }
    }
    tokens
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.rest.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn take(&mut self) -> char {
        let next = self.peek(0);
        self.at += 1;
        if next == '\n' {
            self.line += 1;
        }
        next
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while self.at < self.rest.len() && keep(self.peek(0)) {
            taken.push(self.take());
        }
        taken
    }

    fn token(&mut self) -> Option<Kind> {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                self.take_while(|c| c != '\n');
                None
            }
            ('/', '*') => {
                self.block_comment();
                None
            }
            ('"', _) => Some(self.text()),
            ('\'', _) => {
                self.quote();
                None
            }
            (c, _) if c.is_ascii_digit() => {
                self.take_while(|c| c.is_alphanumeric() || c == '_');
                None
            }
            (c, _) if c.is_alphabetic() || c == '_' => self.word(),
            (c, _) if c.is_whitespace() => {
                self.take();
                None
            }
            _ => Some(Kind::Sign(self.take())),
        }
    }

    /// A word, or the string a prefix such as `r`, `b` or `br` introduces.
    fn word(&mut self) -> Option<Kind> {
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
        if matches!(word.as_str(), "r" | "br" | "cr") {
            let hashes = (0..).take_while(|&n| self.peek(n) == '#').count();
            if self.peek(hashes) == '"' {
                self.at += hashes;
                return Some(self.raw_text(hashes));
            }
        }
        if matches!(word.as_str(), "b" | "c") && self.peek(0) == '"' {
            return Some(self.text());
        }
        if word == "b" && self.peek(0) == '\'' {
            self.quote();
            return None;
        }
        Some(Kind::Word(word))
    }

    fn text(&mut self) -> Kind {
        self.take();
        let mut content = String::new();
        while self.at < self.rest.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                content.push(self.take());
            }
            content.push(self.take());
        }
        self.take();
        Kind::Text(content, self.line)
    }

    fn raw_text(&mut self, hashes: usize) -> Kind {
        self.take();
        let mut content = String::new();
        let ends = |lexer: &Lexer| {
            lexer.peek(0) == '"' && (1..=hashes).all(|ahead| lexer.peek(ahead) == '#')
        };
        while self.at < self.rest.len() && !ends(self) {
            content.push(self.take());
        }
        self.at += 1 + hashes;
        Kind::Text(content, self.line)
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        self.take();
        if self.peek(0) == '\\' {
            self.take();
            self.take();
            self.take_while(|c| c != '\'');
            self.take();
        } else if self.peek(1) == '\'' {
            self.take();
            self.take();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                ('\0', _) => return,
                _ => {
                    self.take();
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(usize, String)> {
        let word = |token: &Token| match &token.kind {
            Kind::Word(word) => Some((token.line, word.clone())),
            Kind::Text(..) | Kind::Sign(_) => None,
        };
        lex(text).iter().filter_map(word).collect()
    }

    #[test]
    fn tells_code_from_comments_strings_and_lifetimes() {
        let text =
            "// no\n/* no /* no */ no */ a 'b 'c' '\\'' '\\u{1f}' \"no \\\" no\"\nr#\"no\n\"#d";
        let want = [(2, "a"), (2, "b"), (4, "d")].map(|(n, word)| (n, word.to_owned()));
        assert_eq!(words(text), want);
    }

    #[test]
    fn finds_the_extent_of_test_modules() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(Source::new("x.rs", text).test_modules(), [(2, 5)]);
    }
}
