package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tidewatch/tidewatch/stream"
)

// Identity is a hash of what the plan computes and of how its pages name it:
// states of equal identity can be exchanged. format is that of the pages.
func (p *Plan) Identity(t stream.Timing, format int) string {
	h := sha256.New()
	line := func(what string, values ...any) {
		fmt.Fprint(h, what)
		for _, v := range values {
			fmt.Fprintf(h, " %q", fmt.Sprint(v))
		}
		fmt.Fprintln(h)
	}
	line("format", format)
	line("zone", p.Catalogue.Location)
	line("timing", t.Disorder, t.Lateness, t.DedupWindow)
	for _, k := range p.Catalogue.KPIs {
		line("kpi", k.ID)
	}
	keyed := func(what string, k *Keyed) {
		line(what, k.Name, k.Hidden, k.Day, k.Budget)
		for _, f := range k.Set {
			line("by", f)
		}
		for _, l := range k.Lengths {
			line("window", l.Window)
		}
	}
	for _, s := range p.Sums {
		keyed("sums", &s.Keyed)
		line("top", s.Top)
		for _, c := range s.Columns {
			line("column", c.Key)
		}
		for _, k := range s.KPIs { // revisions are counted by their places
			line("reader", k.Name)
		}
	}
	for _, u := range p.Users {
		keyed("users", &u.Keyed)
		line("measure", u.Measure, u.Slot)
	}
	for _, c := range p.Churn.Measures {
		line("churn", c.Key)
	}
	line("churn users", p.Churn.Users)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
