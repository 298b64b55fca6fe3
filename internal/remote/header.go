package remote

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
)

// headerFor is what a request to a store begins with. Files are read each time: what they
// have may be renewed while we run.
func headerFor(c *config.RemoteWrite) (http.Header, error) {
	h := http.Header{}
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	for name, file := range c.HeaderFiles {
		value, err := secret("header_files."+name, file)
		if err != nil {
			return nil, err
		}
		h.Set(name, value)
	}
	if c.BearerTokenFile != "" {
		token, err := secret("bearer_token_file", c.BearerTokenFile)
		if err != nil {
			return nil, err
		}
		h.Set("Authorization", "Bearer "+token)
	}
	if a := c.BasicAuth; a.PasswordFile != "" {
		password, err := secret("basic_auth.password_file", a.PasswordFile)
		if err != nil {
			return nil, err
		}
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(a.Username+":"+password)))
	}
	h.Set("Content-Type", "application/x-protobuf")
	h.Set("Content-Encoding", "snappy")
	h.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	return h, nil
}

// secret is the text in a file that a key names, without the blanks around it.
func secret(key, file string) (string, error) {
	data, err := document.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	text := strings.TrimSpace(string(data))
	if !config.ValidHeader(text) {
		return "", fmt.Errorf("read %s: %s has not one line of text: write the secret alone into it", key, file)
	}
	return text, nil
}
