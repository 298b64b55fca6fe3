package delivery

import (
	"cmp"
	_ "embed"
	tmplhtml "html/template"
	"maps"
	"slices"
	"strings"
	tmpltext "text/template"
	"time"

	"github.com/prometheus/alertmanager/template"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
)

// A wording is how an integration puts what it tells.
type wording struct {
	// language is that of the explanation, "" for none.
	language message.Language
	// texts are the templates of the file, with those that they may leave to others.
	texts *template.Template
}

// explained are the templates that stand in the place of Alertmanager's own where an
// integration has a language.
//
//go:embed explained.tmpl
var explained string

// textsIn are the templates of files, behind those of a language, or Alertmanager's own. All
// have our words: without a language in English, as Alertmanager's are.
func textsIn(l message.Language, files []string) (*template.Template, error) {
	in := cmp.Or(l, message.English)
	var texts *template.Template
	texts, err := template.FromGlobs(nil, withWords(in, func(most int, text string, data *template.Data) (string, error) {
		whole, err := texts.ExecuteTextString(text, data)
		return cut(whole, most, data, in), err
	}))
	if err != nil {
		return nil, err
	}
	if l != "" {
		if err := texts.Parse(strings.NewReader(explained)); err != nil {
			return nil, err
		}
	}
	for _, name := range files {
		if err := texts.FromGlob(name); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// withWords has templates ask for words of a language, and for others to be cut.
func withWords(l message.Language, cut func(most int, text string, about *template.Data) (string, error)) template.Option {
	words := map[string]any{
		"headline": func(told template.Alerts) string { return message.Title(notifications(told), l) },
		"links":    func(a template.Alert) []message.Link { return message.Links(notifications(template.Alerts{a})[0], l) },
		"lines":    func(text string) []string { return strings.Split(text, "\n") },
		"cut":      cut,
	}
	return func(text *tmpltext.Template, html *tmplhtml.Template) {
		text.Funcs(words)
		html.Funcs(words)
	}
}

// notifications are what is left of them in the data of templates.
func notifications(told template.Alerts) (out []*alerts.Notification) {
	for _, a := range told {
		out = append(out, &alerts.Notification{
			Rule: a.Labels["alertname"], Status: alerts.State(a.Status), Labels: a.Labels, Annotations: a.Annotations, Link: a.GeneratorURL,
			Corrected: a.Annotations["corrected"] == "true",
		})
	}
	return out
}

// put are the alerts with how old what they tell is and, in the language if there is one,
// what is known of them. What their rules say themselves stays.
func (w wording) put(told []alerts.Notification, now time.Time) []alerts.Notification {
	out := slices.Clone(told)
	for i := range out {
		n := &out[i]
		own := n.Annotations
		n.Annotations = maps.Clone(own)
		if own["freshness"] == "" {
			n.Annotations["freshness"] = message.Freshness(n, now).String()
		}
		if w.language == "" {
			continue
		}
		if own["explanation"] == "" {
			n.Annotations["explanation"] = message.Explain(n, w.language, now)
		}
		if why := own["resolved_because"]; why != "" {
			n.Annotations["resolved_because"] = message.Because(why, w.language)
		}
	}
	return out
}
