// Package stream turns messages of a lane into batches of verdicts and columns.
//
// A [Raw] message holds events as JSON: one object, one a line (NDJSON), or an
// array. A [Decoder] frames it, checks every event against the rules below and
// appends its rows to the columns of a [Batch]. A sequencer then fixes each
// row's [Verdict] and the [Ledger] counts it. The package knows no broker.
//
// # Event
//
//   - id, time, type, and user_id or anonymous_id are required (the types
//     ad_cost and settle need no user; user_id wins). Ids are strings or
//     integers: 123 and "123" are the same.
//   - time is RFC 3339 or integer epoch milliseconds, from 1973 to 2105.
//   - Every other key, at the top level or in props, is a field. The top level
//     wins over props, the last of equal keys over those before it, and null is
//     as good as absent.
//   - Fields that the product gives a meaning to have a type (see the table of
//     package kpi); others take what comes.
//
// # Guarantees
//
//  1. A row per event: what cannot be read is a quarantined row with a
//     [Reason], never a dropped one. A message that cannot be framed or
//     decompressed is one row.
//  2. Decoding is a function of the message, the schema and the hash key: it
//     depends on no message before it.
//  3. An event passes exactly if it is valid JSON in the eyes of encoding/json,
//     valid UTF-8, nested at most 100 deep, and keeps the rules above.
//  4. In steady state decoding allocates nothing.
package stream
