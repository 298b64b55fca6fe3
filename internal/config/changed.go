package config

import (
	"reflect"
	"strings"
	"unicode"
)

// Changed are the keys that another reading of the file gives other values, whatever stands in
// the place of these by now.
func (c *Config) Changed(next *Config) []string {
	if c.asRead == nil || next.asRead == nil {
		return nil
	}
	var out []string
	var compare func(path string, a, b reflect.Value)
	compare = func(path string, a, b reflect.Value) {
		for f := range a.Type().Fields() {
			key, x, y := path+keyOf(f.Name), a.FieldByIndex(f.Index), b.FieldByIndex(f.Index)
			switch {
			case !c.given[key] && !next.given[key]: // it follows from others, or is no key
			case x.Kind() == reflect.Struct:
				compare(key+".", x, y)
			case !reflect.DeepEqual(x.Interface(), y.Interface()):
				out = append(out, key)
			}
		}
	}
	compare("", reflect.ValueOf(*c.asRead), reflect.ValueOf(*next.asRead))
	return out
}

// keyOf is the key of a field: dedup_window of DedupWindow.
func keyOf(field string) string {
	var b strings.Builder
	lower := false
	for _, r := range field {
		if unicode.IsUpper(r) && lower {
			b.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
