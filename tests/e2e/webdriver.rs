//! A ChromeDriver process and one session with it, spoken to in plain W3C WebDriver: one JSON
//! document there and one back. A client library would bring an async runtime for that.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The same arguments as the tests in `tests/browser` use.
const CAPABILITIES: &str = include_str!("../../.webdriver.json");

/// One Chromium, ended on drop.
pub struct Session {
    driver: Child,
    port: u16,
    path: String,
}

impl Session {
    /// Starts ChromeDriver on a free port and a Chromium under it.
    pub fn start() -> Session {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut driver = Command::new(&program)
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}; run: make setup"));
        let port = announced_port(&mut driver);
        let mut session = Session { driver, port, path: String::new() };
        let mut capabilities: Value =
            serde_json::from_str(CAPABILITIES).expect(".webdriver.json is JSON");
        capabilities["goog:loggingPrefs"] = json!({ "browser": "ALL" });
        let reply = session
            .post("/session", &json!({ "capabilities": { "alwaysMatch": capabilities } }))
            .unwrap_or_else(|error| panic!("Chromium did not start: {error}"));
        let id = reply["sessionId"].as_str().expect("a new session has an id");
        session.path = format!("/session/{id}");
        session
    }

    /// Asks for something below this session.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        self.call("GET", path, "")
    }

    /// Tells this session to do something.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.call("POST", path, &body.to_string())
    }

    /// One request and its `value`; a WebDriver error as its kind and message.
    fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let reply = self.exchange(method, path, body).map_err(|error| error.to_string())?;
        let reply: Value = serde_json::from_str(&reply).map_err(|error| error.to_string())?;
        let value = &reply["value"];
        match (value["error"].as_str(), value["message"].as_str()) {
            (Some(kind), Some(message)) => Err(format!("{kind}: {message}")),
            _ => Ok(value.clone()),
        }
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "{method} {}{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.path,
            self.port,
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        let mut reply = vec![0; length];
        reader.read_exact(&mut reply)?;
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Chromium may be gone already; the driver is ended in any case.
        let _ = self.call("DELETE", "", "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// ChromeDriver prints the port it chose, then "started successfully on port 40123."
fn announced_port(driver: &mut Child) -> u16 {
    let output = driver.stdout.take().expect("its output is piped");
    BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .filter(|line| line.contains("started successfully"))
        .find_map(|line| line.rsplit(' ').next()?.trim_end_matches('.').parse().ok())
        .expect("ChromeDriver says on which port it listens")
}
