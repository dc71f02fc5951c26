//! Backups, as people write them.

use crate::base::time::Span;
use crate::base::unit::Rate;

wire! {
    /// Copies a store now and then, keeps the copies, and brings them back. It reports that all is
    /// well as long as it runs.
    pub struct Backup {
        /// What it copies: the name of a store.
        of: String = String::new();
        /// When it makes the first copy.
        first: Span = Span::secs(5);
        /// How often it makes one.
        every: Span = Span::secs(10);
        /// Every n-th copy is full, the others hold what was changed since the one before.
        full_every: u32 = 1, 1 ..= 1_000;
        /// How often it fetches the log besides. With the log, a restore can stop at any instant.
        logs: Option<Span> = None;
        /// How many items a second it can copy.
        throughput: Rate = Rate(1_000_000_000);
        /// How many items a second it can bring back.
        restore_throughput: Rate = Rate(1_000_000_000);
        /// How many full copies are kept, with the others that need them.
        keep: u32 = 5, 1 ..= 1_000;
        /// Tries on a schedule whether the newest copy can be restored.
        tests: Option<Tests> = None;
        /// What goes wrong with it without a word.
        fails: Option<Fails> = None;
        /// What is to be restored, and when.
        restores: Vec<Restore> = Vec::new();
        /// What is done when no replica of the store answers any more.
        plan: Option<Plan> = None;
    }
}

wire! {
    /// A test restores the newest copy beside everything else, and looks at what comes out.
    pub struct Tests {
        /// How often.
        every: Span = Span::secs(20);
        /// How long people take to repair what it finds; none leaves it.
        repair: Option<Span> = Some(Span::secs(5));
    }
}

wire! {
    /// Something that goes wrong with backups while everything looks well.
    pub struct Fails {
        /// From when on.
        at: Span = Span::ZERO;
        /// What.
        how: How = How::Dead;
    }
}

wire! {
    /// What goes wrong with backups.
    pub enum How {
        /// The job does not run any more.
        Dead;
        /// What is written cannot be read.
        Corrupt;
        /// The key is lost: no copy can be decrypted, old ones neither.
        KeyLost;
        /// Copies are of a newer schema than the tool that is to restore them.
        Schema;
    }
}

wire! {
    /// A restore that somebody orders.
    pub struct Restore {
        /// When.
        at: Span = Span::secs(30);
        /// Into which store: the one that is copied, or another.
        into: String = String::new();
        /// As things were at that instant of the run; none is as late as possible. Between two
        /// copies only with `logs`.
        to: Option<Span> = None;
    }
}

wire! {
    /// What is done when no replica of the store answers any more.
    pub struct Plan {
        /// For so long: to see it, and to decide that it will not come back by itself.
        decision: Span = Span::secs(5);
        /// The store that takes its place. It holds nothing and serves nothing until then.
        into: String = String::new();
        /// How long it takes until its machines run.
        start_up: Span = Span::ZERO;
    }
}
