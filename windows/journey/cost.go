package journey

import (
	"unsafe"

	"github.com/tidewatch/tidewatch/internal/hashmap"
)

// What a Book has in memory, in bytes.
const (
	// LeastUserBytes and MostUserBytes are those of a user with any items, or rows that
	// are not sealed: what leads to the user takes more room when it has just grown.
	LeastUserBytes = userBytes + hashmap.LeastBytes
	MostUserBytes  = userBytes + hashmap.MostBytes
	// ItemBytes are those of an item. What changed since the sealed slices is there twice.
	ItemBytes = int(unsafe.Sizeof(Item{}))
	// RowBytes are those of a row that is not sealed, TailBytes of its key and numbers if
	// it has any.
	RowBytes  = int(unsafe.Sizeof(entry{}))
	TailBytes = int(unsafe.Sizeof(Row{}.Key) + unsafe.Sizeof(Row{}.Numbers))

	userBytes = int(unsafe.Sizeof(user{}))
)
