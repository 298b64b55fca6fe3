package journey

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

func attributed(t testing.TB, once bool) *Attribution {
	return NewAttribution(&kpi.Attribution{
		Click: kpi.Touch{Within: 10 * time.Second}, View: &kpi.Touch{Within: 4 * time.Second}, Once: once,
	}, zone(t))
}

// TestTouches: which touch a conversion goes to, and what comes of the touch.
func TestTouches(t *testing.T) {
	const none = -1
	for _, tt := range []struct {
		name string
		once bool
		rows string  // one a second: c(lick), v(iew), p(ay), an instant is joined by +
		want []int64 // by conversion the time since the touch, in seconds
	}{
		{"a click beats a later view", false, "cvp", []int64{2}},
		{"the last click of several", false, "ccp", []int64{1}},
		{"a view where there is no click", false, "vvp", []int64{1}},
		{"a click just within", false, "c........p", []int64{9}},
		{"a click just too long ago", false, "c.........p", []int64{none}},
		{"a view where the click is too long ago", false, "c......v..p", []int64{3}},
		{"a view just too long ago", false, "v...p", []int64{none}},
		{"a click of the same instant", false, "c+p", []int64{0}},
		{"a click behind it in the same instant", false, "p+c", []int64{none}},
		{"every conversion", false, "cpp", []int64{1, 2}},
		{"one conversion of a touch", true, "cpp", []int64{1, none}},
		{"not that of the view instead", true, "vcpp", []int64{1, none}},
		{"a touch for each", true, "cpcp", []int64{1, 1}},
	} {
		b, at := NewBook(attributed(t, tt.once)), int64(start*1000)
		for i, c := range tt.rows {
			if i > 0 && c != '+' && tt.rows[i-1] != '+' {
				at += 1000
			}
			switch c {
			case 'c':
				b.Add(0, &Row{Time: at, Numbers: NoNumbers, Kind: Clicking})
			case 'v':
				b.Add(0, &Row{Time: at, Numbers: NoNumbers, Kind: Viewing})
			case 'p':
				b.Add(0, &Row{Time: at, Numbers: NoNumbers, Kind: Converting})
			}
		}
		b.Close(start + 60)
		if _, is := b.rules.(*Attribution).Last(b.Before(0, start+60), (start+60)*1000); is {
			t.Errorf("%s: a touch counts after a minute", tt.name)
		}
		var got []int64
		for _, f := range b.TakeFacts() {
			switch f.Kind {
			case conversion:
				got = append(got, f.Numbers[1]/1000/kpi.Scale)
			case unattributed:
				got = append(got, none)
			}
		}
		if len(got) != len(tt.want) {
			t.Fatalf("%s: %d, want %d", tt.name, got, tt.want)
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
			}
		}
	}
}

// TestJoined: what is of an order of which nothing was attributed is told by nobody, and
// what is of a forgotten one is another conversion.
func TestJoined(t *testing.T) {
	b := NewBook(attributed(t, false))
	add := func(at int64, kind uint8, key uint64) {
		b.Add(0, &Row{Time: start*1000 + at, Key: key, Numbers: NoNumbers, Kind: kind})
	}
	add(0, Converting, 9001) // unattributed
	add(1, Clicking, 0)
	add(2, Converting, 9001)
	add(3, Refunding, 9001)
	add(4, Refunding, 9002) // of none that is known
	for key := range uint64(kpi.MaxOrders) {
		add(5, Converting, key+1)
	}
	add(6, Converting, 9001) // forgotten, and forgets 1
	add(7, Converting, 2)
	add(8, Refunding, 1)
	add(9, Refunding, 3)
	b.Close(start + 1)
	n := map[uint8]int64{}
	for _, f := range b.TakeFacts() {
		n[f.Kind] += f.N
	}
	if n[unattributed] != 1 || n[conversion] != kpi.MaxOrders+1 || n[touched] != n[conversion] || n[touchPayment] != kpi.MaxOrders+2 || n[touchRefund] != 1 {
		t.Errorf("told %v", n)
	}
}

// TestTouchesAreReplaced: a click in the place of the last one takes no memory.
func TestTouchesAreReplaced(t *testing.T) {
	rules, r := attributed(t, false), &Row{Time: start * 1000, Numbers: NoNumbers}
	tell := func(Fact, int64) { t.Error("told something") }
	var items []Item
	both := func() {
		for _, kind := range []uint8{Viewing, Clicking} {
			r.Time, r.Kind = r.Time+1, kind
			items = take(rules, items, r, tell)
		}
	}
	if n := testing.AllocsPerRun(100, both); n > 0 || len(items) != 2 {
		t.Errorf("%g allocations, %d items", n, len(items))
	}
}

// TestLastTouch: what is said of a user is what a conversion would go to.
func TestLastTouch(t *testing.T) {
	for _, tt := range []struct {
		once bool
		rows string // as above
		kind string
		ago  int64 // seconds
	}{
		{false, "cv", "click", 2},
		{false, "ccv", "click", 2},
		{false, "v", "view", 1},
		{false, "c........", "click", 9},
		{false, "c.........", "", 0},
		{false, "cp", "click", 2},
		{true, "cp", "", 0},
		{true, "cpv", "", 0},
		{false, "p", "", 0},
	} {
		rules := attributed(t, tt.once)
		b := NewBook(rules)
		kinds := map[rune]uint8{'c': Clicking, 'v': Viewing, 'p': Converting}
		head := int64(start)
		for _, c := range tt.rows {
			if kind, is := kinds[c]; is {
				b.Add(0, &Row{Time: head * 1000, Numbers: NoNumbers, Kind: kind, Key: 1})
			}
			head++
		}
		b.Close(head)
		got, is := rules.Last(b.Before(0, head), head*1000)
		if got.Kind != tt.kind || is && head*1000-got.At != tt.ago*1000 {
			t.Errorf("%s: %+v, want a %s %d s ago", tt.rows, got, tt.kind, tt.ago)
		}
	}
}
