// Package state keeps what must survive: epochs (the engine's state together
// with the stream position it belongs to), the history of samples, and the
// notifications that are owed. It is the only importer of Badger.
//
// What it guarantees:
//
//  1. An epoch is all or nothing. After a crash at any point the newest epoch
//     whose every page verifies is found, else the one before.
//  2. Nothing that the last two epochs name is ever overwritten, and pages are
//     synced before the manifest that names them is written.
//  3. Epoch numbers only grow; one that was tried is never used again.
//  4. The cost of an epoch follows what changed, the size of the directory
//     what is live: every key is one of a fixed set and is reused.
//  5. History expires as the watermark goes on: a block takes the place of the
//     one a retention ago.
//  6. Lost is not empty: an epoch names the blocks that history must hold, the
//     outbox its entries, and history bears witness that there are epochs.
//
// The format on disk is in FORMAT.md.
package state
