//! Static pages beside the built one: `s/<preset>/index.html` for each preset, so that a link has
//! a title and a description where it is pasted, and works on a host that knows only files; and
//! one for scenarios that come from no preset.

use super::link::CUSTOM;
use super::presets::{self, Preset};
use serde_json::json;

/// The files to write, as paths relative to the built page, and their contents.
pub fn pages(index: &str) -> Vec<(String, String)> {
    let own = (format!("s/{CUSTOM}/index.html"), two_up(index));
    presets::all().iter().flat_map(|preset| page(index, preset)).chain([own]).collect()
}

fn page(index: &str, preset: &Preset) -> [(String, String); 2] {
    let folder = format!("s/{}", preset.id);
    let (title, summary) = (escaped(&preset.title), escaped(&preset.summary));
    let head = format!(
        "<title>{title} · netsplit</title>\
         <meta property=\"og:title\" content=\"{title}\">\
         <meta property=\"og:description\" content=\"{summary}\">\
         <link rel=\"alternate\" type=\"application/json+oembed\" href=\"./oembed.json\" \
         title=\"{title}\">"
    );
    let html = with_title(&two_up(index), &head);
    let html = with_description(&html, &summary);
    let frame = format!(
        "<iframe src=\"s/{}/?embed=1\" width=\"640\" height=\"400\" title=\"{title}\" \
         loading=\"lazy\" allow=\"fullscreen; clipboard-write\"></iframe>",
        preset.id
    );
    let oembed = json!({
        "version": "1.0", "type": "rich", "provider_name": "netsplit",
        "title": preset.title, "width": 640, "height": 400, "html": frame,
    });
    [(format!("{folder}/index.html"), html), (format!("{folder}/oembed.json"), oembed.to_string())]
}

/// Addresses relative to the page become relative to a folder two levels down.
fn two_up(html: &str) -> String {
    // Quoted, or not, as a minifier leaves them.
    ["\"./", "'./", "=./"]
        .iter()
        .fold(html.to_owned(), |html, start| html.replace(start, &format!("{}../../", &start[..1])))
}

fn with_title(html: &str, head: &str) -> String {
    match (html.find("<title>"), html.find("</title>")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{head}{}", &html[..start], &html[end + "</title>".len()..])
        }
        _ => html.replacen("</head>", &format!("{head}</head>"), 1),
    }
}

fn with_description(html: &str, summary: &str) -> String {
    let Some(name) = html.find("name=\"description\"").or_else(|| html.find("name=description"))
    else {
        return html.to_owned();
    };
    let Some(start) = html[..name].rfind('<') else { return html.to_owned() };
    let Some(length) = html[name..].find('>') else { return html.to_owned() };
    let meta = format!("<meta name=\"description\" content=\"{summary}\">");
    format!("{}{meta}{}", &html[..start], &html[name + length + 1..])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_gets_a_page_that_finds_its_files() {
        let index = "<html><head><title>netsplit</title>\
                     <meta name=\"description\" content=\"all\" />\
                     <link rel=\"stylesheet\" href=\"./a.css\">\
                     <link rel=preload href=./b.css></head>\
                     <body><script>import init from './app.js'</script></body></html>";
        let mut pages = pages(index);
        let (path, own) = pages.pop().expect("the page of scenarios from no preset");
        assert_eq!(path, "s/custom/index.html");
        assert!(own.contains("'../../app.js'") && own.contains("<title>netsplit</title>"));
        assert_eq!(pages.len(), 2 * presets::all().len());
        for ((path, html), preset) in pages.iter().step_by(2).zip(presets::all()) {
            assert_eq!(*path, format!("s/{}/index.html", preset.id));
            assert!(html.contains("href=\"../../a.css\"") && html.contains("'../../app.js'"));
            assert!(html.contains("href=../../b.css"));
            assert!(html.contains(&format!("<title>{} · netsplit</title>", preset.title)));
            assert!(!html.contains("content=\"all\""));
        }
        for (_, oembed) in pages.iter().skip(1).step_by(2) {
            let read: serde_json::Value = serde_json::from_str(oembed).expect("JSON");
            assert_eq!(read["type"], "rich");
        }
    }
}
