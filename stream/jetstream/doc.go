// Package jetstream is the broker of the event stream: it embeds a NATS
// JetStream server, or joins a cluster, reads the stream EVENTS in order and
// publishes to it.
//
// What a caller may rely on:
//
//  1. An answered Append, Tick or Publish is synced: the server syncs every
//     write before it acknowledges it, and every acknowledgement is checked.
//  2. A Source returns consecutive sequences. Whatever breaks the row, be it a
//     purge, a deleted message, a lost tail or a stream made anew, is a
//     *GapError, never a silent skip. It is checked at the start, at every
//     message, and anew after every reconnect.
//  3. Unread events are never dropped: a full stream refuses new ones with
//     ErrFull, a full disk with ErrNoRoom, and only Purge removes old ones.
//  4. A start removes no stream: files that cannot be opened refuse it before the
//     server sees them, and what the server removes of a stream that it cannot
//     open is put back. Bytes that do not verify it cuts off, see Dropped.
//
// After a lost tail JetStream gives the same sequences to other messages
// without an error. A reader that starts at a stored position therefore
// compares Info.Created and the Fingerprint of the message before it.
package jetstream
