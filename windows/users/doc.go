// Package users is the per-event path: partitions, each of which owns some of
// the users.
//
// A partition adds a row to the slice of its second (package step) and notes that
// its user was there. For every user there is a row in a shard that knows the
// newest slice of activity by track, a track being a set of distinct users; for
// every slice that is not sealed there are entries, chained by user from newer to
// older, that name the slice before. So a slice that closes moves each of its
// users from the slice before to this one, in a tally of live users by pane; and
// what comes late finds its neighbours on the chain and adds one user to exactly
// the windows that contain it and neither of them.
//
// Days of activity are 64 bits by user, from which churn follows.
//
// One goroutine uses a partition. What it says to others is a step.Step.
package users
