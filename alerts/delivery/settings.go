package delivery

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	amcommon "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/notify"
	commonconfig "github.com/prometheus/common/config"

	"github.com/tidewatch/tidewatch/internal/document"
)

// settings are what a file says of an integration of Alertmanager's packages: a struct of
// theirs, by its keys.
type settings struct{ reflect.Value }

func settingsOf(config any) settings { return settings{reflect.ValueOf(config).Elem()} }

// each visits what is set under a key, in structs below too.
func (s settings) each(visit func(key string, value reflect.Value)) {
	for f, v := range s.Fields() {
		if !f.IsExported() {
			continue
		}
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		visit(key, v)
		if v.Kind() == reflect.Struct {
			settings{v}.each(visit)
		}
	}
}

// openFiles are of keys whose files hold no secret.
var openFiles = []string{"ca_file", "cert_file"}

// files visits the keys that name a file.
func (s settings) files(visit func(key string, value reflect.Value)) {
	s.each(func(key string, v reflect.Value) {
		if strings.HasSuffix(key, "_file") && v.Kind() == reflect.String && v.String() != "" {
			visit(key, v)
		}
	})
}

// secrets are what nobody is to be told: that of the files as they are at this moment.
func (s settings) secrets() (out secrets, err error) {
	s.each(func(_ string, v reflect.Value) {
		switch one := v.Interface().(type) {
		case commonconfig.Secret:
			out.add(string(one))
		case amcommon.SecretURL:
			if one.URL != nil {
				out.addURL(one.URL)
			}
		case commonconfig.HTTPClientConfig:
			out.addConfig(&one)
		}
	})
	s.files(func(key string, v reflect.Value) {
		if slices.Contains(openFiles, key) {
			return
		}
		text, failed := document.ReadFile(v.String())
		if failed != nil {
			err = fmt.Errorf("read %s: %w", key, failed)
			return
		}
		out.add(strings.TrimSpace(string(text)))
	})
	return out, err
}

// templates visits the texts that are templates.
func (s settings) templates(visit func(key, text string)) {
	s.each(func(key string, v reflect.Value) {
		if text, ok := reflect.TypeAssert[string](v); ok && strings.Contains(text, "{{") {
			visit(key, text)
		}
	})
}

// timeout is how long an attempt may take, 0 where nothing says so.
func (s settings) timeout() time.Duration {
	if v := s.FieldByName("Timeout"); v.IsValid() {
		return v.Interface().(time.Duration)
	}
	return 0
}

// keys are those of a struct that is read from YAML.
func keys(t reflect.Type) (out []string) {
	for f := range t.Fields() {
		key, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case rest == "inline":
			out = append(out, keys(f.Type)...)
		case key != "" && key != "-":
			out = append(out, key)
		}
	}
	return out
}

// clientOf is the client by which a package tells its receiver. The packages keep it to
// themselves; nil if there is none.
func clientOf(n notify.Notifier) *http.Client {
	for v := reflect.ValueOf(n); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct; {
		if v = v.Elem().FieldByName("client"); v.IsValid() && v.Type() == reflect.TypeFor[*http.Client]() {
			return (*http.Client)(v.UnsafePointer())
		}
	}
	return nil
}
