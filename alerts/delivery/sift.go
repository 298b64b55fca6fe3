package delivery

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	amcommon "github.com/prometheus/alertmanager/config/common"
	amwebhook "github.com/prometheus/alertmanager/notify/webhook"

	"github.com/tidewatch/tidewatch/alerts/delivery/message"
	"github.com/tidewatch/tidewatch/alerts/delivery/robot"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/signature"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// A level is the keys of a mapping that have an effect, and what Alertmanager reads it as, if
// it does.
type level struct {
	keys []string
	of   reflect.Type
}

// supported are the keys of an Alertmanager file that have an effect here.
var supported = map[string]level{
	"":                              {[]string{"global", "route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals", "templates"}, reflect.TypeFor[amconfig.Config]()},
	"global":                        {slices.DeleteFunc(keys(reflect.TypeFor[amconfig.GlobalConfig]()), func(key string) bool { return key == "resolve_timeout" }), reflect.TypeFor[amconfig.GlobalConfig]()}, // it is idle
	"route":                         {routeKeys, reflect.TypeFor[amconfig.Route]()},
	"route.routes[]":                {routeKeys, reflect.TypeFor[amconfig.Route]()},
	"inhibit_rules[]":               {inhibitKeys, reflect.TypeFor[amcommon.InhibitRule]()},
	"time_intervals[]":              {intervalKeys, reflect.TypeFor[amconfig.TimeInterval]()},
	"mute_time_intervals[]":         {intervalKeys, reflect.TypeFor[amconfig.MuteTimeInterval]()},
	"receivers[]":                   {receiverKeys(), reflect.TypeFor[amconfig.Receiver]()},
	"receivers[].webhook_configs[]": {[]string{"url", "url_file", "secret", "secret_file", "language", "send_resolved", "max_alerts", "payload", "http_config", "timeout"}, reflect.TypeFor[amwebhook.WebhookConfig]()},
	// Robots are ours.
	"receivers[].feishu_configs[]":   {keys: []string{"url", "url_file", "secret", "secret_file", "language", "mention", "mention_all", "send_resolved", "http_config", "timeout"}},
	"receivers[].dingtalk_configs[]": {keys: []string{"url", "url_file", "secret", "secret_file", "language", "mention", "mention_all", "send_resolved", "http_config", "timeout"}},
	"receivers[].wecom_configs[]":    {keys: []string{"url", "url_file", "language", "mention", "send_resolved", "http_config", "timeout"}},
}

func init() {
	for _, b := range brought {
		of := reflect.TypeOf(b.empty()).Elem()
		supported["receivers[]."+b.key()+"[]"] = level{append(slices.DeleteFunc(keys(of), func(key string) bool { return key == "update_message" }), "language"), of}
	}
}

// receiverKeys are those of a receiver.
func receiverKeys() []string {
	out := []string{"name", "labels", "fallback", "fallback_after", "webhook_configs"}
	for _, b := range brought {
		out = append(out, b.key())
	}
	for _, kind := range robot.Kinds {
		out = append(out, string(kind)+"_configs")
	}
	return out
}

// anyConfigs is what a receiver can have.
const anyConfigs = "one such as webhook_configs, email_configs, slack_configs or feishu_configs"

// nested are shapes that are read as another one, whose lists they stand in.
var nested = map[string]string{"route.routes[].routes[]": "route.routes[]"}

// idle are keys of Alertmanager's server that change nothing of who is told what, and why.
var idle = map[string]string{
	"global.resolve_timeout": "has no effect: rules say when an alert is over",
	"tracing":                "has no effect: traces are of Alertmanager's server",
	"event_recorder":         "has no effect: GET /api/v1/alerts/history says what fired and who was told",
}

// instead says what to do without a key that is not supported yet.
var instead = map[string]string{
	"sns_configs":    "it takes a cloud's SDK, which is left out: remove it",
	"update_message": "each notification is a message of its own: remove it",
}

// absent says what a robot's protocol does not have.
var absent = map[string][2]string{
	"receivers[].wecom_configs[].secret":      {"is not there: robots of WeCom have no signatures", "remove it"},
	"receivers[].wecom_configs[].secret_file": {"is not there: robots of WeCom have no signatures", "remove it"},
	"receivers[].wecom_configs[].mention_all": {"is not there: the markdown of WeCom mentions single members", "name them under mention"},
}

// A sifter reads an Alertmanager file before Alertmanager's parser does. That one
// stops at the first mistake and does not say where it stands.
type sifter struct {
	dir string // of the file
	// names are those of the receivers.
	names []string
	// receivers are what the routes name.
	receivers []document.Node
	// intervals are the names of the time intervals, timed what the routes name.
	intervals []string
	timed     []document.Node
	// beside are time intervals that the file need not define, defined those of them that
	// are added to it.
	beside  []Interval
	defined []any
	// global is the mapping of that name, brought are the integrations that Alertmanager's
	// packages bring.
	global  document.Mapping
	brought []broughtEntry
	// missing are the keys whose files cannot be read.
	missing []string
	// fallbacks are taken out, by the name of the receiver that has one.
	fallbacks map[string]fallbackEntry
	// languages are taken out, by the path of the integration.
	languages map[string]message.Language
	// secrets of webhooks are taken out, by the path of the webhook.
	secrets map[string]shared
	// robots are taken out, by the place of their receiver.
	robots map[int][]robotEntry
}

// sift takes out of the document what has no effect here and what Alertmanager does not
// know, and notes what is wrong.
func (s *sifter) sift(root document.Node) {
	s.mapping(root, "")
	for _, n := range s.receivers {
		known(n, s.names, "receiver", "receivers")
	}
	s.define()
	for _, n := range s.timed {
		known(n, s.intervals, "time interval", "time_intervals")
	}
	s.checkFallbacks()
	for _, e := range s.brought {
		e.check(s.global)
	}
}

// known checks that a name is among those that the file defines under a key.
func known(n document.Node, names []string, noun, key string) {
	name := n.Text()
	if name == "" || slices.Contains(names, name) {
		return
	}
	remedy := "add it under " + key
	if near := spelling.Nearest(name, names); near != "" {
		remedy = "did you mean " + near + "?"
	} else if len(names) > 0 {
		remedy = "use one of " + strings.Join(names, ", ")
	}
	n.Fail(n.Shown(), "is no "+noun+" of this file", remedy)
}

func (s *sifter) mapping(n document.Node, shape string) {
	level, ok := supported[shape]
	if !ok {
		return
	}
	m := n.Entries()
	for _, key := range m.Keys {
		if why, ok := idle[strings.TrimPrefix(shape+"."+key, ".")]; ok {
			value, _ := m.Get(key)
			value.Warn("", why, "remove it")
			m.Remove(key)
			continue
		}
		if !slices.Contains(level.keys, key) {
			not, known := absent[shape+"."+key]
			switch remedy, ok := instead[key]; {
			case known:
				m.FailKey(key, not[0], not[1])
			case level.of == nil, !hasKey(level.of, key):
				m.Unknown(key, level.keys...)
			case ok:
				m.FailKey(key, "is not supported yet", remedy)
			default:
				m.FailKey(key, "is not supported yet", "remove it")
			}
			m.Remove(key)
			continue
		}
		inner := strings.TrimPrefix(shape+"."+key, ".")
		items := inner + "[]"
		if as, ok := nested[items]; ok {
			items = as
		}
		if _, ok := supported[items]; !ok {
			value, _ := m.Get(key)
			s.mapping(value, inner)
			continue
		}
		for _, item := range m.List(key) {
			s.mapping(item, items)
		}
		if supported[items].of == nil {
			m.Remove(key)
		}
	}
	switch shape {
	case "":
		if _, ok := given(m, "route"); !ok {
			m.Missing("has no route", "add route: {receiver: NAME}")
		}
	case "global":
		s.global = m
	case "route":
		s.readTop(m)
	case "route.routes[]":
		s.readRoute(m)
	case "inhibit_rules[]":
		readInhibition(m)
	case "time_intervals[]", "mute_time_intervals[]":
		s.readInterval(m)
	case "receivers[]":
		s.readReceiver(m)
	case "receivers[].webhook_configs[]":
		s.readWebhook(m)
	case "receivers[].feishu_configs[]":
		s.readRobot(m, robot.Feishu)
	case "receivers[].dingtalk_configs[]":
		s.readRobot(m, robot.DingTalk)
	case "receivers[].wecom_configs[]":
		s.readRobot(m, robot.WeCom)
	}
	for _, b := range brought {
		if shape == "receivers[]."+b.key()+"[]" {
			s.readBrought(n, m, b)
		}
	}
}

// given is the value of a key, unless it is null.
func given(m document.Mapping, key string) (document.Node, bool) {
	n, ok := m.Get(key)
	return n, ok && !n.Null()
}

// readName adds the name of one of a kind to those of the others.
func readName(m document.Mapping, others []string, kind string) []string {
	n, ok := given(m, "name")
	if !ok {
		m.Missing("has no name", "give it one")
		return others
	}
	switch name := n.Text(); {
	case name == "":
	case slices.Contains(others, name):
		n.Fail(n.Shown(), "is the name of another "+kind, "give each its own")
	default:
		others = append(others, name)
	}
	return others
}

func (s *sifter) readReceiver(m document.Mapping) {
	s.names = readName(m, s.names, "receiver")
	readTexts(m, "labels")
	s.readFallback(m)
}

func (s *sifter) readWebhook(m document.Mapping) {
	s.checkAddress(m, true)
	if s.secrets == nil {
		s.secrets = map[string]shared{}
	}
	s.secrets[m.Path()] = s.readSecret(m, func(text string) *document.Problem {
		_, problem := signature.ParseKey(text)
		return problem
	})
	m.Remove("secret")
	m.Remove("secret_file")
	s.readLanguage(m)
	if _, ok := timeout(m); !ok {
		m.Remove("timeout")
	}
}

// checkAddress looks for an address, which may be a template or not, or a file that says it.
func (s *sifter) checkAddress(m document.Mapping, templated bool) {
	address, hasURL := given(m, "url")
	file, hasFile := given(m, "url_file")
	switch {
	case hasURL && hasFile:
		m.FailKey("url_file", "stands beside url", "keep one of the two")
	case hasURL:
		checkURL(address, templated)
	case hasFile:
		s.checkFile(file, "address")
	default:
		m.Missing("has no url", "give one, or a url_file that holds it")
	}
}

// A shared secret is one that signs, or the file that holds it.
type shared struct{ text, file string }

// readSecret reads what messages are signed with, which has to be fit for that. What it says
// does not repeat the secret.
func (s *sifter) readSecret(m document.Mapping, unfit func(text string) *document.Problem) shared {
	secret, has := given(m, "secret")
	file, hasFile := given(m, "secret_file")
	switch {
	case has && hasFile:
		m.FailKey("secret_file", "stands beside secret", "keep one of the two")
	case hasFile:
		s.checkFile(file, "secret")
		if text, err := held("", beside(s.dir, value(m, "secret_file")), "secret_file"); err == nil {
			if problem := unfit(text); problem != nil {
				file.Fail(file.Shown(), problem.Rule, problem.Remedy)
			}
		}
	case has && (!secret.Scalar() || strings.TrimSpace(secret.Value()) == ""):
		secret.Fail("", "is no text", "give the secret that the receiver knows")
	case has:
		if problem := unfit(secret.Value()); problem != nil {
			secret.Fail("", problem.Rule, problem.Remedy)
		}
	}
	return shared{value(m, "secret"), beside(s.dir, value(m, "secret_file"))}
}

// timeout is how long an attempt may take, 0 when that is not given.
func timeout(m document.Mapping) (d time.Duration, ok bool) {
	n, is := given(m, "timeout")
	if !is {
		return 0, true
	}
	d, err := time.ParseDuration(n.Value())
	if !n.Scalar() || err != nil || d < 0 {
		n.Fail(n.Shown(), "is no length of time", "give one such as 10s")
		return 0, false
	}
	return d, true
}

// checkURL does not repeat the address: it may hold a secret.
func checkURL(n document.Node, templated bool) {
	text := n.Text()
	if text == "" {
		return
	}
	if strings.Contains(text, "{{") {
		if _, err := amcommon.ContainsTemplating(text); err != nil {
			n.Fail("", "is a template that cannot be read", "see Alertmanager's documentation of templates")
		} else if !templated {
			n.Fail("", "is a template, which a robot's is not", "write the address itself")
		}
	} else if _, err := amcommon.ParseURL(text); err != nil {
		n.Fail("", "is no address to post to", "write http:// or https://, a host and a path, such as http://127.0.0.1:9000/hook")
	}
}

// checkFile looks for a file that is to hold something.
func (s *sifter) checkFile(n document.Node, what string) {
	name := n.Text()
	if name == "" {
		return
	}
	if _, err := os.Stat(beside(s.dir, name)); err != nil {
		n.Fail(beside(s.dir, name), "cannot be read", "write the "+what+" into that file")
	}
}

// beside is the name of a file that one in the folder names, "" for none.
func beside(dir, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// hasKey reports whether a struct is read from the key.
func hasKey(t reflect.Type, key string) bool {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == key || strings.Contains(f.Tag.Get("yaml"), ",inline") && hasKey(f.Type, key) {
			return true
		}
	}
	return false
}
