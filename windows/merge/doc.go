// Package merge puts the partitions' steps together into windows: live ones, kept
// ones that late events may still restate, and sealed ones, which it hands out as
// blocks of history.
//
// What is kept of one target is an aggregate: sums by a dimension set, distinct
// users by one, or the revisions by a dimension set. The Merger moves time
// on and treats all alike; it knows none of them by name. An aggregate holds its
// windows twice over: live, of the slices that are closed, and final, of those that
// are sealed. Closed windows in between are the final numbers plus what closed since.
//
//   - A crossing first corrects what is closed and counts the revisions of what that
//     touched, then closes slice by slice. At every head at which a value may have
//     changed the merger yields a Close.
//   - The live part of an aggregate can be shared: a Live is such a share and does
//     not change any more (tables are copied on write). A preview of what is not
//     closed is a share on which the same advance and close run.
//   - Questions about windows that are over are looked up first, which copies what
//     is in memory, and answered from history behind that, without the merger.
//
// One goroutine writes a Merger; Lookup needs a lock that its owner provides.
// A Live and a Lookup are anybody's.
package merge
