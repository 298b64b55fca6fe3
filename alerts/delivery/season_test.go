package delivery

import (
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestSeasons: routes are muted on exactly the days of the seasons that they name, by the
// clock of the catalogue's zone, unless the file has an interval of that name.
func TestSeasons(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	c, err := kpi.Load(zone, kpi.File{Name: "x.yaml", Data: []byte(`
seasons:
  - {name: turn, title: {en: Turn, zh: 跨年}, days: ["12-30..01-02", "2026-07-30..2026-09-02"]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	const file = `
route: {receiver: a, routes: [{receiver: a, mute_time_intervals: ["618", turn, spring_festival, 1111]}]}
receivers: [{name: a, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]
time_intervals: [{name: "1111", time_intervals: [{months: [may]}]}]
`
	rs, err := LoadReceivers("am.yml", []byte(file), SeasonsOf(c)...)
	if err != nil {
		t.Fatal(err)
	}
	route := rs.Routes.Match(nil)[0]
	var muted int
	for at := time.Date(2025, 12, 1, 0, 30, 0, 0, zone); at.Year() < 2029; at = at.Add(23 * time.Hour) {
		want := ""
		day := kpi.NewCalendar(zone).Day(at.UnixMilli())
		if s := c.Season(day); s != nil && (s.Name == "618" || s.Name == "turn" || s.Name == "spring_festival") {
			want, muted = s.Name, muted+1
		} else if at.UTC().Month() == time.May {
			want = "1111"
		}
		if got := strings.Join(route.MutedBy(at), " "); got != want {
			t.Errorf("%s: muted by %q, want %q", at, got, want)
		}
	}
	if muted < 100 {
		t.Errorf("%d instants are in a season", muted)
	}
	if n := len(rs.Shown().TimeIntervals); n != 4 {
		t.Errorf("%d intervals are shown, want those that the route names", n)
	}
	const bare = `
route: {receiver: a, routes: [{receiver: a, mute_time_intervals: ["618"]}]}
receivers: [{name: a, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]
time_intervals:
`
	if _, err := LoadReceivers("am.yml", []byte(bare), SeasonsOf(c)...); err != nil {
		t.Errorf("with nothing behind time_intervals: %v", err)
	}
	misspelt := []byte(strings.Replace(file, "turn", "trun", 1))
	if _, err := LoadReceivers("am.yml", misspelt, Any); err != nil {
		t.Errorf("where it is not known which there are: %v", err)
	}
	_, err = LoadReceivers("am.yml", misspelt, SeasonsOf(c)...)
	if err == nil || !strings.Contains(err.Error(), `"trun" is no time interval of this file: did you mean turn?`) {
		t.Errorf("got %v", err)
	}
}
