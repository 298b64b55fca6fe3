// Package delivery brings notifications to the receivers of an Alertmanager file: to their
// webhooks, to what Alertmanager's packages bring, such as mail, and to the robots of chats.
// Alertmanagers get the alerts themselves.
//
//	Notification ─► Deliverer ─► sender, one an integration ─► HTTP, SMTP
//	                   │    └──► peer, one an Alertmanager ──► HTTP
//	                   │ Outbox, synced
//
// An alert has an account: its newest state, and which integrations the routes lead
// to. For each of these it is in a group, of which a notification is queued when
// it is time for that and nothing holds it back: a silence, another alert, the
// hour. An integration's queue has one notification of a group, the newest. Accounts
// and silences are in the outbox, beside what is owed.
//
// What holds:
//
//  1. A notification is in the outbox before Deliverer.Notify returns, and
//     stays there until it is delivered, superseded, or a week old. What its receiver
//     left behind, as it is no longer configured, stays for a week, or until somebody
//     drops it. Whatever part of it a crash leaves there, what was decided comes again
//     and is told.
//  2. What has been delivered is remembered until an epoch covers it, so a crash
//     in between sends nothing twice. A receiver that answers and dies at that
//     moment can get a notification again: with the same id.
//  3. A receiver gets the states of one alert in their order; of those that
//     waited for an outage to end it gets the last. Alerts that have the same
//     labels are one to it: the end of one is superseded while another fires.
//  4. Nobody who asks how things stand waits for the outbox or the network.
//  5. Of an address no more than its host is told, to anybody, and of what a
//     request carried nothing.
//  6. An alert that fires and that a receiver does not take is told to its fallback, if it
//     has one, once.
//  7. A receiver that takes no more than so many messages gets no more. What
//     waits for that goes out together, each notification named.
//  8. A receiver that is no longer configured, and is again within a week, goes on with what
//     it was told.
//  9. What is told late of an alert that fires says how it stands by then, at every
//     attempt, with the id that it has.
package delivery
