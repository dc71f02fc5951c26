//! A run in a course page of another origin: driven by its script, heard by it, and deaf to others.

use super::browser::Browser;
use super::server::{self, Answer};
use serde_json::{Value, json};

/// A course page on an origin of its own, with the lab in two elements.
fn course() -> Browser {
    let course = server::serve(|request| {
        let is_page = request.target.contains("course.html");
        let (status, body) = match is_page {
            true => ("200 OK", include_bytes!("course.html").to_vec()),
            false => ("404 Not Found", Vec::new()),
        };
        Answer { status, kind: "text/html; charset=utf-8", body, open: false }
    });
    let browser = Browser::open("");
    browser.go("about:blank");
    browser.go(&format!("{course}course.html?lab={}", browser.home));
    browser
}

/// Waits until a script says something true.
fn until(browser: &Browser, what: &str, script: &str) {
    browser.until(what, || browser.script(&format!("return {script}")).as_bool().filter(|b| *b));
}

/// What a promise of the page comes to: its value, or `code` and `path` of its error.
fn come(browser: &Browser, promise: &str) -> Value {
    let script = format!(
        "return {promise}.then(value => ({{ value }}), ({{ code, path, message }}) => \
         ({{ code, path, message }}))"
    );
    browser.script(&script)
}

#[test]
fn a_course_page_drives_a_run_and_hears_what_becomes_of_it() {
    let browser = course();
    until(&browser, "the run in the page", "heard.some(m => m.on === 'a' && m.type === 'ready')");
    browser.script("window.a = document.getElementById('a')");
    until(&browser, "the height it needs", "heard.some(m => m.type === 'resize' && m.h > 250)");
    let height = "const h = heard.findLast(m => m.type === 'resize').h;
        return [h, a.shadowRoot.querySelector('iframe').getBoundingClientRect().height]";
    let height = browser.script(height);
    assert_eq!(height[0].as_f64(), height[1].as_f64(), "the frame is as high as it says");

    come(&browser, "a.play()");
    until(&browser, "time passes", "heard.some(m => m.type === 'state' && m.playing && m.t > 0.2)");
    come(&browser, "a.pause()");
    let there = come(&browser, "a.seek(20)");
    assert_eq!(there["value"]["t"], 20.0, "it is answered when it is there");

    let set = come(&browser, "a.set('api.queue', 5)");
    assert_eq!(set["code"], Value::Null, "{set}");
    let told = "heard.some(m => m.type === 'change' && m.by === 'host'
        && m.overrides['api.queue'] === '5' && m.url.includes('20s:set:api.queue+5'))";
    until(&browser, "the change", told);
    come(&browser, "a.undo()");
    let gone = "!heard.findLast(m => m.type === 'change').url.includes('queue')";
    until(&browser, "the change taken back", gone);
    come(&browser, "a.fault('kill:api-1')");
    let snapshot = come(&browser, "a.get('snapshot')");
    let nodes = snapshot["value"]["nodes"].as_array().expect("a list of nodes");
    let down = |node: &&Value| node["state"] == "down";
    assert_eq!(nodes.iter().find(down).expect("a node that is down")["id"], "api-1", "{nodes:?}");

    let metrics = come(&browser, "a.get('metrics')");
    assert_eq!(metrics["value"]["t"], 20.0);
    assert!(metrics["value"]["total"]["begun"].as_u64().is_some_and(|n| n > 1_000), "{metrics}");
    let until_then = come(&browser, "a.subscribe(['metrics', 'event', 'check', 'state'])");
    assert_eq!(until_then["code"], Value::Null);
    let gone_by = come(&browser, "a.play(20)");
    assert_eq!((&gone_by["code"], &gone_by["path"]), (&"invalid".into(), &"until".into()));
    come(&browser, "a.speed(20)");
    come(&browser, "a.play(21)");
    until(&browser, "numbers", "heard.some(m => m.type === 'metrics' && m.t > 20)");
    until(&browser, "lines of the log", "heard.some(m => m.type === 'event' && m.text)");
    until(&browser, "checks", "heard.some(m => m.type === 'check' && m.pass !== undefined)");
    let stopped = "(s => !s.playing && s.t === 21)(heard.findLast(m => m.type === 'state'))";
    until(&browser, "the instant to stop at", stopped);
    assert_eq!(browser.script("return heard.filter(m => m.t > 21).map(m => m.type)"), json!([]));
    // The last numbers come however seldom they are wanted.
    come(&browser, "a.subscribe(['metrics'], 0.5)");
    come(&browser, "a.play(22)");
    until(&browser, "the last numbers", "heard.findLast(m => m.type === 'metrics').t === 22");
    let csv = come(&browser, "a.export('csv')");
    assert!(csv["value"].as_str().is_some_and(|text| text.starts_with("t (s),\"")), "{csv}");
    let calm = "heard.every(m => m.type !== 'error')";
    until(&browser, "no error unasked", calm);
}

#[test]
fn what_is_wrong_with_a_message_is_said_in_words() {
    let browser = course();
    until(&browser, "the element", "customElements.get('netsplit-lab') !== undefined");
    browser.script("window.a = document.getElementById('a')");
    for (promise, code, path) in [
        ("a.set('nobody.queue', 5)", "invalid", "nobody"),
        ("a.set('people.retry.attempts', 'many')", "invalid", "retry.attempts"),
        ("a.fault('dance:api-1')", "invalid", "dance:api-1"),
        ("a.seek('soon')", "invalid", "t"),
        ("a.speed(0)", "invalid", "x"),
        ("a.get('weather')", "unsupported", "what"),
        ("a.export('png')", "unsupported", "format"),
        ("a.send('lesson', {goto: 2})", "unsupported", "type"),
        ("a.subscribe(['focus-exit'])", "unsupported", "events"),
        ("a.send('plya')", "unknown", "type"),
        ("a.load({preset: 'no-such-preset'})", "invalid", "preset"),
        ("a.ui({theme: 'purple'})", "invalid", ""),
        ("a.ui({theme: ['dark']})", "invalid", "theme"),
        ("a.ui({theme: 'dark', play: '1'})", "unsupported", "play"),
        ("a.load({state: 'z=1.77b1.LY5B'})", "invalid", "z"),
        ("a.subscribe(['weather'])", "invalid", "events"),
    ] {
        let found = come(&browser, promise);
        assert_eq!(found["code"], code, "{promise}: {found}");
        assert!(found["path"].as_str().is_some_and(|p| p.contains(path)), "{promise}: {found}");
        assert!(found["message"].as_str().is_some_and(|m| m.len() > 10), "{promise}: {found}");
    }
    let near = come(&browser, "a.send('plya')");
    assert!(near["message"].as_str().is_some_and(|m| m.contains("`play`")), "{near}");
    let loaded = come(&browser, "a.load({preset: 'double-charge', state: 'seed=7&t=3s'})");
    assert_eq!(loaded["value"]["t"], 3.0, "{loaded}");
    until(&browser, "the other seed", "heard.some(m => m.type === 'state' && m.seed === 7)");
}

#[test]
fn one_run_plays_at_a_time_and_the_other_waits_for_a_click() {
    let browser = course();
    until(&browser, "the first", "heard.some(m => m.on === 'a' && m.type === 'ready')");
    let facade = "return document.getElementById('b').shadowRoot.querySelector('iframe') === null";
    assert_eq!(browser.script(facade), true, "load=\"click\" waits");
    // Whatever else the page wants to hear.
    come(&browser, "document.getElementById('a').subscribe(['check'])");
    come(&browser, "document.getElementById('a').play()");
    until(&browser, "it plays", "heard.some(m => m.on === 'a' && m.playing)");
    // A frame out of sight draws nothing, so it does not begin.
    browser.script(
        "const b = document.getElementById('b'); b.scrollIntoView();
         b.shadowRoot.querySelector('button').click()",
    );
    until(&browser, "the second", "heard.some(m => m.on === 'b' && m.type === 'ready')");
    come(&browser, "document.getElementById('b').play()");
    let last = |id: &str| format!("heard.findLast(m => m.on === '{id}' && m.type === 'state')");
    let alone = format!("({}.playing && !{}.playing)", last("b"), last("a"));
    until(&browser, "the second alone", &alone);
    // Two that may play together do.
    browser.script(
        "for (const id of ['a', 'b']) document.getElementById(id).toggleAttribute('concurrent')",
    );
    come(&browser, "document.getElementById('a').play()");
    until(&browser, "both", &format!("({}.playing && {}.playing)", last("b"), last("a")));
}

#[test]
fn an_element_that_is_taken_out_answers_nobody_and_begins_anew() {
    let browser = course();
    until(&browser, "the run", "heard.some(m => m.on === 'a' && m.type === 'ready')");
    // Before the question is sent, and while it waits for an answer.
    let at_once = "const a = window.a = document.getElementById('a'), asked = a.get('metrics');
        a.remove(); return asked.then(() => 'answered', error => error.code)";
    assert_eq!(browser.script(at_once), "gone");
    browser.script("document.body.prepend(a)");
    let far = "return a.open().then(() => {
        const asked = a.seek(59); setTimeout(() => a.remove());
        return asked.then(() => 'answered', error => error.code) })";
    assert_eq!(browser.script(far), "gone");
    browser.script("heard.length = 0; document.body.prepend(a)");
    until(&browser, "it again", "heard.some(m => m.on === 'a' && m.type === 'ready')");
    assert_eq!(come(&browser, "a.get('snapshot')")["value"]["seed"], 5);
}

#[test]
fn a_scenario_from_elsewhere_is_answered_when_it_is_there() {
    let browser = course();
    let from = |file: &str| {
        format!("'src=' + encodeURIComponent('{}own/{file}.json') + '&t=3s'", browser.home)
    };
    let load = |file: &str| come(&browser, &format!("a.load({{state: {}}})", from(file)));
    until(&browser, "the run", "heard.some(m => m.on === 'a' && m.type === 'ready')");
    browser.script("window.a = document.getElementById('a')");
    assert_eq!(load("good")["value"]["t"], 3.0);
    let nodes = &come(&browser, "a.get('scenario')")["value"]["nodes"];
    assert!(nodes["shop"].is_object(), "it is the other scenario: {nodes}");
    let told = "heard.some(m => m.type === 'change' && m.by === 'host' && m.url.includes('src='))";
    until(&browser, "the change", told);
    for (file, words) in [("wrong", "wrkers"), ("nowhere", "404")] {
        let kept = load(file);
        assert!(kept["message"].as_str().is_some_and(|m| m.contains(words)), "{kept}");
        let error = format!("heard.some(m => m.type === 'error' && m.message.includes('{words}'))");
        until(&browser, "it said to whoever listens", &error);
    }
    assert_eq!(come(&browser, "a.get('snapshot')")["value"]["seed"], 77, "what was there is kept");
    // An element that begins with it is ready when it is there, and has not changed then.
    browser.script(&format!(
        "window.c = document.createElement('netsplit-lab'); c.id = 'c';
         c.setAttribute('state', {}); document.body.prepend(c)",
        from("good")
    ));
    assert_eq!(come(&browser, "c.get('snapshot')")["value"]["seed"], 77);
    until(&browser, "its state", "heard.some(m => m.on === 'c' && m.type === 'state')");
    let changes = "return heard.filter(m => m.on === 'c' && m.type === 'change').length";
    assert_eq!(browser.script(changes), 0);
}

#[test]
fn what_an_element_no_longer_says_is_as_if_it_never_had() {
    let browser = course();
    until(&browser, "the element", "customElements.get('netsplit-lab') !== undefined");
    browser.script(
        "const c = window.c = document.createElement('netsplit-lab'); c.id = 'c';
         for (const [name, value] of Object.entries({ preset: 'four-fates', hide: '', ui: 'min',
             edit: 'none', palette: 'contrast', theme: 'dark', motion: 'calm' }))
             c.setAttribute(name, value);
         document.body.prepend(c)",
    );
    assert_eq!(come(&browser, "c.get('snapshot')")["value"]["preset"], "four-fates");
    browser.script(
        "for (const name of c.getAttributeNames()) \
        if (!['id', 'preset'].includes(name)) c.removeAttribute(name)",
    );
    assert_eq!(come(&browser, "c.ui({show: ['client.retry.attempts']})")["code"], Value::Null);
    let wrong = "return heard.filter(m => m.on === 'c' && m.type === 'error').map(m => m.message)";
    assert_eq!(browser.script(wrong), json!([]));
}

#[test]
fn a_frame_made_of_text_has_the_origin_of_its_page() {
    let browser = course();
    let script = format!(
        "return new Promise(resolve => {{
            window.said = resolve;
            const g = document.createElement('iframe');
            g.srcdoc = `<netsplit-lab preset=\"cap\"></netsplit-lab><script>
                addEventListener('netsplit:ready', ({{target}}) => target.get('snapshot')
                    .then(s => parent.said(s.preset), e => parent.said(e.code)))</script>
                <script src=\"{}embed.js\"></script>`;
            document.body.prepend(g);
        }})",
        browser.home
    );
    assert_eq!(browser.script(&script), "cap");
}

#[test]
fn only_the_page_around_is_heard() {
    let browser = course();
    let address = |query: &str| format!("'{}s/retry-storm/?embed=1&api=1' + {query}", browser.home);
    browser.script(&format!("frame('f', {})", address("'&origin=' + location.origin")));
    let ready = "document.getElementById('f').heard.some(m => m.type === 'ready')";
    until(&browser, "the frame", ready);
    // A frame beside it says `play`; messages are taken in their order.
    let sibling = "return new Promise(resolve => {
        window.said = resolve;
        const g = document.createElement('iframe');
        g.srcdoc = `<script>parent.document.getElementById('f').contentWindow
            .postMessage({netsplit: 1, type: 'play'}, '*'); parent.said(true)</script>`;
        document.body.append(g);
    })";
    assert_eq!(browser.script(sibling), true);
    let playing = || {
        let snapshot = browser.script("return ask('f', {type: 'get', what: 'snapshot'})");
        snapshot["value"]["playing"].as_bool()
    };
    assert_eq!(playing(), Some(false), "a neighbour is not the host");
    browser.script("return ask('f', {type: 'play'})");
    assert_eq!(playing(), Some(true), "the host is");
    let foreign = "document.getElementById('f').contentWindow.postMessage({type: 'pause'}, '*')";
    browser.script(foreign);
    assert_eq!(playing(), Some(true), "what is not in the envelope is nobody's business");
}

#[test]
fn without_an_origin_it_plays_and_answers_and_changes_nothing() {
    let browser = course();
    browser.script(&format!("frame('f', '{}s/retry-storm/?embed=1&api=1')", browser.home));
    let ready = "document.getElementById('f').heard.some(m => m.type === 'ready')";
    until(&browser, "the frame", ready);
    let ask = |message: &str| browser.script(&format!("return ask('f', {message})"));
    for (message, allowed) in [
        ("{type: 'hello'}", true),
        ("{type: 'seek', t: 2}", true),
        ("{type: 'get', what: 'metrics'}", true),
        ("{type: 'play'}", true),
        ("{type: 'pause'}", true),
        ("{type: 'set', path: 'people.retry.attempts', value: 1}", false),
        ("{type: 'fault', step: 'kill:api-1'}", false),
        ("{type: 'load', preset: 'cap'}", false),
        ("{type: 'export', format: 'json'}", false),
        ("{type: 'subscribe', events: ['metrics']}", false),
    ] {
        let reply = ask(message);
        assert_eq!(reply["ok"], allowed, "{message}: {reply}");
        if !allowed {
            assert_eq!(reply["error"]["code"], "refused", "{message}: {reply}");
        }
    }
    let caps = ask("{type: 'hello'}")["value"]["caps"].to_string();
    assert!(caps.contains("\"play\"") && !caps.contains("\"set\""), "{caps}");
    let said = browser.script("return document.getElementById('f').heard.map(m => m.type)");
    let said: Vec<&str> = said.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let open = ["ready", "reply", "resize"];
    assert!(said.iter().all(|kind| open.contains(kind)), "nothing is told unasked: {said:?}");
}

#[test]
fn a_host_of_another_origin_than_the_address_says_is_not_obeyed() {
    // Here the host is of the lab's own origin, so the test can look into the frame.
    let browser = Browser::open("");
    browser.find("main");
    // Pause or Play, once the message has been taken.
    let after_play = |origin: &str| {
        let put = format!(
            "document.getElementById('f')?.remove();
             const f = document.createElement('iframe');
             Object.assign(f, {{ id: 'f', width: 640, height: 400 }});
             f.src = 's/retry-storm/?embed=1&api=1&origin=' + {origin};
             document.body.prepend(f)"
        );
        browser.script(&put);
        let there =
            "document.getElementById('f').contentDocument?.querySelector('.embed button.play')";
        until(&browser, "the frame", &format!("Boolean({there})"));
        let say = "const w = document.getElementById('f').contentWindow;
            return new Promise(resolve => {
                const look = () => resolve(w.document.querySelector('button.play').textContent);
                w.addEventListener('message', () => w.requestAnimationFrame(look), { once: true });
                w.postMessage({ netsplit: 1, type: 'play' }, '*');
            })";
        browser.script(say).as_str().unwrap_or_default().to_owned()
    };
    assert!(after_play("'https://elsewhere.example'").contains("Play"));
    assert!(after_play("location.origin").contains("Pause"));
}

/// A frame of the lab's own origin, so the test can look into it: `w` is its window, and `say` says
/// something to it and comes to the reply.
fn looked_into() -> Browser {
    let browser = Browser::open("");
    browser.find("main");
    browser.script(
        "const f = document.createElement('iframe');
         Object.assign(f, { width: 640, height: 500 });
         f.src = 's/retry-storm/?embed=1&api=1&origin=' + location.origin + '/';
         document.body.prepend(f);
         window.w = f.contentWindow;
         window.heard = [];
         addEventListener('message', ({ source, data }) => source === w && heard.push(data));
         let count = 0;
         window.say = (type, fields) => new Promise(resolve => {
             const id = ++count;
             addEventListener('message', ({ source, data }) => {
                 if (source === w && data.re === id) resolve(data);
             });
             w.postMessage({ netsplit: 1, type, id, ...fields }, '*');
         })",
    );
    until(&browser, "the frame", "heard.some(m => m.type === 'ready')");
    browser
}

#[test]
fn the_address_of_a_frame_says_what_is_in_it() {
    let browser = looked_into();
    let address = || browser.script("return w.location.href").as_str().unwrap_or("").to_owned();
    let say = |message: &str| browser.script(&format!("return say({message})"));
    assert_eq!(say("'load', {state: 'z=1.77b1.LY5B'}")["ok"], false);
    until(&browser, "the notice", "w.document.querySelector('.notice [role], .notice') !== null");
    let own = "{nodes: {ann: {clients: {to: 'shop'}}, shop: {service: {workers: 3}}}}";
    let loaded = say(&format!("'load', {{scenario: {own}}}"));
    assert_eq!(loaded["value"]["t"], 0.0, "{loaded}");
    until(&browser, "no notice", "w.document.querySelector('.notice') === null");
    let now = address();
    assert!(!now.contains("retry-storm") && now.contains("embed=1&api=1&origin="), "{now}");
    until(&browser, "the frame", "w.document.querySelector('.embed .cover') !== null");
    assert_eq!(say("'load', {preset: 'double-charge', state: 'seed=7'}")["ok"], true);
    let now = address();
    assert!(now.contains("double-charge") && now.ends_with("#seed=7"), "{now}");
    assert!(now.contains("embed=1&api=1&origin="), "{now}");
}

#[test]
fn looks_change_together_and_the_cover_stays_lifted() {
    let browser = looked_into();
    let say = |message: &str| browser.script(&format!("return say({message})"));
    let root = |name: &str| {
        browser.script(&format!("return w.document.documentElement.getAttribute('data-{name}')"))
    };
    assert_eq!(say("'ui', {hide: 'title'}")["ok"], true);
    until(&browser, "the cover", "w.document.querySelector('.cover') !== null");
    say("'play'");
    until(&browser, "no cover", "w.document.querySelector('.cover') === null");
    say("'pause'");
    browser.script("w.document.querySelector('.embed').id = 'before'");
    assert_eq!(say("'ui', {theme: 'dark', hide: ['legend', 'title']}")["ok"], true);
    until(&browser, "it laid out anew", "w.document.querySelector('.embed:not(#before)') !== null");
    assert_eq!((root("theme"), root("hide")), ("dark".into(), "legend title".into()));
    assert_eq!(browser.script("return w.document.querySelector('.cover')"), Value::Null);
    assert_eq!(say("'ui', {hide: '', theme: 'light', lang: 'de'}")["ok"], false);
    assert_eq!((root("theme"), root("hide")), ("dark".into(), "legend title".into()));
}

#[test]
fn a_part_of_the_stage_and_a_node_that_is_moved_are_told() {
    let browser = looked_into();
    let say = |message: &str| browser.script(&format!("return say({message})"));
    assert_eq!(say("'load', {state: 'view=0.7,0.4,2'}")["ok"], true);
    let url = say("'get', {what: 'url'}");
    assert!(url["value"].as_str().is_some_and(|url| url.contains("view=0.7,0.4,2")), "{url}");
    browser.script(
        "const node = w.document.querySelector('g.node'); node.focus();
         const press = { code: 'ArrowRight', key: 'ArrowRight', shiftKey: true, bubbles: true };
         node.dispatchEvent(new w.KeyboardEvent('keydown', press));
         node.dispatchEvent(new w.KeyboardEvent('keyup', press))",
    );
    let told = "heard.some(m => m.type === 'change' && m.by === 'user' &&
        m.url.includes('view.moved.') && Object.keys(m.overrides).some(k => k.includes('moved')))";
    until(&browser, "the move", told);
    let moved = &say("'get', {what: 'scenario'}")["value"]["view"]["moved"];
    assert_eq!(moved.as_object().map(serde_json::Map::len), Some(1), "{moved}");
}
