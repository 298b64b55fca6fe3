package delivery

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/discord"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/alertmanager/notify/incidentio"
	"github.com/prometheus/alertmanager/notify/jira"
	"github.com/prometheus/alertmanager/notify/mattermost"
	"github.com/prometheus/alertmanager/notify/msteams"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/opsgenie"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/notify/pushover"
	"github.com/prometheus/alertmanager/notify/rocketchat"
	"github.com/prometheus/alertmanager/notify/slack"
	"github.com/prometheus/alertmanager/notify/telegram"
	"github.com/prometheus/alertmanager/notify/victorops"
	"github.com/prometheus/alertmanager/notify/webex"
	"github.com/prometheus/alertmanager/notify/wechat"
	"github.com/prometheus/alertmanager/template"
	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// brought are the integrations that Alertmanager's packages bring, but for the webhook and
// for SNS, which would take a cloud's SDK.
var brought = []bringing{
	bring("discord", func(r *amconfig.Receiver) []*discord.DiscordConfig { return r.DiscordConfigs }, discord.New),
	bring("email", func(r *amconfig.Receiver) []*amconfig.EmailConfig { return r.EmailConfigs }, newEmail),
	bring("incidentio", func(r *amconfig.Receiver) []*incidentio.IncidentioConfig { return r.IncidentioConfigs }, incidentio.New),
	bring("jira", func(r *amconfig.Receiver) []*jira.JiraConfig { return r.JiraConfigs }, jira.New),
	bring("mattermost", func(r *amconfig.Receiver) []*mattermost.MattermostConfig { return r.MattermostConfigs }, mattermost.New),
	bring("msteams", func(r *amconfig.Receiver) []*msteams.MSTeamsConfig { return r.MSTeamsConfigs }, msteams.New),
	bring("msteamsv2", func(r *amconfig.Receiver) []*msteamsv2.MSTeamsV2Config { return r.MSTeamsV2Configs }, msteamsv2.New),
	bring("opsgenie", func(r *amconfig.Receiver) []*opsgenie.OpsGenieConfig { return r.OpsGenieConfigs }, opsgenie.New),
	bring("pagerduty", func(r *amconfig.Receiver) []*pagerduty.PagerdutyConfig { return r.PagerdutyConfigs }, pagerduty.New),
	bring("pushover", func(r *amconfig.Receiver) []*amconfig.PushoverConfig { return r.PushoverConfigs }, pushover.New),
	bring("rocketchat", func(r *amconfig.Receiver) []*amconfig.RocketchatConfig { return r.RocketchatConfigs }, rocketchat.New),
	bring("slack", func(r *amconfig.Receiver) []*amconfig.SlackConfig { return r.SlackConfigs }, slack.New),
	bring("telegram", func(r *amconfig.Receiver) []*telegram.TelegramConfig { return r.TelegramConfigs }, telegram.New),
	bring("victorops", func(r *amconfig.Receiver) []*amconfig.VictorOpsConfig { return r.VictorOpsConfigs }, victorops.New),
	bring("webex", func(r *amconfig.Receiver) []*amconfig.WebexConfig { return r.WebexConfigs }, webex.New),
	bring("wechat", func(r *amconfig.Receiver) []*amconfig.WechatConfig { return r.WechatConfigs }, wechat.New),
}

// A bringing is a kind of integration, as the keys of a file begin: email_configs.
type bringing struct {
	kind string
	// empty makes a configuration to be read.
	empty func() any
	// of are the configurations of a receiver.
	of func(*amconfig.Receiver) []any
	// open makes what is told.
	open func(config any, t *template.Template) (notify.Notifier, error)
}

func bring[C any, N notify.Notifier](kind string, of func(*amconfig.Receiver) []*C, open func(*C, *template.Template, *slog.Logger, ...commonconfig.HTTPClientOption) (N, error)) bringing {
	return bringing{
		kind:  kind,
		empty: func() any { return new(C) },
		of: func(r *amconfig.Receiver) (out []any) {
			for _, c := range of(r) {
				out = append(out, c)
			}
			return out
		},
		open: func(c any, t *template.Template) (notify.Notifier, error) {
			return open(c.(*C), t, promslog.NewNopLogger(), commonconfig.WithUserAgent("tidewatch"))
		},
	}
}

// key is where they stand in a receiver.
func (b bringing) key() string { return b.kind + "_configs" }

// defaultEmailTimeout is how long a mail may take: servers let strangers wait.
const defaultEmailTimeout = 30 * time.Second

// integration is one that the package brings.
func (b bringing) integration(config any, receiver string, place int, w wording) (*Integration, error) {
	own, s := *w.texts, settingsOf(config)
	w.texts = &own
	n, err := b.open(fitting(config), w.texts)
	if err != nil {
		return nil, err
	}
	g := &Integration{Receiver: receiver, Name: named(receiver, b.kind, place), SendResolved: config.(notify.ResolvedSender).SendResolved(),
		Timeout: s.timeout()}
	if g.Timeout == 0 {
		if g.Timeout = defaultTimeout; b.kind == "email" {
			g.Timeout = defaultEmailTimeout
		}
	}
	p := packaged{Notifier: n, receiver: receiver, wording: w, settings: s, ear: &ear{}}
	if g.client = clientOf(n); g.client != nil {
		g.client.Transport, g.client.Timeout = listener{g.client.Transport, p.ear}, g.Timeout
		if g.client.CheckRedirect == nil {
			g.client.CheckRedirect = sameHost
		}
	}
	if slices.Contains(deaf, b.kind) {
		p.Notifier = &patient{n, make(chan struct{}, mostLeft)}
	}
	g.protocol = p
	return g, nil
}

func newEmail(c *amconfig.EmailConfig, t *template.Template, l *slog.Logger, _ ...commonconfig.HTTPClientOption) (notify.Notifier, error) {
	return email.New(c, t, l), nil
}

// packaged is told by Alertmanager's package.
type packaged struct {
	notify.Notifier
	receiver string
	// The texts are this one's own: the address of this service stands in them.
	wording
	settings settings
	ear      *ear
}

func (packaged) limits() limits { return limits{} }

func (packaged) together([]*entry) int { return 1 }

// post tells the receiver as Alertmanager would. Whether it is worth another try the package
// says, and for how long the receiver wants to be left alone its answer.
func (p packaged) post(ctx context.Context, _ *Integration, batch []*entry, now time.Time) attempt {
	e := batch[0]
	private, err := p.settings.secrets()
	if err != nil {
		return attempt{err: err, unreachable: true}
	}
	if p.texts.ExternalURL == nil {
		if p.texts.ExternalURL, err = url.Parse(e.Notification.ExternalURL); err != nil {
			p.texts.ExternalURL = &url.URL{}
		}
	}
	told := notify.WithReceiverName(ctx, p.receiver)
	told = notify.WithGroupKey(told, e.Group.Key)
	told = notify.WithGroupLabels(told, labelSet(e.Group.Labels))
	told = notify.WithNotificationReason(told, reasonOf(e.Group.Reason))
	list := p.alerts(e, now)
	if len(e.Group.Route) > 0 {
		data := p.texts.Data(p.receiver, labelSet(e.Group.Labels), labelSet(e.Group.Route), e.Group.Reason, list...)
		told = notify.WithRouteLabels(told, labelSet(fillIn(p.texts, *data)))
	}
	p.ear.listen()
	again, err := p.Notify(told, list...)
	if err == nil {
		return attempt{}
	}
	if cause := context.Cause(ctx); cause != nil {
		return attempt{err: cause}
	}
	asked, answer := p.ear.heard()
	for _, r := range asked {
		private.addRequest(r)
	}
	a := attempt{err: err, refused: !again}
	if _, ours := errors.AsType[reason.Reason](err); !ours {
		a.err = errors.New(excerpt(private.hide(line(err.Error()))))
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok { // of a mail server
		a.refused = reply.Code >= 500
		return a
	}
	if answer == nil {
		if a.unreachable = again || len(asked) > 0; a.unreachable {
			a.refused = false
		}
		return a
	}
	code := answer.StatusCode
	a.refused = a.refused && (code/100 == 2 || retry.Refused(code))
	a.whole = whole(code)
	a.heed(answer)
	return a
}

// alerts are those of a notification, as Alertmanager has them.
func (w wording) alerts(e *entry, now time.Time) []*alert.Alert {
	var out []*alert.Alert
	for _, n := range w.put(e.alerts(), now) {
		one := &alert.Alert{Alert: model.Alert{
			Labels: labelSet(n.Labels), Annotations: labelSet(n.Annotations), StartsAt: n.StartsAt, EndsAt: n.EndsAt, GeneratorURL: n.Link,
		}, UpdatedAt: now}
		if n.Status == alerts.Resolved && (n.EndsAt.IsZero() || n.EndsAt.After(now)) {
			one.EndsAt = now // it goes by the clock whether an alert is over
		}
		out = append(out, one)
	}
	return out
}

func labelSet(m map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(m))
	for k, v := range m {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return set
}

// reasonOf is the reason that reads so.
func reasonOf(text string) notify.NotifyReason {
	for r := range notify.ReasonUnknown {
		if r.String() == text {
			return r
		}
	}
	return notify.ReasonUnknown
}

// An ear hears what goes over the wire in an attempt.
type ear struct {
	mu     sync.Mutex
	asked  []*http.Request
	answer *http.Response // the last, nil if there was none
}

// listen begins to hear.
func (e *ear) listen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked, e.answer = nil, nil
}

func (e *ear) heard() (asked []*http.Request, answer *http.Response) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked, e.answer
}

// A listener has an ear for what it carries.
type listener struct {
	http.RoundTripper
	ear *ear
}

func (l listener) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	l.ear.mu.Lock()
	defer l.ear.mu.Unlock()
	l.ear.asked = append(l.ear.asked, r)
	if l.ear.answer = nil; err == nil {
		l.ear.answer = resp
	}
	return resp, err
}

// deaf are the kinds whose packages do not heed the context.
var deaf = []string{"email", "telegram"}

// A patient notifier does not heed its context: who waits for it goes on without it when the
// time is over.
type patient struct {
	notify.Notifier
	underWay chan struct{} // one for each attempt
}

// mostLeft bounds the attempts that are under way, most of them left to themselves.
const mostLeft = 4

func (p *patient) Notify(ctx context.Context, told ...*alert.Alert) (bool, error) {
	select {
	case p.underWay <- struct{}{}:
	default:
		return true, reason.Unanswered.Of(reason.Args{"count": mostLeft})
	}
	type end struct {
		again bool
		err   error
	}
	ended := make(chan end, 1)
	go func() {
		again, err := p.Notifier.Notify(ctx, told...)
		ended <- end{again, err}
		<-p.underWay
	}()
	select {
	case e := <-ended:
		return e.again, e.err
	case <-ctx.Done():
		return true, context.Cause(ctx)
	}
}
