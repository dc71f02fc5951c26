//! A static file host for `dist/`, as plain as the plainest host the page must work on: files,
//! `index.html` for a folder, 404 for the rest. It serves below a folder, since the page must not
//! assume that it lives at the root.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

const FOLDER: &str = "/some/folder/";

/// What is asked for.
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Where, with what stands after `?`.
    pub target: String,
    /// What comes with it.
    pub body: String,
}

/// What is answered.
pub struct Answer {
    /// A number and a word.
    pub status: &'static str,
    /// The type of what follows.
    pub kind: &'static str,
    /// What follows.
    pub body: Vec<u8>,
    /// Whether pages of other origins may see it, and ask in ways that need leave.
    pub open: bool,
}

/// Serves `dist/` until the process ends; returns the address of the page.
pub fn start() -> String {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    assert!(dist.join("index.html").is_file(), "there is no built page; run: make build");
    serve(move |request| {
        let path = request.target.split(['?', '#']).next().unwrap_or("/");
        if let Some(body) = own(path) {
            let (kind, body) = ("application/json", body.into_bytes());
            return Answer { status: "200 OK", kind, body, open: false };
        }
        let found = find(path, &dist).map(|file| (kind(&file), std::fs::read(file)));
        match found {
            Some((kind, Ok(body))) => Answer { status: "200 OK", kind, body, open: false },
            _ => {
                let body = b"not found".to_vec();
                Answer { status: "404 Not Found", kind: "text/plain", body, open: false }
            }
        }
    })
}

/// A scenario that somebody keeps beside the page: a good one, a wrong one, and one too long.
fn own(path: &str) -> Option<String> {
    let good = r#"{"seed": 77, "nodes": {"ann": {"clients": {"to": "shop"}},
        "shop": {"service": {"workers": 3}}}}"#;
    match path.strip_prefix(FOLDER)? {
        "own/good.json" => Some(good.to_owned()),
        "own/wrong.json" => Some(good.replace("workers", "wrkers")),
        "own/long.json" => Some(good.to_owned() + &" ".repeat(300_000)),
        _ => None,
    }
}

/// Serves until the process ends, from an origin of its own; returns the address of a folder.
pub fn serve(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on this machine");
    let address = listener.local_addr().expect("a bound listener has an address");
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A connection that breaks is the browser's to retry.
            thread::spawn(move || {
                let _ = read(&stream).and_then(|request| write(stream, &answer(&request)));
            });
        }
    });
    format!("http://{address}{FOLDER}")
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first)?;
    while reader.read_line(&mut line)? > 0 && line != "\r\n" {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Ok(Request { method, target, body: String::from_utf8_lossy(&body).into_owned() })
}

fn write(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let Answer { status, kind, body, open } = answer;
    let leave = if *open {
        "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: *\r\n\
         Access-Control-Allow-Headers: authorization, content-type, x-experience-api-version\r\n"
    } else {
        ""
    };
    // Its name changes with what is in it.
    let cache = if *kind == "application/wasm" { "max-age=3600" } else { "no-store" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: {cache}\r\n{leave}Connection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)
}

/// The file a request path names; none when it leaves the folder or does not exist.
fn find(path: &str, dist: &Path) -> Option<PathBuf> {
    let path = path.strip_prefix(FOLDER)?;
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let file = dist.join(path);
    let file = if file.is_dir() { file.join("index.html") } else { file };
    file.is_file().then_some(file)
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
