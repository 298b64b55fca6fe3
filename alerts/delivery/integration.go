package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	amcommon "github.com/prometheus/alertmanager/config/common"
	commonconfig "github.com/prometheus/common/config"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/document"
)

// An Integration is one way in which a receiver is told: an entry of its webhook_configs, or
// of another kind.
type Integration struct {
	// Receiver is the receiver's name.
	Receiver string
	// Name tells the integrations of a receiver apart: "oncall", "oncall[1]",
	// "oncall/email", "oncall/feishu[1]".
	Name string
	// URL is where to post, or URLFile names the file that says it.
	URL     string
	URLFile string
	// Secret signs, or SecretFile names the file that says it. By default nothing is
	// signed.
	Secret     string
	SecretFile string
	// SendResolved is unset for one that is told of firing alerts only.
	SendResolved bool
	// Timeout bounds one attempt. By default 10 s.
	Timeout time.Duration

	fallback fallback
	protocol protocol
	client   *http.Client
	private  secrets // of the file
}

const defaultTimeout = 10 * time.Second

// named names the i-th integration of its kind; webhooks have none.
func named(receiver, kind string, i int) string {
	if kind != "" {
		receiver += "/" + kind
	}
	if i > 0 {
		receiver = fmt.Sprintf("%s[%d]", receiver, i)
	}
	return receiver
}

// share has messages be signed.
func (g *Integration) share(s shared) {
	g.Secret, g.SecretFile = s.text, s.file
	g.private.add(s.text)
}

// secret is what messages are signed with, "" where they are not.
func (g *Integration) secret() (string, error) {
	text, err := held(g.Secret, g.SecretFile, "secret_file")
	if err == nil && text == "" && g.SecretFile != "" {
		err = errors.New("secret_file is empty: write the secret into it")
	}
	return text, err
}

// connect makes the client.
func (g *Integration) connect(c commonconfig.HTTPClientConfig, dir string) error {
	if g.Timeout == 0 {
		g.Timeout = defaultTimeout
	}
	c.SetDirectory(dir)
	client, err := commonconfig.NewClientFromConfig(c, "webhook", commonconfig.WithUserAgent("tidewatch"))
	if err != nil {
		return err
	}
	if c.FollowRedirects {
		client.CheckRedirect = sameHost
	}
	g.client = client
	g.private.addConfig(&c)
	return nil
}

// carry has a transport carry the requests.
func (g *Integration) carry(t http.RoundTripper) {
	if g.client == nil {
		return
	}
	if l, heard := g.client.Transport.(listener); heard {
		t = listener{t, l.ear}
	}
	g.client.Transport = t
}

// sameHost follows a redirect that keeps the method and the host. Another would
// lose the body, or carry it to a host that nobody configured.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 5 || req.Method != first.Method || req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// address is where to post what was written.
func (g *Integration) address(out *request) (*url.URL, error) {
	text, err := held(g.URL, g.URLFile, "url_file")
	if err != nil {
		return nil, err
	}
	if out.fill != nil && strings.Contains(text, "{{") {
		if text, err = out.fill(text); err != nil {
			return nil, reason.NoAddress.Alone()
		}
		if _, err := amcommon.ParseURL(text); err != nil {
			return nil, reason.NoAddress.Alone()
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, reason.NoURL.Alone()
	}
	if len(out.query) > 0 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += out.query.Encode()
	}
	return u, nil
}

// held is what a file holds, if there is one. It is read each time: its secret may be
// renewed while we run.
func held(text, file, key string) (string, error) {
	if file == "" {
		return text, nil
	}
	b, err := document.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	return strings.TrimSpace(string(b)), nil
}
