package kpi

import (
	"fmt"
	"testing"
	"time"
)

// buyers is the embedded retention as a file redefines it.
func buyers(t *testing.T, text string) (*Catalogue, *Retention) {
	t.Helper()
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("operators: [{name: buyers, retention: " + text + "}]")})
	if err != nil {
		t.Fatal(err)
	}
	return c, c.KPI("buyer_retention_d7").From.Journey.(*Retention)
}

// What is left out of a retention has its default, and all that is said counts.
func TestRetention(t *testing.T) {
	const pay = `start: 'type == "pay"', return: 'type == "pay"'`
	seen := map[string]string{}
	for _, tt := range []struct {
		text, want string
		horizon    int
	}{
		{pay, `every start type == "pay"; return type == "pay"; by day; after [1 3 7 14 30]; `, 30},
		{pay + ", first: true", `first start type == "pay"; return type == "pay"; by day; after [1 3 7 14 30]; `, 30},
		{pay + ", after: [60, 7, 30]", `every start type == "pay"; return type == "pay"; by day; after [7 30 60]; `, 60},
		{pay + ", by: day, after: [7, 30]", `every start type == "pay"; return type == "pay"; by day; after [7 30]; `, 30},
		{pay + ", by: 24h", `every start type == "pay"; return type == "pay"; by 24h; after [1 3 7 14 30]; `, 32},
		{pay + ", by: 24h, after: [7, 30, 59]", `every start type == "pay"; return type == "pay"; by 24h; after [7 30 59]; `, 60},
		{`start: 'type == "order"', return: 'type in ["order", "pay"]', where: 'channel == "a"'`, `every start type == "order"; return type in ["order", "pay"]; by day; after [1 3 7 14 30]; channel == "a"`, 30},
	} {
		c, r := buyers(t, "{"+tt.text+"}")
		if got := r.meaning(); got != "retention("+tt.want+")" || r.Horizon() != tt.horizon || len(c.Warnings) > 0 {
			t.Errorf("%s: %s, horizon %d, %v, want %s, %d", tt.text, got, r.Horizon(), c.Warnings, tt.want, tt.horizon)
		}
		id := c.KPI("buyer_retention_d7").ID
		if seen[id] != "" {
			t.Errorf("%s and %s are both %s", tt.text, seen[id], id)
		}
		seen[id] = tt.text
	}
}

// The embedded KPIs over a retention of the user's wait for as long as it says, whatever
// other days it tells; what it does not tell it must not be asked for.
func TestRetentionOfOthers(t *testing.T) {
	for text, want := range map[string][2]int{
		`{start: 'type == "order"', return: 'type == "pay"', after: [7, 30, 60]}`:   {7, 30},
		`{start: 'type == "order"', return: 'type == "pay"', by: 24h}`:              {8, 31},
		`{start: 'type == "order"', return: 'type == "pay"', first: true, by: day}`: {7, 30},
	} {
		c, _ := buyers(t, text)
		if got := [2]int{c.KPI("buyer_retention_d7").Horizon, c.KPI("buyer_retention_d30").Horizon}; got != want {
			t.Errorf("%s: open for %v days, want %v", text, got, want)
		}
	}
	file := File{Name: "x.yaml", Data: []byte(`operators: [{name: buyers, retention: {start: 'type == "order"', return: 'type == "pay"', after: [1, 7]}}]`)}
	want := "x.yaml:1: operators[0]: buyers has no after 30, which buyer_retention_d30 asks for: add it, or drop: [buyer_retention_d30]"
	if _, err := Load(time.UTC, file); fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	file.Data = append([]byte("drop: [buyer_retention_d30]\n"), file.Data...)
	if _, err := Load(time.UTC, file); err != nil {
		t.Errorf("dropped: %v", err)
	}
}

// A where that lets no start through is hardly meant.
func TestRetentionOfNothing(t *testing.T) {
	c, _ := buyers(t, `{start: 'type == "order"', return: 'type == "pay"', where: 'type in ["pay", "play"]'}`)
	want := "[x.yaml:1: operators[0].retention.where: order is not among the types that are looked at, so there are no starts: add it to the types in where]"
	if got := fmt.Sprint(c.Warnings); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
