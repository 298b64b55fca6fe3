// Package journey follows what users do that goes on for a while: their sessions, their
// orders and plays, their way through the steps of a funnel, their coming back after a
// start, what their payments are attributed to.
//
// An operator's rules make items of a user's rows, which go on until a row or time
// ends them, and tell facts of them. A Book has the items of one operator and some
// users twice over: as of the last slice that is sealed, and as of the last one that
// is closed; between them the rows that are not sealed. A row that comes late has its
// user derived anew from what is sealed, or a mark behind that: what is told then and
// was not before is told late, and what was told and is not any more is taken back.
//
// Rows of a user go in the order of event time, those of one instant as they came, or
// by kind where the rules ask for that. An item whose time has come ends before a row of
// the same instant. So neither batches nor partitions make a difference.
package journey
