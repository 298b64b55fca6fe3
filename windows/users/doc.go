// Package users is the per-event path: partitions, each of which owns some of
// the users.
//
// A partition adds a row to the slice of its second (package step) and notes that
// its user was there. A track is a set of distinct users; the tracks of one filter
// are an audience, and who passes it is a member. A member knows the newest slice of
// activity, and with which labels that was; for every slice that is not sealed it
// has an entry, chained from newer to older, that names the slice before. So a slice
// that closes moves each of its users from the slice before to this one, in a tally
// of live users by pane; and what comes late finds its neighbours on the chain and
// adds one user to exactly the windows that contain it and neither of them.
//
// Each user has a row in a shard. It is a member of the first audience as well,
// which is most users'; of the others only who belongs to them is kept.
//
// Days of activity are 64 bits by user. What they say is facts: rows that are added up
// like events, with a weight and the business day that they are about.
//
// Who was active on a day is its roster, final once the day is sealed: the merger has it
// from then on. Users who turn out to be one are put together by who reads it.
// Who was not active for long is forgotten, and the row used again.
//
// What goes on for a while is followed by package journey; its facts are added up alike.
//
// One goroutine uses a partition. What it says to others is a step.Step.
package users
