package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A test's links lead to the service of the configuration, and its times are in the zone of that.
func TestSendTestOfConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	receivers := write("alertmanager.yml", "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: 'http://hook.example'}]}]\n")
	for _, tt := range []struct {
		file      receiversFile
		url, zone string
	}{
		{receiversFile{Alertmanager: receivers}, DefaultURL, "Asia/Shanghai"},
		{receiversFile{Config: write("named.yaml", "external_url: https://tide.example/\nalertmanager: "+receivers+"\n")}, "https://tide.example", "Asia/Shanghai"},
		{receiversFile{Config: write("port.yaml", "listen: 127.0.0.1:18922\ntimezone: Europe/Paris\nalertmanager: "+receivers+"\n")}, "http://127.0.0.1:18922", "Europe/Paris"},
	} {
		if _, c, err := tt.file.load(); err != nil || c.URL() != tt.url || c.Location.String() != tt.zone {
			t.Errorf("%+v leads to %q in %s, %v, want %q in %s", tt.file, c.URL(), c.Location, err, tt.url, tt.zone)
		}
	}
}
