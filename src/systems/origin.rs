//! Where what an undo brings back comes from, where that is not the capture: a snapshot, an image, a backup. How old that is
//! decides what is lost although the thing is back.

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The thing that comes back from it, as steps name it.
    pub target: String,
    /// What it is: `snapshot snap-1`, or what is known of it where nothing was kept.
    pub from: String,
    /// When it was made, nanoseconds since 1970; `None` where nothing of the data was kept, or that is not known.
    pub at_ns: Option<i64>,
}
