package look

import (
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
)

func TestTargets(t *testing.T) {
	level := func(v float64) *float64 { return &v }
	for _, tt := range []struct {
		name    string
		targets *kpi.Targets
		colors  string
		better  string
	}{
		{"none", nil, "blue", "said"},
		{"higher is better", &kpi.Targets{Good: level(2), Bad: level(1)}, "red orange green", "higher"},
		{"lower is better", &kpi.Targets{Good: level(1), Bad: level(2)}, "green orange red", "lower"},
		{"good alone", &kpi.Targets{Good: level(1)}, "orange green", "higher"},
		{"bad alone", &kpi.Targets{Bad: level(1)}, "red green", "higher"},
	} {
		var colors []string
		for _, s := range Targets(tt.targets, 1).Steps {
			colors = append(colors, s.Color)
		}
		if got := strings.Join(colors, " "); got != tt.colors || Better(tt.targets, "said") != tt.better {
			t.Errorf("%s: %s, better %s; want %s, %s", tt.name, got, Better(tt.targets, "said"), tt.colors, tt.better)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{English.Field("channel"), "Channel"},
		{Chinese.Field("channel"), "渠道"},
		{Chinese.Field("vertical"), "vertical"},
		{Chinese.Value("state", "dormant"), "沉睡"},
		{English.Value("channel", "dormant"), "dormant"},
		{Language("").Of(kpi.Text{EN: "Plays", ZH: "播放量"}), "Plays"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
