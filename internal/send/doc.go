// Package send reads files of events and hands them to a service.
//
// A file holds NDJSON, or CSV that a [Map] reads as events; either may be
// compressed with gzip. Several files are merged by event time. Events leave in
// batches over HTTP, or straight into the stream over NATS.
//
// What holds, whatever goes wrong on the way:
//
//  1. Events leave in the order in which they are read; a batch is answered
//     before the next one leaves.
//  2. A batch that was not answered is sent again. The service knows its events
//     by their ids, so they count once.
//  3. A mapped event's id is made of its fields and of how often these fields
//     came before in the same file. So a file that is sent twice counts once,
//     and equal rows of one file count as often as they occur.
//  4. Lines that are no events are sent like the others: the service's ledger
//     accounts for them.
package send
