//! A static file host for `dist/`, as plain as the plainest host the page must work on: files,
//! `index.html` for a folder, 404 for the rest. It serves below a folder, since the page must not
//! assume that it lives at the root.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

const FOLDER: &str = "/some/folder/";

/// Serves `dist/` until the process ends; returns the address of the page.
pub fn start() -> String {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    assert!(dist.join("index.html").is_file(), "there is no built page; run: make build");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on this machine");
    let address = listener.local_addr().expect("a bound listener has an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dist = dist.clone();
            // A connection that breaks is the browser's to retry.
            thread::spawn(move || drop(answer(stream, &dist)));
        }
    });
    format!("http://{address}{FOLDER}")
}

fn answer(mut stream: TcpStream, dist: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let target = request.split(' ').nth(1).unwrap_or("/");
    let path = target.split(['?', '#']).next().unwrap_or("/");
    if let Some(body) = own(path) {
        return reply(&mut stream, "200 OK", "application/json", body.as_bytes());
    }
    let (status, kind, body) = match find(path, dist).map(|file| (kind(&file), std::fs::read(file)))
    {
        Some((kind, Ok(body))) => ("200 OK", kind, body),
        _ => ("404 Not Found", "text/plain", b"not found".to_vec()),
    };
    reply(&mut stream, status, kind, &body)
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

fn reply(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    // Its name changes with what is in it.
    let cache = if kind == "application/wasm" { "max-age=3600" } else { "no-store" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: {cache}\r\nConnection: close\r\n\r\n",
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
