package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tidewatch/tidewatch/stream"
)

// Identity is a hash of what the plan computes: states of equal identity can be
// exchanged. Pages name sets, columns and labels by their places, which follow
// from the catalogue; whoever changes how they follow changes their format.
func (p *Plan) Identity(t stream.Timing, format int) string {
	h := sha256.New()
	fmt.Fprintf(h, "format %d\ndisorder %d\nlateness %d\ndedup_window %d\n",
		format, t.Disorder.Milliseconds(), t.Lateness.Milliseconds(), t.DedupWindow.Milliseconds())
	h.Write(p.Catalogue.Meaning())
	return hex.EncodeToString(h.Sum(nil)[:16])
}
