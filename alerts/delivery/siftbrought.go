package delivery

import (
	"slices"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A broughtEntry is an entry of a kind that Alertmanager's packages bring.
type broughtEntry struct {
	kind string
	m    document.Mapping
}

// A need is what an entry has to have under one of its own keys or of global's.
type need struct{ own, global []string }

// needs are what the packages look for in global, too. What else they need they say when
// they read an entry.
var needs = map[string][]need{
	"email":      {{[]string{"smarthost"}, []string{"smtp_smarthost"}}, {[]string{"from"}, []string{"smtp_from"}}},
	"jira":       {{[]string{"api_url"}, []string{"jira_api_url"}}},
	"mattermost": {orFile("webhook_url", "mattermost_webhook_url")},
	"opsgenie":   {orFile("api_key", "opsgenie_api_key")},
	"rocketchat": {orFile("token", "rocketchat_token"), orFile("token_id", "rocketchat_token_id")},
	"slack": {{
		[]string{"api_url", "api_url_file", "app_token", "app_token_file"},
		[]string{"slack_api_url", "slack_api_url_file", "slack_app_token", "slack_app_token_file"},
	}},
	"telegram":  {orFile("bot_token", "telegram_bot_token")},
	"victorops": {orFile("api_key", "victorops_api_key")},
	"wechat":    {orFile("api_secret", "wechat_api_secret"), {[]string{"corp_id"}, []string{"wechat_api_corp_id"}}},
}

func orFile(own, global string) need {
	return need{[]string{own, own + "_file"}, []string{global, global + "_file"}}
}

func (s *sifter) readBrought(n document.Node, m document.Mapping, b bringing) {
	s.brought = append(s.brought, broughtEntry{b.kind, m})
	s.readLanguage(m)
	if err := n.Decode(b.empty()); err != nil && m.Mapped() {
		n.Fail("", secrets(nil).hide(place.ReplaceAllString(err.Error(), "")), "see Alertmanager's documentation of "+b.kind+"_config")
	}
}

// whose is the path of a key of an entry, or of the global one that it has in its place.
func (s *sifter) whose(kind, path, key string) string {
	of := kind
	if kind == "email" {
		of = "smtp"
	}
	i := slices.IndexFunc(s.brought, func(e broughtEntry) bool { return e.m.Path() == path })
	if i >= 0 && !s.brought[i].m.Has(key) && s.global.Has(of+"_"+key) {
		return "global." + of + "_" + key
	}
	return path + "." + key
}

// unread notes that a file cannot be read, once, however many entries have it.
func (s *sifter) unread(path, name string, d *document.Document) {
	if slices.Contains(s.missing, path) {
		return
	}
	s.missing = append(s.missing, path)
	d.Add(&document.Problem{Line: d.Line(path), Path: path, Value: name, Rule: "cannot be read", Remedy: "write that file"})
}

// check looks for what the entry needs.
func (e broughtEntry) check(global document.Mapping) {
	for _, need := range needs[e.kind] {
		has := func(m document.Mapping) func(string) bool {
			return func(key string) bool { _, ok := given(m, key); return ok }
		}
		if !slices.ContainsFunc(need.own, has(e.m)) && !slices.ContainsFunc(need.global, has(global)) {
			e.m.Missing("has no "+need.own[0], "give one, or global."+need.global[0])
		}
	}
}
