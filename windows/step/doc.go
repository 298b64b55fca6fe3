// Package step is what a partition tells the merger.
//
// At every crossing a partition answers with a Step: all that changed since the
// crossing before, as (target, time, group, column, n). What was added up slice
// by slice comes as Tables, one for each slice and sum set; what depends on what
// users did before (distinct users) comes as single Deltas. Both
// say when they count from: a table of slice s from head s+1 on, a delta from its
// head on. What is of a head that was closed already is a correction, whatever
// it is of.
//
// Who was active on a day that is sealed comes as a Roster for each label.
//
// A Step names groups as its process numbers them. Its wire form (Append, Read)
// names them by their labels, so that another process can take it in.
package step
