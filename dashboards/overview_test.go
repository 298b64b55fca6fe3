package dashboards

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// overview is grafana/overview.json as far as the tests read it.
type overview struct {
	SchemaVersion int `json:"schemaVersion"`
	GraphTooltip  int `json:"graphTooltip"`
	Templating    struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type variable struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Definition string `json:"definition"`
	Regex      string `json:"regex"`
}

type panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Datasource  struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	FieldConfig struct {
		Defaults struct {
			NoValue string   `json:"noValue"`
			Min     *float64 `json:"min"`
			Custom  struct {
				FillOpacity int `json:"fillOpacity"`
			} `json:"custom"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	GridPos struct{ X, Y, W, H int } `json:"gridPos"`
	Targets []struct {
		Expr   string `json:"expr"`
		Legend string `json:"legendFormat"`
	} `json:"targets"`
}

func readOverview(t *testing.T) overview {
	t.Helper()
	data, err := os.ReadFile("grafana/overview.json")
	if err != nil {
		t.Fatal(err)
	}
	var o overview
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatalf("read overview.json: %v", err)
	}
	return o
}

var reference = regexp.MustCompile(`\$\{?([A-Za-z_]\w*)`)

var dayWindow = regexp.MustCompile(`window=~?"[^"]*day`)

func TestOverview(t *testing.T) {
	o := readOverview(t)
	if o.SchemaVersion != 42 || o.GraphTooltip != 1 {
		t.Errorf("schemaVersion %d, graphTooltip %d: want 42 and a shared crosshair, 1", o.SchemaVersion, o.GraphTooltip)
	}
	known := map[string]bool{"__rate_interval": true}
	for _, v := range o.Templating.List {
		known[v.Name] = true
	}
	ids := map[int]string{}
	for i, p := range o.Panels {
		if other, taken := ids[p.ID]; taken {
			t.Errorf("panel %q has the id of %q", p.Title, other)
		}
		ids[p.ID] = p.Title
		for _, q := range o.Panels[:i] {
			if overlap(p, q) {
				t.Errorf("panel %q lies on %q", p.Title, q.Title)
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.NoValue == "" {
			t.Errorf("panel %d %q wants a title, a description and a text for no value", p.ID, p.Title)
		}
		if d := p.FieldConfig.Defaults; p.Type == "timeseries" && d.Min == nil && d.Custom.FillOpacity > 0 {
			t.Errorf("panel %q fills an area over an axis that may be cut: want min 0, or no area", p.Title)
		}
		if p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q reads %q: want the variable ${datasource}", p.Title, p.Datasource.UID)
		}
		if len(p.Targets) == 0 {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, match := range reference.FindAllStringSubmatch(target.Expr, -1) {
				if !known[match[1]] {
					t.Errorf("panel %q: %s names the unknown variable %s", p.Title, target.Expr, match[1])
				}
			}
			if dayWindow.MatchString(target.Expr) && target.Legend != "{{window}}" && !strings.Contains(p.Title, "full day") {
				t.Errorf("panel %q: %s is of a day: want the legend {{window}}, or a title that says which", p.Title, target.Expr)
			}
			if strings.Contains(target.Expr, "rate(") && !strings.Contains(target.Expr, "$__rate_interval") {
				t.Errorf("panel %q: %s has a fixed interval: want $__rate_interval", p.Title, target.Expr)
			}
		}
	}
}

var selector = regexp.MustCompile(`(kpi_\w+)\{by="(\w+)"[^}]*window=(~?)"([^"]*)"`)

// What panels ask for by name is kept by the default catalogue.
func TestOverviewIsKept(t *testing.T) {
	c, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range readOverview(t).Panels {
		for _, target := range p.Targets {
			for _, m := range selector.FindAllStringSubmatch(target.Expr, -1) {
				k, part := c.Series(m[1])
				if k == nil || !slices.Contains(k.Parts(), part) {
					t.Errorf("panel %q: %s is no series", p.Title, m[1])
					continue
				}
				if _, ok := k.SetOf(strings.Fields(strings.Replace(m[2], "total", "", 1))...); !ok {
					t.Errorf("panel %q: %s is not kept by %s", p.Title, k.Name, m[2])
				}
				for window := range strings.SplitSeq(m[4], "|") {
					if w, err := kpi.ParseWindow(window); window != "$window" && (err != nil || !k.Keeps(w)) {
						t.Errorf("panel %q: %s does not keep %s", p.Title, k.Name, window)
					}
				}
			}
		}
	}
}

// Money is shown where one of several currencies still has a value, and says
// what it is divided by and where it has none.
func TestOverviewMoney(t *testing.T) {
	c, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	o := readOverview(t)
	for _, v := range o.Templating.List {
		if v.Name == "currency" && !strings.Contains(v.Definition, `by="currency"`) {
			t.Errorf(`variable currency asks %s: want by="currency", a total of several has none`, v.Definition)
		}
	}
	shown := 0
	for _, p := range o.Panels {
		for _, target := range p.Targets {
			m := selector.FindStringSubmatch(target.Expr)
			if m == nil || !strings.Contains(target.Expr, `currency="$currency"`) {
				continue
			}
			shown++
			k, _ := c.Series(m[1])
			_, kept := k.SetOf("currency")
			switch {
			case m[2] == "total" && kept:
				t.Errorf(`panel %q: %s is kept by currency: want by="currency"`, p.Title, k.Name)
			case m[2] != "currency" && !strings.Contains(p.Description, "several currencies"):
				t.Errorf("panel %q: %s has no value of several currencies: the description does not say so", p.Title, k.Name)
			}
			if !strings.Contains(p.Description, "currencies with two decimals") {
				t.Errorf("panel %q divides by 100: the description does not say that this is for currencies with two decimals", p.Title)
			}
		}
	}
	if shown == 0 {
		t.Error("no panel shows money")
	}
}

// Targets are drawn beside the values of the same KPI.
func TestOverviewDrawsTargets(t *testing.T) {
	drawn := 0
	for _, p := range readOverview(t).Panels {
		for _, target := range p.Targets {
			m := regexp.MustCompile(`tidewatch_kpi_target\{kpi="(\w+)"\}`).FindStringSubmatch(target.Expr)
			if m == nil {
				continue
			}
			drawn++
			if !strings.HasPrefix(p.Targets[0].Expr, "kpi_"+m[1]+"{") {
				t.Errorf("panel %q shows %s, and the targets of %s", p.Title, p.Targets[0].Expr, m[1])
			}
		}
	}
	if drawn == 0 {
		t.Error("no panel draws targets")
	}
}

func overlap(p, q panel) bool {
	a, b := p.GridPos, q.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}
