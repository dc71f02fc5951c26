//! What tests do with a page: open, find, click, type, read, look. Every step waits until it can
//! be done, and fails with the step's own words when it cannot.

use super::{server, webdriver::Session};
use base64::Engine;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// The key under which WebDriver wraps a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a step waits for the page before the test fails.
const PATIENCE: Duration = Duration::from_secs(15);

/// The size of the page's area, in CSS pixels.
pub type Size = (u32, u32);

/// A laptop.
pub const DESKTOP: Size = (1280, 800);
/// A phone held upright.
pub const PHONE: Size = (390, 844);
/// A frame in a course page.
pub const EMBED: Size = (720, 480);

/// Keys that have no character, as WebDriver writes them.
pub mod key {
    pub const TAB: &str = "\u{e004}";
    pub const ENTER: &str = "\u{e007}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const LEFT: &str = "\u{e012}";
    pub const UP: &str = "\u{e013}";
    pub const RIGHT: &str = "\u{e014}";
    pub const DOWN: &str = "\u{e015}";
    pub const SHIFT: &str = "\u{e008}";
    pub const CONTROL: &str = "\u{e009}";
}

/// One Chromium window on the built page.
pub struct Browser {
    session: Session,
    /// Where the page is served, with a slash at the end.
    pub home: String,
}

impl Browser {
    /// Opens `path` (relative to the page: `""`, `"#preset/x"`, `"?embed"`) at desktop size.
    pub fn open(path: &str) -> Browser {
        let browser = Browser { session: Session::start(), home: server::start() };
        browser.resize(DESKTOP);
        browser.go(path);
        browser
    }

    /// Goes to `path`, relative to the page, or to a whole address.
    pub fn go(&self, path: &str) {
        let whole = path.starts_with("http://") || path.starts_with("about:");
        let url = if whole { path.to_owned() } else { self.home.clone() + path };
        self.session
            .post("/url", &json!({ "url": url }))
            .unwrap_or_else(|error| panic!("cannot open {url}: {error}"));
    }

    /// The address in the address bar.
    pub fn url(&self) -> String {
        let url = self.session.get("/url").unwrap_or_else(|error| panic!("no address: {error}"));
        url.as_str().unwrap_or_default().to_owned()
    }

    /// Gives the page this many CSS pixels; below 600 wide it is a touch screen.
    pub fn resize(&self, (width, height): Size) {
        let mobile = width < 600;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile }),
        );
        self.devtools("Emulation.setTouchEmulationEnabled", &json!({ "enabled": mobile }));
    }

    /// What the page is told of the person's wishes: `("prefers-color-scheme", "dark")`.
    pub fn prefer(&self, wishes: &[(&str, &str)]) {
        let features: Vec<Value> =
            wishes.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// The first element a CSS selector names, as soon as there is one.
    pub fn find(&self, css: &str) -> Element<'_> {
        self.until(css, || self.find_all(css).into_iter().next())
    }

    /// Every element a CSS selector names at this moment.
    pub fn find_all(&self, css: &str) -> Vec<Element<'_>> {
        let found =
            self.session.post("/elements", &json!({ "using": "css selector", "value": css }));
        let found = found.unwrap_or_else(|error| panic!("{css}: {error}"));
        let ids = found.as_array().into_iter().flatten().filter_map(|e| e[ELEMENT].as_str());
        ids.map(|id| Element { session: &self.session, path: format!("/element/{id}") }).collect()
    }

    /// Clicks what the selector names, once it can be clicked.
    pub fn click(&self, css: &str) {
        self.until(&format!("{css}, clickable"), || self.find(css).click().ok());
    }

    /// The text a person sees in what the selector names.
    pub fn text(&self, css: &str) -> String {
        self.until(&format!("{css}, readable"), || self.find(css).text().ok())
    }

    /// Waits until what the selector names shows `part`.
    pub fn wait_for_text(&self, css: &str, part: &str) {
        self.until(&format!("{css} with the text {part:?}"), || {
            self.find_all(css)
                .iter()
                .find(|e| e.text().is_ok_and(|text| text.contains(part)))
                .map(drop)
        });
    }

    /// Presses and releases each key in turn, on whatever has the focus.
    pub fn keys(&self, keys: &str) {
        let presses = keys.chars().flat_map(|c| [down(c), up(c)]).collect();
        self.press(presses);
    }

    /// Holds `held` while pressing `keys`.
    pub fn chord(&self, held: &str, keys: &str) {
        let mut presses: Vec<Value> = held.chars().map(down).collect();
        presses.extend(keys.chars().flat_map(|c| [down(c), up(c)]));
        presses.extend(held.chars().map(up));
        self.press(presses);
    }

    /// Presses the pointer at the first point, draws it through the others, and lets go.
    pub fn drag(&self, points: &[(i32, i32)]) {
        let step =
            |&(x, y): &(i32, i32)| json!({ "type": "pointerMove", "x": x, "y": y, "duration": 30 });
        let mut actions: Vec<Value> = points.iter().map(step).collect();
        actions.insert(1.min(actions.len()), json!({ "type": "pointerDown", "button": 0 }));
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        self.act(json!({ "type": "pointer", "id": "pointer", "actions": actions }));
    }

    /// Runs a function body in the page; what it returns, as JSON.
    pub fn script(&self, body: &str) -> Value {
        self.session
            .post("/execute/sync", &json!({ "script": body, "args": [] }))
            .unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Waits until `step` gives something; `what` says what was waited for.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a browser in real time")]
    pub fn until<T>(&self, what: &str, mut step: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = step() {
                return value;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "waited {PATIENCE:?} for {what} at {}\nconsole: {:#?}",
                self.url(),
                self.console()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// What the browser has written to its console since the last call: `LEVEL: message`.
    pub fn console(&self) -> Vec<String> {
        let log = self.session.post("/se/log", &json!({ "type": "browser" }));
        let log = log.unwrap_or_else(|error| panic!("no console: {error}"));
        let entry = |e: &Value| {
            let field = |name: &str| e[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", field("level"), field("message"))
        };
        log.as_array().into_iter().flatten().map(entry).collect()
    }

    /// Fails when the console holds an error, or the page asked another host for something.
    pub fn assert_calm(&self) {
        let errors = self.console();
        let errors: Vec<_> = errors.iter().filter(|line| line.starts_with("SEVERE")).collect();
        assert!(errors.is_empty(), "errors in the console at {}: {errors:#?}", self.url());
        let asked = self.script(
            "return performance.getEntriesByType('resource').map(e => e.name)
               .filter(name => /^https?:/.test(name) && !name.startsWith(location.origin));",
        );
        assert_eq!(asked, json!([]), "requests left the origin");
    }

    /// Writes what the window shows as a PNG file.
    pub fn screenshot(&self, file: &Path) {
        let picture = self.session.get("/screenshot").unwrap_or_else(|error| panic!("{error}"));
        let picture = base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap_or_default())
            .expect("WebDriver sends pictures in base64");
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).expect("a folder for pictures");
        }
        std::fs::write(file, picture).expect("room for a picture");
    }

    /// Fingers on the screen: `touchStart`, `touchMove` or `touchEnd`, and where all of them are.
    pub fn touch(&self, what: &str, fingers: &[(i32, i32)]) {
        let points: Vec<Value> =
            (0..).zip(fingers).map(|(id, (x, y))| json!({ "id": id, "x": x, "y": y })).collect();
        self.devtools("Input.dispatchTouchEvent", &json!({ "type": what, "touchPoints": points }));
    }

    /// A command of Chromium's own protocol, for what WebDriver lacks.
    fn devtools(&self, command: &str, parameters: &Value) {
        self.session
            .post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
            .unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    fn press(&self, presses: Vec<Value>) {
        self.act(json!({ "type": "key", "id": "keyboard", "actions": presses }));
    }

    fn act(&self, device: Value) {
        self.session
            .post("/actions", &json!({ "actions": [device] }))
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

fn down(key: char) -> Value {
    json!({ "type": "keyDown", "value": key.to_string() })
}

fn up(key: char) -> Value {
    json!({ "type": "keyUp", "value": key.to_string() })
}

/// An element of the page; it goes stale when the page replaces it.
pub struct Element<'a> {
    session: &'a Session,
    path: String,
}

impl Element<'_> {
    /// Clicks its middle.
    pub fn click(&self) -> Result<(), String> {
        self.session.post(&format!("{}/click", self.path), &json!({})).map(drop)
    }

    /// Its text as a person sees it.
    pub fn text(&self) -> Result<String, String> {
        let text = self.session.get(&format!("{}/text", self.path))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Types into it.
    pub fn type_text(&self, text: &str) -> Result<(), String> {
        self.session.post(&format!("{}/value", self.path), &json!({ "text": text })).map(drop)
    }

    /// An attribute, where it has it.
    pub fn attribute(&self, name: &str) -> Result<Option<String>, String> {
        let value = self.session.get(&format!("{}/attribute/{name}", self.path))?;
        Ok(value.as_str().map(str::to_owned))
    }
}
