//! Everything that follows a run event by event, in one hand: numbers, log, lives of intents.

use super::cast::Cast;
use super::event::{Event, is_silent};
use super::explain::explain;
use super::ledger::Ledger;
use super::line::{Line, Story};
use super::log::Log;
use super::metrics::Metrics;
use super::scene::Scene;
use crate::base::time::Span;
use crate::protocol::Role;
use crate::sim::trace::Record;
use crate::sim::world::World;
use std::sync::Arc;

/// What is known of a run so far. Cloning it is part of a snapshot and shares what is old.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Numbers.
    pub metrics: Metrics,
    /// Sentences.
    pub log: Log,
    /// What became of each intent.
    pub ledger: Ledger,
    /// Names and settings in words.
    pub scene: Arc<Scene>,
    last: Option<(Event, Option<Arc<str>>)>,
}

impl Watch {
    /// Of a world that has not begun; `bin` is the width of a bin of the series in the beginning.
    pub fn new(cast: &Cast, world: &World<Role>, bin: Span) -> Watch {
        Watch {
            metrics: Metrics::new(cast, world, bin),
            log: Log::default(),
            ledger: Ledger::default(),
            scene: Arc::new(Scene::new(cast, world)),
            last: None,
        }
    }

    /// Settings have changed: sentences speak of the new ones.
    pub fn configured(&mut self, world: &World<Role>) {
        self.scene = Arc::new(Scene::new(&self.scene.cast, world));
    }

    /// Takes one record in. `said` is the fault in words, where the record is one. True if a person
    /// would notice it.
    pub fn fold(&mut self, record: &Record<Role>, said: Option<&str>) -> bool {
        let times = self.metrics.fold(record);
        if is_silent(&record.what) {
            return false;
        }
        let Some(event) = Event::of(record, times) else { return false };
        self.ledger.fold(&event);
        let noticed = self.log.fold(&event, said);
        if noticed {
            self.last = Some((event, said.map(Arc::from)));
        }
        noticed
    }

    /// The last thing that a person would have noticed: the log may only have counted it.
    pub fn noticed(&self) -> Option<Line> {
        let (event, said) = self.last.as_ref()?;
        Some(explain(event, &self.scene, said.as_deref()))
    }

    /// Looks at the world at the end of a bin, see [`Metrics::next_close`].
    pub fn close(&mut self, world: &World<Role>) {
        self.metrics.close(world);
        self.log.flush(world.shared.now);
    }

    /// The sentence for any record, noticed or not; none for timers and disk writes.
    pub fn explain(&self, record: &Record<Role>, said: Option<&str>) -> Option<Line> {
        Event::of(record, 0).map(|event| explain(&event, &self.scene, said))
    }

    /// The newest lines of the log, the newest first.
    pub fn lines(&self, newest: usize) -> Vec<Line> {
        self.log.lines(newest, &self.scene)
    }

    /// The life of an intent; none if it is not remembered.
    pub fn story(&self, intent: u64) -> Option<Story> {
        self.ledger.story(intent, &self.scene)
    }

    /// The story of a message that was lost.
    pub fn lost_story(&self, packet: u64) -> Option<Story> {
        self.ledger.lost_story(packet, &self.scene)
    }

    /// Intents worth asking about, the latest first.
    pub fn notable(&self) -> Vec<(u64, Line)> {
        self.ledger.notable(&self.scene)
    }
}
