package endtoend

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOneProcessPerFolder(t *testing.T) {
	t.Parallel()
	first := serving(t, "")
	second := newService(t, "")
	second.data = first.data
	said := second.refuses(t)
	match(t, said, first.data, "another process")
	first.alive(t)
	first.post(t, event("a", time.Now(), "play"))
	first.awaitReceived(t, 1)
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newService(t, "")
	s.addr = l.Addr().String()
	match(t, s.refuses(t), s.addr, "in use: stop what listens there, or choose another with --listen")

	s = newService(t, "", "--nats-listen", l.Addr().String())
	match(t, s.refuses(t), l.Addr().String(), "in use", "nats")
}

func TestListenOnlyLocally(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:8080"} {
		s := newService(t, "")
		s.addr = addr
		match(t, s.refuses(t), addr, "not loopback", "--insecure-listen")
	}
	s := newService(t, "", "--nats-listen", "0.0.0.0:0")
	match(t, s.refuses(t), "0.0.0.0:0", "not loopback", "--insecure-listen")
	out, err := exec.Command(binary, "demo", "--listen", "0.0.0.0:0", "--receiver", "127.0.0.1:0", "--data", t.TempDir()).CombinedOutput()
	if exitCode(err) != 1 {
		t.Errorf("demo: %v\n%s", err, out)
	}
	match(t, string(out), "0.0.0.0:0", "not loopback", "127.0.0.1")
}

// A browser is refused what a foreign page makes it send; on loopback, whatever the
// flags.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--insecure-listen"}} {
		s := serving(t, "", args...)
		for _, c := range []struct {
			name    string
			headers map[string]string
			refused string
		}{
			{"own", nil, ""},
			{"own page", map[string]string{"Origin": "http://" + s.addr}, ""},
			{"rebound name", map[string]string{"Host": "evil.example"}, "evil.example"},
			{"another origin", map[string]string{"Origin": "https://evil.example"}, "https://evil.example"},
			{"another port", map[string]string{"Origin": "http://127.0.0.1:1"}, "http://127.0.0.1:1"},
			{"no origin", map[string]string{"Origin": "null"}, "null"},
		} {
			for _, path := range []string{"/v1/events", "/v1/close"} {
				req, err := http.NewRequest("POST", s.url(path), strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				for k, v := range c.headers {
					req.Header.Set(k, v)
				}
				if host := c.headers["Host"]; host != "" {
					req.Host = host
				}
				r, err := send(req)
				if err != nil {
					t.Fatal(err)
				}
				if refused := r.code == http.StatusForbidden; refused != (c.refused != "") || refused && !strings.Contains(r.err, c.refused) {
					t.Errorf("%s %v: POST %s: %d %s", c.name, args, path, r.code, r.body)
				}
			}
		}
	}
}

func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config string
		files  map[string]string
		says   []string
	}{
		{"unknown key and value", "time_zone: UTC\nlateness: soon\n", nil,
			[]string{"time_zone: is no key here: did you mean timezone?", `lateness: "soon" is no length of time`}},
		{"syntax", "timezone: [UTC\n", nil, []string{"config.yaml:1: is no YAML"}},
		{"binary", "\x00\x01\x02", nil, []string{"config.yaml"}},
		{"missing rule file", "rules: [gone.yml]\n", nil, []string{"rules[0]", "gone.yml", "does not exist"}},
		{"rules", "rules: [rules.yml]\n", map[string]string{"rules.yml": `
groups:
  - name: g
    rules:
      - {alert: A, expr: 'rate(kpi_plays{window="5m"}[5m]) < 1', min_samples: 3}
      - {alert: B, expr: 'kpi_playz{window="5m"} < 1'}
`}, []string{"rules.yml:5", "rules[0].min_samples: is of one selector compared with a number"}},
		{"rule of an unknown KPI", "rules: [rules.yml]\n", map[string]string{"rules.yml": `
groups: [{name: g, rules: [{alert: B, expr: 'kpi_playz{window="5m"} < 1'}]}]
`}, []string{"rules.yml:2", "kpi_playz is no KPI of the catalogue", "plays"}},
		{"receivers", "alertmanager: am.yml\n", map[string]string{"am.yml": `
route: {receiver: ops, color: red}
receivers: [{name: ops, slack_configs: [{channel: '#ops'}]}]
`}, []string{"am.yml:2", "route.color", "am.yml:3", "has no api_url"}},
		{"KPIs", "kpis: [kpis.yaml]\n", map[string]string{"kpis.yaml": `
kpis:
  - name: food
    count: {where: 'type == '}
    windows: [5x]
`}, []string{"kpis.yaml:4", "kpis.yaml:5", "5x"}},
		{"two notions of an active day", "kpis: [kpis.yaml]\n", map[string]string{
			"kpis.yaml": "kpis: [{name: c7, churned: {churn_gap: 7}, windows: [day]}]\n",
		}, []string{"kpis.yaml:1", "share one notion of them", "operators: [{name: days, days: {where: ...}}]"}},
		{"more users than an engine keeps", "kpis: [kpis.yaml]\n", map[string]string{"kpis.yaml": manyUsers()}, []string{"at most 256 can be: drop some"}},
		{"a history shorter than a block", "retention: {history: {other: 1m}}\n", nil, []string{"config.yaml:1: retention.history.other: 1m is too short"}},
		{"a file named twice", "rules: [rules.yml, ./rules.yml]\n", map[string]string{"rules.yml": "groups: []\n"}, []string{"rules[1]", "is the file of rules[0]: keep one"}},
		{"one alert in two files", "rules: [rules.yml, more.yml]\n", map[string]string{
			"rules.yml": `groups: [{name: g, rules: [{alert: P, expr: 'kpi_plays{window="1m"} > 0'}]}]`,
			"more.yml":  `groups: [{name: h, rules: [{alert: P, expr: 'kpi_plays{window="1m"} > 9'}]}]`,
		}, []string{"more.yml:1", "receivers could not tell them apart"}},
		{"a label's label in a branch", "rules: [rules.yml]\n", map[string]string{"rules.yml": `groups: [{name: g, rules: [{alert: A, expr: 'kpi_plays{by="channel",window="1m"} > 0',
  annotations: {s: '{{ if $labels.channel }}{{ with $labels.channel.name }}x{{ end }}{{ end }}'}}]}]`}, []string{"rules.yml:2", "reads into a label"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newService(t, c.config)
			for name, text := range c.files {
				s.file(t, name, text)
			}
			said := s.refuses(t)
			match(t, said, c.says...)
			if strings.Contains(said, "goroutine ") {
				t.Errorf("a user sees a stack:\n%s", said)
			}
			out, err := exec.Command(binary, "check", filepath.Join(s.files, "config.yaml")).CombinedOutput()
			if exitCode(err) != 1 {
				t.Errorf("check passes what serve refuses: %v\n%s", err, out)
			}
			match(t, string(out), c.says...)
		})
	}
}

// manyUsers are KPIs of more sets of distinct users than an engine keeps.
func manyUsers() string {
	var b strings.Builder
	b.WriteString("kpis:\n")
	for i := range 257 {
		fmt.Fprintf(&b, "  - {name: u%d, distinct: {field: user_id, where: 'n == %d'}, windows: [day]}\n", i, i)
	}
	return b.String()
}

// What is hardly meant is said, and serves all the same.
func TestWarnings(t *testing.T) {
	t.Parallel()
	s := newService(t, "rules: [rules.yml]\nkpis: [kpis.yaml]\n")
	rules := s.file(t, "rules.yml", "groups:\n  - name: g\n    rules:\n      - {alert: A, expr: 'kpi_completion_rate{window=\"5m\"} < 20'}\n")
	s.file(t, "kpis.yaml", "kpis: [{name: mine, count: {where: 'chanel == \"a\"'}, windows: [5m]}]\n")
	s.start(t)
	says := []string{"rules.yml:4: groups[0].rules[0].expr: kpi_completion_rate < 20 is always true", "for 20 % write 0.2"}
	match(t, s.text(), says...)
	for _, file := range []string{rules, filepath.Join(s.files, "config.yaml")} {
		out, err := exec.Command(binary, "check", file).CombinedOutput()
		if err != nil {
			t.Errorf("check %s: %v\n%s", file, err, out)
		}
		match(t, string(out), append(says, "warning: ", "no errors")...)
		if file == rules {
			match(t, string(out), "KPIs, 1 group, no errors")
		}
	}
}

// Files are refused by the commands that read them, with the same words.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	s := newService(t, "")
	csv := s.file(t, "data.csv", "1,2\n")
	for _, c := range []struct {
		name, text string
		says       []string
	}{
		{"no list", "header: no\nevents: 3\n", []string{"map.yaml", "events"}},
		{"unknown key", "header: no\ntimes: {}\nevents: [{type: play}]\n", []string{"map.yaml", "times"}},
		{"expression", "header: no\nevents: [{fields: {type: 'c1 +'}}]\n", []string{"map.yaml"}},
		{"empty", "", []string{"map.yaml"}},
	} {
		path := s.file(t, "map.yaml", c.text)
		for _, args := range [][]string{{"check", path}, {"send", "--print", "--map", path, csv}} {
			out, err := exec.Command(binary, args...).CombinedOutput()
			if c.text == "" && args[0] == "check" {
				continue // could be any file in which all is optional
			}
			if exitCode(err) != 1 {
				t.Errorf("%s: %s of a bad map: %v\n%s", c.name, args[0], err, out)
			}
			match(t, string(out), c.says...)
		}
	}
}

// A check of several files names what is wrong in each.
func TestCheckNamesAll(t *testing.T) {
	t.Parallel()
	s := newService(t, "")
	good := s.file(t, "good.yaml", "kpis: [{name: mine, count: {}, windows: [5m]}]\n")
	bad := s.file(t, "bad.yaml", "kpis: [{name: other, cuont: {}, windows: [5m]}]\n")
	one := s.file(t, "one.yaml", "kpi: [{name: one, count: {}, windows: [5m]}]\n")
	operators := s.file(t, "operators.yaml", "operators: [{nam: mine, days: {}}]\n")
	rules := s.file(t, "rules.yml", `groups: [{name: a, rules: [{alert: A, expr: 'kpi_mine{window="1h"} < 1'}, {alert: B, expr: 'sum(kpi_mine{window="5m"}) < 1', min_samples: 3}]}]`)
	s.file(t, "am.yml", "route: {recipient: a}\n")
	configuration := s.file(t, "all.yaml", "timezone: Shanghai\nkpis: [bad.yaml, gone.yaml]\nrules: [rules.yml, rules.yml]\nretention: {history: {2x: 1h}}\nalertmanager: am.yml\n")
	gone := s.file(t, "gone.yml", "kpis: [gone.yaml]\nrules: [rules.yml]\n")
	for _, c := range []struct{ files, says []string }{
		{[]string{gone}, []string{"gone.yml:1: kpis[0]: ", "is of one selector"}},
		{[]string{good, rules}, []string{`window="1h" is not kept for mine`, "is of one selector"}},
		{[]string{good, bad, rules}, []string{"cuont", "is of one selector"}},
		{[]string{configuration}, []string{
			`all.yaml:1: timezone: "Shanghai"`, "all.yaml:2: kpis[1]: ", "all.yaml:4: retention.history.2x: ",
			"bad.yaml:1: kpis[0].cuont", "rules.yml:1: ", "am.yml:1: route.recipient",
		}},
		{[]string{bad, bad, filepath.Dir(bad) + "/./bad.yaml", configuration}, []string{"cuont"}},
		{[]string{operators}, []string{"operators[0].nam: is no key here: did you mean name?"}},
		{[]string{one}, []string{"kpi: is no key here: did you mean kpis? The keys are kpis, operators, seasons, drop, keep"}},
	} {
		out, err := exec.Command(binary, append([]string{"check"}, c.files...)...).CombinedOutput()
		if exitCode(err) != 1 {
			t.Errorf("check %v: %v\n%s", c.files, err, out)
		}
		match(t, string(out), c.says...)
		if strings.Contains(string(out), "kpi_mine is no KPI") {
			t.Errorf("check %v says that a KPI is missing while its file is:\n%s", c.files, out)
		}
		if strings.Count(string(out), "gone.yaml") > 1 || strings.Count(string(out), ".2x") > 1 || strings.Count(string(out), "cuont") > 1 {
			t.Errorf("check %v says it twice:\n%s", c.files, out)
		}
	}
}

// A byte order mark at a file's head means nothing.
func TestCheckWithByteOrderMarks(t *testing.T) {
	t.Parallel()
	s := newService(t, "")
	const mark = "\ufeff"
	kpis := s.file(t, "kpis.yaml", mark+"kpis: [{name: mine, count: {}, windows: [5m]}]\n")
	rules := s.file(t, "rules.yml", mark+`groups: [{name: a, rules: [{alert: A, expr: 'kpi_mine{window="5m"} < 1'}]}]`)
	receivers := s.file(t, "receivers.yml", mark+"route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\n")
	files := []string{
		kpis, rules, receivers,
		s.file(t, "tidewatch.yaml", mark+"kpis: [kpis.yaml]\nrules: [rules.yml]\nalertmanager: receivers.yml\n"),
		s.file(t, "map.yaml", mark+"events: [{fields: {type: '\"x\"', time: ts, user_id: uid}}]\n"),
	}
	out, err := exec.Command(binary, append([]string{"check"}, files...)...).CombinedOutput()
	if exitCode(err) != 0 || strings.Count(string(out), "no errors") != len(files) {
		t.Errorf("check: %v\n%s", err, out)
	}
}

// A configuration under which nobody is told of alerts works, with a warning.
func TestCheckWarns(t *testing.T) {
	t.Parallel()
	const warning = "so nobody is told of alerts"
	s := newService(t, "")
	s.file(t, "webhook.yml", "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]\n")
	empty := s.file(t, "empty.yml", "route: {receiver: ops}\nreceivers: [{name: ops}]\n")
	out, err := exec.Command(binary, "check", empty).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	match(t, string(out), "warning: ", `empty.yml:1: route.receiver: "ops" has no integration, `+warning, "no errors")
	for text, want := range map[string]bool{
		"lateness: 5m":              true,
		"alertmanager: empty.yml":   true,
		"alertmanager: webhook.yml": false,
	} {
		out, err := exec.Command(binary, "check", s.file(t, "checked.yml", text+"\n")).CombinedOutput()
		if err != nil || strings.Contains(string(out), warning) != want {
			t.Errorf("%s: %v\n%s", text, err, out)
		}
		match(t, string(out), "no errors")
	}
	// A file that is given, and named by another that is given, is warned of once.
	kpis := s.file(t, "kpis.yaml", "kpis: [{name: mine, count: {where: 'type == \"plays\"'}, windows: [5m]}]\n")
	both := s.file(t, "both.yaml", "kpis: [kpis.yaml]\nalertmanager: empty.yml\n")
	out, err = exec.Command(binary, "check", kpis, empty, both).CombinedOutput()
	if err != nil || strings.Count(string(out), "warning: ") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	match(t, string(out), `"plays"`, "empty.yml:1: ", "both.yaml: configuration")
}

// What definitions keep of users is told behind files without mistakes, once.
func TestCheckTellsCosts(t *testing.T) {
	t.Parallel()
	s := newService(t, "")
	kpis := s.file(t, "kpis.yaml", `keep: []
kpis: [{name: bought, from: buy_path, count: {where: 'fact == "completed"'}, windows: [24h]}]
operators: [{name: buy_path, funnel: {steps: [{name: click, where: 'type == "click"'}, {name: pay, where: 'type == "pay"'}], window: 2d, hold: content_id}}]
`)
	configuration := s.file(t, "tidewatch.yaml", "kpis: [kpis.yaml]\n")
	const line = "\n  funnel buy_path: 110 to 131 B a user with a funnel of the last 2d, and 56 B for each content_id with one, up to 100\n"
	for _, files := range [][]string{{kpis}, {configuration}, {kpis, configuration}} {
		out, err := exec.Command(binary, append([]string{"check"}, files...)...).CombinedOutput()
		if err != nil || strings.Count(string(out), line) != 1 || strings.Index(string(out), line) < strings.Index(string(out), "no errors\n") {
			t.Errorf("check %v: %v\n%s", files, err, out)
		}
	}
	rules := s.file(t, "rules.yml", "groups: []\n")
	if out, err := exec.Command(binary, "check", rules).CombinedOutput(); err != nil || strings.Contains(string(out), "in memory") {
		t.Errorf("check of rules: %v\n%s", err, out)
	}
}

func exitCode(err error) int {
	e := &exec.ExitError{}
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// TestSecretsOfAddresses: what stands in an address is not said, whether the
// address is good or not.
func TestSecretsOfAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"nats://user:hush@127.0.0.1:1,nats://user:hush@127.0.0.1:2",
		"nats://hush@127.0.0.1:1, nats://hush@127.0.0.1:2",
		"nats://user:hu%zzhush@127.0.0.1:1",
		"nats://user:/hush@127.0.0.1:1",
		"http://user:hush@127.0.0.1:1",
	} {
		s := newService(t, "", "--nats-url", address)
		said := s.refuses(t)
		s = newService(t, "nats: {url: '"+address+"'}\n")
		said += s.refuses(t)
		for _, args := range [][]string{{"send", "--nats-url", address, "-"}, {"send", "--url", address, "-"}} {
			cmd := exec.Command(binary, args...)
			cmd.Stdin = strings.NewReader("{}")
			if strings.HasPrefix(address, "http") && args[1] == "--url" {
				continue // it is tried for minutes
			}
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("%v succeeded", args)
			}
			said += string(out)
		}
		if strings.Contains(said, "hush") || !strings.Contains(said, "127.0.0.1") && !strings.Contains(said, "NATS URL") {
			t.Errorf("%s:\n%s", address, said)
		}
	}
}
