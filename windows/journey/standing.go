package journey

// A standing is what is known of a customer's tiers beside the orders, where they have
// hysteresis. It is packed into 30 bits.
type standing struct {
	day    int32 // of the last row
	before Tiers // at the end of the day before it
	then   Tiers // by that row
}

const (
	tierBits = 7 // of all three tiers
	tierMask = 1<<tierBits - 1
)

func (s standing) pack() uint32 {
	return uint32(s.day)<<(2*tierBits) | s.before.pack()<<tierBits | s.then.pack()
}

// standingOf is that of a customer.
func standingOf(items []Item) standing {
	packed := items[len(items)-1].Rows
	return standing{int32(packed >> (2 * tierBits)), unpackTiers(packed >> tierBits & tierMask), unpackTiers(packed & tierMask)}
}

func (t Tiers) pack() uint32 {
	if t == (Tiers{}) {
		return 0
	}
	return 1 + (uint32(t.R-1)*5+uint32(t.F-1))*5 + uint32(t.M-1)
}

func unpackTiers(n uint32) Tiers {
	if n == 0 {
		return Tiers{}
	}
	n--
	return Tiers{uint8(1 + n/25), uint8(1 + n/5%5), uint8(1 + n%5)}
}

// lower is of each tier the lower one.
func (t Tiers) lower(other Tiers) Tiers {
	return Tiers{min(t.R, other.R), min(t.F, other.F), min(t.M, other.M)}
}

// held are the tiers at the end of a day by what is known of it, of who had some at the end
// of the day before: a tier is at least what the cuts give, and else what the loose ones
// leave of the one before.
func (f *RFM) held(items []Item, day int32, had Tiers) Tiers {
	t := tallyOf(items, day)
	if t.orders == 0 {
		return Tiers{}
	}
	cuts, _ := f.cutsOn(day)
	out := cuts.tiers(&t, day)
	if f.loose != nil {
		kept := had.lower(f.loose.tiers(&t, day))
		out = Tiers{max(out.R, kept.R), max(out.F, kept.F), max(out.M, kept.M)}
	}
	return out
}

// fallen are the tiers at the end of a day behind that of the last row. Meanwhile payments
// get older and orders leave: nobody rises, and no day between leaves less than the last.
func (f *RFM) fallen(items []Item, day int32, then Tiers) Tiers {
	t := tallyOf(items, day)
	if t.orders == 0 {
		return Tiers{}
	}
	return then.lower(f.loose.tiers(&t, day))
}

// heldBefore are the tiers at the end of the day before one, no earlier than that of the
// last row. It is asked before orders that count no more on the day are let go of.
func (f *RFM) heldBefore(items []Item, day int32) Tiers {
	if f.loose == nil || len(items) == 0 {
		return Tiers{}
	}
	s := standingOf(items)
	if s.day >= day {
		return s.before
	}
	return f.fallen(items, day-1, s.then)
}

// stand notes the standing by a row of a day.
func (f *RFM) stand(items []Item, day int32, had Tiers) {
	if f.loose == nil || len(items) == 0 {
		return
	}
	s := standing{day, had, f.held(items, day, had)}
	for i := range items {
		items[i].Rows = 0
	}
	items[len(items)-1].Rows = s.pack()
}
