// Package delivery brings notifications to the webhooks of an Alertmanager file.
//
//	Notification ─► Deliverer ─► sender, one a webhook ─► HTTP
//	                   │ Outbox, synced
//
// What holds:
//
//  1. A notification is in the outbox before Deliverer.Notify returns, and
//     stays there until it is delivered, superseded, or a week old.
//  2. What has been delivered is remembered until an epoch covers it, so a crash
//     in between sends nothing twice. A receiver that answers and dies at that
//     moment can get a notification again: with the same id.
//  3. A receiver gets the states of one alert in their order; of those that
//     waited for an outage to end it gets the last.
//  4. Nobody who asks how things stand waits for the outbox or the network.
//  5. Of an address no more than its host is told, to anybody, and of what a
//     request carried nothing.
package delivery
