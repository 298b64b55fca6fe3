// Package alerts turns the live windows into pages: rules are evaluated at
// every close of a slice, alerts change their state in event time, and what
// changed is delivered to webhooks.
//
//	rule files ─► RuleFile ─┐
//	live windows ─► View ───┴─► Engine ─► Notification ─► Deliverer ─► webhooks
//	                              │ State, in the epoch      │ Outbox, synced
//
// What holds:
//
//  1. The Engine has no clock and does no I/O. Its decisions are a function of
//     the rules, its state and the calls of Evaluate, so a replay repeats them
//     with the same notification ids.
//  2. A restart or an edited rule file neither pages again nor forgets a
//     resolve: an alert is known by its group, its rule's name and its series,
//     and keeps the labels under which it was sent until it is resolved. The
//     alerts of rules that are gone resolve.
//  3. A notification is in the outbox before Deliverer.Notify returns, and
//     stays there until it is delivered or superseded. What has been delivered
//     is remembered until an epoch covers it, so a crash in between sends
//     nothing twice. A receiver that answers and dies at that moment can get a
//     notification again: with the same id.
//  4. A receiver gets the states of one alert in their order; of those that
//     waited for an outage to end it gets the last.
package alerts
