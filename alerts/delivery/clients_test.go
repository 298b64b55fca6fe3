//go:build clients

package delivery

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// alertmanagerServer starts Debian's Alertmanager, which tells a webhook.
func alertmanagerServer(t *testing.T, hook string) (address string) {
	t.Helper()
	path, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Fatal("prometheus-alertmanager is missing: install Debian's package prometheus-alertmanager")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	dir := t.TempDir()
	file := write(t, dir, "am.yml", `
route: {receiver: hook, group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: '`+hook+`'}]}]
`)
	cmd := exec.Command(path, "--config.file="+file, "--storage.path="+dir+"/data", "--web.listen-address="+address, "--cluster.listen-address=")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(said)
	for ready := false; !ready; {
		if !lines.Scan() {
			t.Fatal("Alertmanager ended")
		}
		ready = strings.Contains(lines.Text(), "Listening on")
	}
	go func() {
		for lines.Scan() { // so that it is not held up
			_ = lines.Text()
		}
	}()
	return address
}

// Debian's Alertmanager takes what is forwarded, shows it, tells its own receivers, and hears
// of the resolve.
func TestDebiansAlertmanager(t *testing.T) {
	said := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Status       string
			CommonLabels map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		said <- fmt.Sprint(m.CommonLabels["alertname"], " ", m.Status)
	}))
	t.Cleanup(hook.Close)
	address := alertmanagerServer(t, hook.URL)

	low := says("Low", alerts.Firing, 1)
	low.StartsAt = time.Now()
	fires := make(chan []alerts.Notification, 1)
	fires <- []alerts.Notification{low}
	d := deliverer(t, nil, newBox(), Options{Alertmanagers: []Alertmanager{{URL: "http://" + address}}, Firing: func() []alerts.Notification {
		now := <-fires
		fires <- now
		return now
	}})
	notifyAll(t, d, low)
	if got := <-said; got != "Low firing" {
		t.Errorf("Alertmanager told %s", got)
	}
	resp, err := http.Get("http://" + address + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var shown []struct {
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
		Status              struct{ State string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&shown); err != nil {
		t.Fatal(err)
	}
	if len(shown) != 1 || shown[0].Labels["alertname"] != "Low" || shown[0].Annotations["value"] != "0.1" || shown[0].Status.State != "active" || !shown[0].EndsAt.After(low.StartsAt.Add(3*time.Minute)) {
		t.Errorf("shown %+v", shown)
	}
	over := says("Low", alerts.Resolved, 2)
	over.StartsAt, over.EndsAt = low.StartsAt, time.Now()
	<-fires
	fires <- nil
	notifyAll(t, d, over)
	if got := <-said; got != "Low resolved" {
		t.Errorf("Alertmanager told %s", got)
	}
}
