package kpi

import (
	"math/bits"

	"github.com/zeebo/xxh3"
)

// HeldOut reports whether a user is in a share, in millionths, of those of whom no webhook
// is told: whether the 64 bits of xxh3 of "holdout", a zero byte and the id, as a fraction
// of 2^64 in millionths, are below it. No key goes into it, so that it is the same after
// every rebuild, and whoever is in a share is in a larger one.
func HeldOut(id string, share int) bool {
	place, _ := bits.Mul64(xxh3.HashString("holdout\x00"+id), 1e6)
	return place < uint64(share)
}

// Holdouts are the texts of HoldoutField: of users who are told of, and of those in the
// holdout.
var Holdouts = []string{"no", "yes"}
