// Package alerts judges the live windows: rules are evaluated at every close of
// a slice, alerts change their state in event time, and what people are to know
// comes out as notifications. Package delivery brings these to their receivers.
//
//	rule files ─► RuleFile ─┐
//	live windows ─► View ───┴─► Engine ─► Notification ─► delivery
//	                              │ State, in the epoch
//
// What holds:
//
//  1. The Engine decides by no clock and does no I/O. Its decisions are a
//     function of the rules, its state and the calls of Evaluate, so a replay
//     repeats them with the same notification ids. On its one clock, Patience,
//     depends what annotations say, and nothing else.
//  2. A restart or an edited rule file neither pages again nor forgets a
//     resolve: an alert is known by its group, its rule's name and its series,
//     and keeps the labels under which it was sent until it is resolved. The
//     alerts of rules that are gone resolve.
package alerts
