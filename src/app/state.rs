//! What the parts of the page share: the run on screen and how it is being looked at.
//!
//! The run itself is not reactive. It lives in a stored value; the animation loop advances it,
//! fills one [`Frame`] and ticks [`Lab::frame_number`]. The stage follows that signal, panels
//! follow the slower [`Lab::slow_tick`].

use crate::app::chrome;
use crate::app::driver::Driver;
use crate::app::stage::lens::Lens;
use crate::app::time::own_speed;
use crate::app::trouble;
use crate::base::diagnostics::Diagnostics;
use crate::base::id::{LinkId, NodeId};
use crate::observe::frame::Frame;
use crate::scenario::v1::Scenario;
use crate::session::Session;
use crate::session::command::Command;
use crate::session::deed::{Since, Way};
use crate::session::moved::Shift;
use crate::session::share::LinkOptions;
use leptos::prelude::*;
use serde_json::Value;

/// What a person has picked out; the inspector explains it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Nothing.
    #[default]
    None,
    /// A node.
    Node(NodeId),
    /// A link, in one direction.
    Link(LinkId),
    /// A message in flight or ended, by its number.
    Packet(u64),
    /// One thing a client wanted, by its number.
    Intent(u64),
}

/// What a click on the stage does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Select; a click on a link cuts or heals it.
    #[default]
    Select,
    /// Cut or heal a link.
    Cut,
    /// Make a node or a link slow.
    Slow,
    /// Divide the nodes into two sides.
    Partition,
    /// Crash or restart a node.
    Crash,
}

/// What is said of a change that a run cannot take on its way.
const FROM_START: &str = "This changed the run from its beginning: you see another run at the same \
    instant. Undo takes it back.";

/// Colours of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// How far nodes were moved by hand, by name.
pub type Moves = Vec<(String, Shift)>;

/// Which page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The list of presets.
    #[default]
    Gallery,
    /// A run, with everything around it.
    Lab,
    /// A run inside another page.
    Embed,
}

/// A handle to everything shared. `Copy`, so every closure can take it; get it with
/// `expect_context::<Lab>()`.
#[derive(Clone, Copy)]
pub struct Lab {
    session: StoredValue<Session, LocalStorage>,
    frame: StoredValue<Frame, LocalStorage>,
    pub(super) driver: StoredValue<Driver, LocalStorage>,
    /// Ticks once for every picture: follow it from the stage only.
    pub frame_number: RwSignal<u64>,
    /// Ticks at most ten times a second, and at once after a command or a jump: for panels.
    pub slow_tick: RwSignal<u64>,
    /// Ticks when another scenario was opened or its parameters changed.
    pub opened: RwSignal<u64>,
    /// Ticks when a person changed the run; the address follows.
    pub changed: RwSignal<u64>,
    /// Whether a hand has chosen what part of the stage is seen, and not a link.
    pub looked: RwSignal<bool>,
    /// Which page is shown.
    pub place: RwSignal<Place>,
    /// The preset on screen, if the run started from one.
    pub preset: RwSignal<Option<String>>,
    /// What is picked out.
    pub selected: RwSignal<Selection>,
    /// Whether time passes.
    pub playing: RwSignal<bool>,
    /// Simulated seconds per second.
    pub speed: RwSignal<f64>,
    /// Where the run is on its way to, in seconds, when that takes a while; infinite for the next
    /// event.
    pub going: RwSignal<Option<f64>>,
    /// How much of that speed this machine reaches, 1 when all of it.
    pub pace: RwSignal<f64>,
    /// Colours of the page.
    pub theme: RwSignal<Theme>,
    /// True for no travelling dots: numbers and steps instead.
    pub calm: RwSignal<bool>,
    /// What a click on the stage does.
    pub tool: RwSignal<Tool>,
    /// The nodes picked for the other side of a partition in the making.
    pub picked: RwSignal<Vec<NodeId>>,
    /// What was wrong with the last link, command or number; shown until dismissed.
    pub problems: RwSignal<Diagnostics>,
    /// The last link, when nothing of it could be read: it can be copied as it came.
    pub broken: RwSignal<Option<String>>,
    /// What there is to know about what was just done; shown until the next thing is done.
    pub told: RwSignal<&'static str>,
    /// Whether the first thing to be shown is still being fetched.
    pub waiting: RwSignal<bool>,
    /// The latest sentence for people who cannot see the stage.
    pub announced: RwSignal<String>,
    /// Whether the share dialog is open.
    pub sharing: RwSignal<bool>,
    /// Whether the sheet of keys is open.
    pub help: RwSignal<bool>,
    /// Whether the commands by name are open.
    pub commands: RwSignal<bool>,
    /// Whether charts are shown as tables.
    pub tables: RwSignal<bool>,
    /// The answer that a person expects to the question of the story, by its number.
    pub bet: RwSignal<Option<usize>>,
    /// How far nodes were moved by hand, by name; ahead of the run while one is being moved.
    pub moved: RwSignal<Moves>,
    /// The middle of what is seen of the stage, see [`Lab::lens`].
    pub(super) middle: RwSignal<(f64, f64)>,
    /// How much that is enlarged.
    pub(super) zoom: RwSignal<f64>,
    /// Whether the outline, the stage as a table, is open.
    pub outline: RwSignal<bool>,
}

impl Lab {
    /// A lab around a run.
    pub fn new(session: Session) -> Lab {
        let mut frame = Frame::default();
        session.frame(&mut frame);
        Lab {
            session: StoredValue::new_local(session.in_steps()),
            frame: StoredValue::new_local(frame),
            driver: StoredValue::new_local(Driver::default()),
            frame_number: RwSignal::new(0),
            slow_tick: RwSignal::new(0),
            opened: RwSignal::new(0),
            changed: RwSignal::new(0),
            looked: RwSignal::new(false),
            place: RwSignal::default(),
            preset: RwSignal::default(),
            selected: RwSignal::default(),
            playing: RwSignal::new(false),
            speed: RwSignal::new(1.0),
            going: RwSignal::new(None),
            pace: RwSignal::new(1.0),
            theme: RwSignal::default(),
            calm: RwSignal::new(false),
            tool: RwSignal::default(),
            picked: RwSignal::default(),
            problems: RwSignal::default(),
            broken: RwSignal::default(),
            told: RwSignal::default(),
            waiting: RwSignal::new(false),
            announced: RwSignal::default(),
            sharing: RwSignal::new(false),
            help: RwSignal::new(false),
            commands: RwSignal::new(false),
            tables: RwSignal::new(false),
            bet: RwSignal::new(None),
            moved: RwSignal::default(),
            middle: RwSignal::new(Lens::default().middle),
            zoom: RwSignal::new(1.0),
            outline: RwSignal::new(false),
        }
    }

    /// Looks at the run. Not reactive: follow a tick first.
    pub fn with_session<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        self.session.with_value(look)
    }

    /// Looks at the picture of this instant. Not reactive: follow a tick first.
    pub fn with_frame<R>(&self, look: impl FnOnce(&Frame) -> R) -> R {
        self.frame.with_value(look)
    }

    /// Changes the run without telling anyone; the animation loop's own.
    pub(super) fn update_session<R>(&self, change: impl FnOnce(&mut Session) -> R) -> Option<R> {
        self.session.try_update_value(change)
    }

    /// Puts another run on screen.
    pub fn open(&self, session: Session) {
        self.playing.set(false);
        self.selected.set(Selection::None);
        self.tool.set(Tool::Select);
        self.told.set("");
        self.bet.set(None);
        self.moved.set(session.moved().to_vec());
        self.show_part(Lens::default());
        self.looked.set(false);
        self.speed.set(own_speed(session.scenario()));
        self.session.set_value(session.in_steps());
        self.driver.update_value(Driver::forget);
        self.going.set(None);
        self.opened.update(|n| *n += 1);
        self.refresh();
    }

    /// Does what a person asked for, now; in the past it forks. What is wrong with it is shown.
    pub fn command(&self, command: Command) -> bool {
        self.deed(vec![command])
    }

    /// The same of several things that are one to the person: one undo takes them back.
    pub fn deed(&self, commands: Vec<Command>) -> bool {
        if chrome::may(&commands) { self.order(commands) } else { self.refuse() }
    }

    /// Says that the address does not let a reader do that.
    pub fn refuse(&self) -> bool {
        self.told.set(chrome::LOCKED);
        false
    }

    /// Takes a tool, if a reader may use it.
    pub fn take(&self, tool: Tool) {
        if tool == Tool::Select || chrome::may_break() {
            self.tool.set(tool);
        } else {
            self.refuse();
        }
    }

    /// Does it whatever a reader may do: who has put the run into a page may do everything.
    pub fn order(&self, commands: Vec<Command>) -> bool {
        self.told.set("");
        // Should doing it break the page, this is what reproduces it.
        trouble::reproduce_with(self.with_session(|s| s.link_with(&commands)));
        let done = self.update_session(|s| s.deed(commands));
        let fine = match done {
            Some(Ok(Since::Now)) => true,
            Some(Ok(Since::Beginning)) => {
                self.told.set(FROM_START);
                true
            }
            Some(Err(problems)) => {
                self.problems.set(problems);
                false
            }
            None => false,
        };
        self.after_change();
        fine
    }

    /// Takes the last deed back, if a reader may.
    pub fn undo(&self) {
        self.go_as_reader(Way::Undo);
    }

    /// Does the deed again that was taken back, if a reader may.
    pub fn do_again(&self) {
        self.go_as_reader(Way::Redo);
    }

    /// Goes over to a future that was left for this one, if a reader may.
    pub fn switch(&self, branch: usize) {
        self.go_as_reader(Way::Branch(branch));
    }

    /// Takes the last deed back, whoever did it and whatever a reader may.
    pub fn take_back(&self) {
        self.go(Way::Undo);
    }

    /// Does the deed again that was taken back, whatever a reader may.
    pub fn redo(&self) {
        self.go(Way::Redo);
    }

    /// A reader may go a way as far as he may do what it changes.
    fn go_as_reader(&self, way: Way) {
        let mends = || chrome::may_break() && self.with_session(|s| s.is_of_faults(way));
        if chrome::may_set() || mends() {
            self.go(way);
        } else {
            self.refuse();
        }
    }

    fn go(&self, way: Way) {
        if self.update_session(|s| s.go(way)) == Some(true) {
            self.told.set("");
            self.after_change();
        }
    }

    /// Begins again with another scenario and these settings; true if they make sense.
    pub fn begin_with(&self, scenario: Scenario, settings: Vec<(String, Value)>) -> bool {
        if !chrome::may_set() {
            return self.refuse();
        }
        self.told.set("");
        self.playing.set(false);
        self.driver.update_value(Driver::forget);
        let begun = self.update_session(|s| s.begin_with(scenario, settings));
        let fine = matches!(begun, Some(Ok(())));
        if let Some(Err(problems)) = begun {
            self.problems.set(problems);
        }
        self.after_change();
        fine
    }

    /// The run, or what it is compared with, is another now.
    pub(super) fn after_change(&self) {
        self.driver.update_value(Driver::forget_way);
        self.going.set(None);
        self.moved.set(self.with_session(|s| s.moved().to_vec()));
        self.opened.update(|n| *n += 1);
        self.changed.update(|n| *n += 1);
        trouble::reproduce_with(self.with_session(|s| s.link(LinkOptions::default())));
        self.refresh();
    }

    /// Draws a new picture at the next animation frame.
    pub fn refresh(&self) {
        self.driver.update_value(Driver::wake);
    }

    /// Refills the picture and ticks the signals; the animation loop's own.
    pub(super) fn publish(&self, slow: bool) {
        self.frame.update_value(|frame| self.session.with_value(|s| s.frame(frame)));
        self.frame_number.update(|n| *n += 1);
        if slow {
            self.slow_tick.update(|n| *n += 1);
        }
    }

    /// The number of the node with this place in the frame, for selections made by list.
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.with_frame(|f| f.nodes.iter().find(|n| n.name == name).map(|n| n.id))
    }

    /// The name of a node.
    pub fn node_name(&self, id: NodeId) -> String {
        self.with_frame(|f| f.nodes.get(id.index()).map(|n| n.name.clone())).unwrap_or_default()
    }

    /// Where a link comes from and where it goes.
    pub fn link_ends(&self, id: LinkId) -> Option<(NodeId, NodeId)> {
        self.with_frame(|f| f.links.get(id.index()).map(|l| (l.source, l.target)))
    }

    /// Whether there is a link from one node to another.
    pub fn link_known(&self, source: NodeId, target: NodeId) -> bool {
        self.with_frame(|f| f.links.iter().any(|l| l.source == source && l.target == target))
    }
}
