package kpi

import (
	"strings"
	"testing"
	"time"
)

const plain = `
kpis:
  - name: x
    title: {en: X}
    sum: {field: amount_minor, where: 'type == "pay" and watch_ms > 0'}
    by: [channel, [region, device]]
    windows: [5m, day]
  - name: y
    count: {where: 'type == "pay" and watch_ms > 0'}
    windows: [1h]
drop: [orders]
`

// The meaning follows what changes numbers, however it is written.
func TestMeaning(t *testing.T) {
	meaning := func(text string, change func(*Catalogue)) string {
		t.Helper()
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(c)
		}
		return string(c.Meaning())
	}
	base := meaning(plain, nil)
	for name, text := range map[string]string{
		"flow style": `{drop: [orders], kpis: [{name: y, windows: [60m], count: {where: '0 < watch_ms && type in ["pay"]'}},
			{windows: [day, 300s], by: [[region, device], channel], name: x, sum: {where: 'watch_ms > 0 and "pay" == type', field: amount_minor}}]}`,
		"comments":        strings.ReplaceAll(plain, "\n", " # a comment\n"),
		"titles":          strings.Replace(plain, "{en: X}", "{en: Y, zh: 某}", 1) + "# end\n",
		"a description":   strings.Replace(plain, "    title:", "    description: {en: Z}\n    title:", 1),
		"an alias":        strings.Replace(strings.Replace(plain, "where: 'type", "where: &w 'type", 1), `count: {where: 'type == "pay" and watch_ms > 0'}`, "count: {where: *w}", 1),
		"a merge key":     strings.Replace(plain, "title: {en: X}", "<<: {unit: money}\n    title: {en: X}", 1),
		"defaults":        strings.Replace(plain, "    by:", "    budget: 10000\n    by:", 1),
		"a unit":          strings.Replace(plain, "name: y\n", "name: y\n    unit: number\n", 1),
		"targets":         strings.Replace(plain, "name: y\n", "name: y\n    targets: {good: 5}\n", 1),
		"an old override": strings.Replace(plain, "windows: [1h]", `windows: ["1h"]`, 1),
	} {
		if got := meaning(text, nil); got != base {
			t.Errorf("%s: got\n%swant\n%s", name, got, base)
		}
	}
	changes := map[string]func(*Catalogue){
		"the zone":     func(c *Catalogue) { c.Location = time.FixedZone("Asia/Shanghai", 8*3600) },
		"the currency": func(c *Catalogue) { c.SetCurrency("CNY") },
	}
	for name, change := range changes {
		if meaning(plain, change) == base {
			t.Errorf("%s makes no difference", name)
		}
	}
	for name, text := range map[string]string{
		"a constant": strings.Replace(plain, "> 0", "> 1", 1), "an operator": strings.Replace(plain, "> 0", ">= 0", 1),
		"a field": strings.Replace(plain, "amount_minor", "watch_ms", 1), "a text": strings.Replace(plain, `"pay"`, `"order"`, 1),
		"a set": strings.Replace(plain, "channel,", "variant,", 1), "the order in a set": strings.Replace(plain, "[region, device]", "[device, region]", 1),
		"a window": strings.Replace(plain, "5m", "10m", 1), "a window more": strings.Replace(plain, "[1h]", "[1h, 1m]", 1),
		"the budget": strings.Replace(plain, "    by:", "    budget: 9999\n    by:", 1),
		"a top list": strings.Replace(plain, "    by: [channel, [region, device]]", "    by: [channel, [region, device]]\n    top: 5", 1),
		"a name":     strings.Replace(plain, "name: y", "name: z", 1), "a drop": strings.Replace(plain, "[orders]", "[orders, plays]", 1),
		"a deduction": strings.Replace(plain, "    windows: [1h]", "    windows: [1h]\n    minus: {count: {where: 'type == \"refund\"'}}", 1),
		"a measure":   strings.Replace(plain, "    count: {where", "    distinct: {field: user_id, where", 1),
	} {
		if meaning(text, nil) == base {
			t.Errorf("%s makes no difference", name)
		}
	}
	// The whole encoding of a KPI, to the letter: states are known by it.
	const want = `
kpi x
numerator sum(amount_minor; by currency; type == "pay" and watch_ms > 0)
by channel region,device total
windows [5m day]
top 0
budget 10000
zone UTC
kpi y
`
	if !strings.Contains(base, want) {
		t.Errorf("got %s\nwant in it %s", base, want)
	}
}

// The ID of a KPI follows the currency of amounts without one as far as its
// numbers do.
func TestIDOfCurrency(t *testing.T) {
	c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(`kpis:
  - {name: filtered, count: {where: 'currency == "CNY"'}, windows: [5m]}
  - {name: broken_down, count: , by: [[channel, currency]], windows: [5m]}
  - {name: share, ratio: {numerator: {count: }, denominator: {sum: {field: amount_minor}}}, windows: [5m]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, k := range c.KPIs {
		before[k.Name] = k.ID
	}
	c.SetCurrency("CNY")
	for name, want := range map[string]bool{"filtered": true, "broken_down": true, "share": true, "gmv_paid": true, "plays": false, "orders": false, "dau": false} {
		if got := c.KPI(name).ID != before[name]; got != want {
			t.Errorf("%s: the ID changed: %v, want %v", name, got, want)
		}
	}
	c.SetCurrency("")
	for _, k := range c.KPIs {
		if k.ID != before[k.Name] {
			t.Errorf("%s became %s", before[k.Name], k.ID)
		}
	}
}

// TestOperatorsByName: what is kept of facts has the operator's name, so that another
// name is another meaning of the catalogue, but the same definition.
func TestOperatorsByName(t *testing.T) {
	load := func(from string) *Catalogue {
		t.Helper()
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte(`
keep: []
operators: [{name: one, sessions: {}}, {name: two, sessions: {}}]
kpis: [{name: a, from: ` + from + `, windows: [day], count: {}}]
`)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := load("one"), load("two")
	if string(one.Meaning()) == string(two.Meaning()) {
		t.Error("the name makes no difference")
	}
	if one.KPIs[0].ID != two.KPIs[0].ID {
		t.Errorf("%s is another definition than %s", one.KPIs[0].ID, two.KPIs[0].ID)
	}
}
