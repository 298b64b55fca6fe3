package delivery

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	commonconfig "github.com/prometheus/common/config"

	"github.com/tidewatch/tidewatch/alerts/delivery/message"
	"github.com/tidewatch/tidewatch/alerts/delivery/robot"
	"github.com/tidewatch/tidewatch/internal/document"
)

// A robotEntry is an entry of feishu_configs, dingtalk_configs or wecom_configs.
type robotEntry struct {
	kind        robot.Kind
	place       int // in its list
	path        string
	line        int // of its http_config
	integration *Integration
	http        *commonconfig.HTTPClientConfig // nil for the global one
}

func (s *sifter) readRobot(m document.Mapping, kind robot.Kind) {
	e := robotEntry{kind: kind, path: m.Path(), line: m.Line(), integration: &Integration{SendResolved: true}}
	var receiver int
	if _, err := fmt.Sscanf(e.path, "receivers[%d]."+string(kind)+"_configs[%d]", &receiver, &e.place); err != nil {
		panic(err) // no other path has robots
	}
	s.checkAddress(m, false)
	r := &robot.Robot{Kind: kind, Language: cmp.Or(language(m), message.Chinese), Mention: mentioned(m)}
	if n, ok := given(m, "mention_all"); ok {
		r.MentionAll, _ = n.Bool()
	}
	g := e.integration
	g.protocol = chat{r}
	g.URL, g.URLFile = value(m, "url"), beside(s.dir, value(m, "url_file"))
	g.share(s.readSecret(m, func(string) *document.Problem { return nil }))
	g.Timeout, _ = timeout(m)
	if n, ok := given(m, "send_resolved"); ok {
		g.SendResolved, _ = n.Bool()
	}
	if n, ok := given(m, "http_config"); ok {
		e.http, e.line = httpConfig(n), n.Line()
	}
	if s.robots == nil {
		s.robots = map[int][]robotEntry{}
	}
	s.robots[receiver] = append(s.robots[receiver], e)
}

// value is the text of a key that has been looked at, "" without one.
func value(m document.Mapping, key string) string {
	n, ok := given(m, key)
	if !ok || !n.Scalar() {
		return ""
	}
	return n.Value()
}

// language is the one that an integration names, "" for none.
func language(m document.Mapping) message.Language {
	n, ok := given(m, "language")
	if !ok {
		return ""
	}
	l := message.Language(n.Value())
	if !n.Scalar() || l != message.Chinese && l != message.English {
		n.Fail(n.Shown(), "is no language here", "use zh or en")
		return ""
	}
	return l
}

// readLanguage takes it out of what Alertmanager's parser reads.
func (s *sifter) readLanguage(m document.Mapping) {
	if s.languages == nil {
		s.languages = map[string]message.Language{}
	}
	s.languages[m.Path()] = language(m)
	m.Remove("language")
}

const mostMentioned = 20

// person is how robots know people: by ids or mobile numbers.
var person = regexp.MustCompile(`^[A-Za-z0-9+_.@-]{1,64}$`)

func mentioned(m document.Mapping) (who []string) {
	n, ok := given(m, "mention")
	if !ok {
		return nil
	}
	for _, item := range n.Items() {
		if !item.Scalar() || !person.MatchString(item.Value()) {
			item.Fail(item.Shown(), "is nobody's id", "give a user id, of DingTalk a mobile number too")
			continue
		}
		who = append(who, strings.TrimPrefix(item.Value(), "@"))
	}
	if len(who) > mostMentioned {
		n.Fail("", fmt.Sprintf("names %d people", len(who)), fmt.Sprintf("name at most %d", mostMentioned))
	}
	return who
}

// place is where the parser of http_config says that a mistake stands: not in this file.
var place = regexp.MustCompile(`^(yaml: )?(unmarshal errors:\s*)?(line \d+: )?`)

func httpConfig(n document.Node) *commonconfig.HTTPClientConfig {
	text, err := n.Bytes()
	if err == nil {
		var c *commonconfig.HTTPClientConfig
		if c, err = commonconfig.LoadHTTPConfig(string(text)); err == nil {
			return c
		}
	}
	n.Fail("", secrets(nil).hide(place.ReplaceAllString(err.Error(), "")), "see Alertmanager's documentation of http_config")
	return nil
}
