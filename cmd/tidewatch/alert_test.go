package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A test's links lead to the service of the configuration.
func TestSendTestLink(t *testing.T) {
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
		file receiversFile
		want string
	}{
		{receiversFile{Alertmanager: receivers}, DefaultURL},
		{receiversFile{Config: write("named.yaml", "external_url: https://tide.example/\nalertmanager: "+receivers+"\n")}, "https://tide.example"},
		{receiversFile{Config: write("port.yaml", "listen: 127.0.0.1:18922\nalertmanager: "+receivers+"\n")}, "http://127.0.0.1:18922"},
	} {
		if _, url, err := tt.file.load(); err != nil || url != tt.want {
			t.Errorf("%+v leads to %q, %v, want %q", tt.file, url, err, tt.want)
		}
	}
}
