package delivery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/kpi"
)

// low is an alert about a share, with what its rule says.
func low(status alerts.State) alerts.Notification {
	n := says("CompletionLow", status, 60)
	n.Annotations = map[string]string{
		"summary": "Completion is <low>", "value": "0.12", "comparison": "<", "threshold": "0.2", "window": "5m",
		"link": "http://tide.example/?kpi=completion_rate", "runbook_url": "https://wiki.example/low",
	}
	n.Subject = &alerts.Subject{KPI: "completion_rate", Title: kpi.Text{EN: "Completion rate", ZH: "完播率"}, Unit: kpi.UnitPercent}
	n.ActiveAt, n.Link, n.ExternalURL = n.StartsAt, n.Annotations["link"], "http://tide.example"
	if status == alerts.Resolved {
		n.Annotations["resolved_because"] = "its rule is gone"
	}
	n.Identify("")
	return n
}

var shanghai = time.FixedZone("", 8*3600)

// A webhook that has a language gets what is known in it, beside what the rule says.
func TestWebhookLanguage(t *testing.T) {
	now := time.UnixMilli(at1(63)).In(shanghai)
	for _, tt := range []struct {
		keys    string
		lines   []string
		because string
	}{
		{"", nil, "its rule is gone"},
		{", language: zh", []string{"最后的完播率：12%", "条件：低于 20%，窗口 5 分钟", "时间：2027-01-15 16:00:00 至 2027-01-15 16:01:00 +08:00，共 1 分钟", "恢复原因：规则已删除"}, "规则已删除"},
		{", language: en", []string{"Completion rate as last known: 12%", "Condition: below 20%, over 5 min", "Time: 2027-01-15 16:00:00 to 2027-01-15 16:01:00 +08:00, for 1 min", "Resolved because: its rule is gone"}, "its rule is gone"},
	} {
		server, _, bodies := hook(t)
		rs := load(t, t.TempDir(), "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: '"+server.URL+"'"+tt.keys+"}]}]")
		if a := rs.Integrations[0].post(t.Context(), told(low(alerts.Resolved)), now); a.err != nil {
			t.Fatal(a.err)
		}
		var m struct {
			Alerts []struct{ Annotations map[string]string }
		}
		if err := json.Unmarshal(<-bodies, &m); err != nil {
			t.Fatal(err)
		}
		got := m.Alerts[0].Annotations
		for _, line := range tt.lines {
			if !slices.Contains(strings.Split(got["explanation"], "\n"), line) {
				t.Errorf("%s: no line %s in %s", tt.keys, line, got["explanation"])
			}
		}
		if (got["explanation"] == "") != (tt.lines == nil) || got["resolved_because"] != tt.because || got["summary"] != "Completion is <low>" || got["value"] != "0.12" {
			t.Errorf("%s: %q", tt.keys, got)
		}
	}
}

// What the rule itself calls an explanation stays.
func TestOwnExplanation(t *testing.T) {
	n := low(alerts.Firing)
	n.Annotations["explanation"] = "see the board"
	if got := (wording{language: "zh"}).put([]alerts.Notification{n}, time.Now())[0].Annotations["explanation"]; got != "see the board" {
		t.Errorf("explanation %q", got)
	}
}

// A mail in Chinese: what Alertmanager says in English is said in it, and templates of the
// file come first.
func TestEmailLanguage(t *testing.T) {
	s := mailing(t)
	dir, file := mailFile(t, s, ", send_resolved: true, language: zh")
	file = strings.Replace(file, `, headers: {subject: '{{ template "own.subject" . }}'}`, "", 1)
	now := time.UnixMilli(at1(63)).In(shanghai)
	send := func() (subject, html string) {
		t.Helper()
		if a := load(t, dir, file).Integrations[0].post(t.Context(), told(low(alerts.Firing)), now); a.err != nil {
			t.Fatal(a.err)
		}
		return readMail(t, <-s.mails)
	}
	subject, html := send()
	for _, want := range []string{
		"Completion is &lt;low&gt;", "完播率：12%<br>", "条件：低于 20%，窗口 5 分钟<br>",
		`<a href="http://tide.example/?kpi=completion_rate">打开看板</a>`, `<a href="https://wiki.example/low">处理手册</a>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in %s", want, html)
		}
	}
	if subject != "Tidewatch 告警：CompletionLow" || strings.Contains(html, "Alertmanager") || strings.Contains(html, "Labels") {
		t.Errorf("subject %q, body %s", subject, html)
	}
	write(t, dir, "own.tmpl", `{{ define "__subject" }}{{ .CommonLabels.alertname }}: {{ .CommonAnnotations.explanation }}{{ end }}`)
	if subject, _ := send(); !strings.HasPrefix(subject, "CompletionLow: 完播率：12%") {
		t.Errorf("subject %q", subject)
	}
}

// Each kind that the packages bring says what is known, in the language, and nothing in
// another one, where the file leaves the words to us.
func TestPackagedLanguage(t *testing.T) {
	english := []string{"Alerts Firing", "Labels:", "Annotations:", "Source:", "AlertmanagerUrl"}
	for name, config := range map[string]string{
		"slack":      `slack_configs: [{channel: c, api_url: 'ADDRESS/T'`,
		"opsgenie":   `opsgenie_configs: [{api_key: k, api_url: 'ADDRESS/'`,
		"victorops":  `victorops_configs: [{api_key: k, api_url: 'ADDRESS/', routing_key: r`,
		"discord":    `discord_configs: [{webhook_url: 'ADDRESS/'`,
		"msteams":    `msteams_configs: [{webhook_url: 'ADDRESS/'`,
		"msteamsv2":  `msteamsv2_configs: [{webhook_url: 'ADDRESS/'`,
		"mattermost": `mattermost_configs: [{webhook_url: 'ADDRESS/'`,
		"telegram":   `telegram_configs: [{bot_token: t, chat_id: 1, api_url: 'ADDRESS'`,
		"pagerduty":  `pagerduty_configs: [{routing_key: k, url: 'ADDRESS/'`,
	} {
		t.Run(name, func(t *testing.T) {
			server, _, bodies := hook(t)
			rs := load(t, t.TempDir(), fmt.Sprintf("route: {receiver: a}\nreceivers: [{name: a, %s, language: zh}]}]", strings.ReplaceAll(config, "ADDRESS", server.URL)))
			rs.Integrations[0].post(t.Context(), told(low(alerts.Firing)), time.UnixMilli(at1(63)).In(shanghai))
			body := string(<-bodies)
			for _, want := range []string{"告警：CompletionLow", "完播率：12%", "低于 20%", "http://tide.example/?kpi=completion_rate"} {
				if !strings.Contains(body, want) {
					t.Errorf("no %s in %s", want, body)
				}
			}
			for _, other := range english {
				if strings.Contains(body, other) {
					t.Errorf("%s in %s", other, body)
				}
			}
		})
	}
}

// Templates of the file have our words, in the language of what is told, else in English.
func TestWordsInTemplates(t *testing.T) {
	for keys, want := range map[string]string{
		"":               `{"text":"\"Tidewatch firing: CompletionLow, Open the page, Runbook, Completion is \u003clow\u003e\""}`,
		", language: zh": `{"text":"\"Tidewatch 告警：CompletionLow, 打开看板, 处理手册, Completion is \u003clow\u003e\""}`,
	} {
		server, _, bodies := hook(t)
		dir := t.TempDir()
		write(t, dir, "own.tmpl", `{{ define "own" }}"{{ headline .Alerts }}{{ range .Alerts }}{{ range links . }}, {{ .Text }}{{ end }}{{ range lines .Annotations.summary }}, {{ . }}{{ end }}{{ end }}"{{ end }}`)
		rs := load(t, dir, "route: {receiver: a}\ntemplates: [own.tmpl]\nreceivers: [{name: a, webhook_configs: [{url: '"+server.URL+"', payload: {text: '{{ template \"own\" . }}'}"+keys+"}]}]")
		if a := rs.Integrations[0].post(t.Context(), told(low(alerts.Firing)), time.UnixMilli(at1(63)).In(shanghai)); a.err != nil {
			t.Fatal(a.err)
		}
		if got := string(<-bodies); got != want {
			t.Errorf("%s: %s, want %s", keys, got, want)
		}
	}
}
