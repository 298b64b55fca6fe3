package openapi

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// itemSchema is the schema of each item: itemSchema in OpenAPI 3.2.
const itemSchema = "x-itemSchema"

// lines are the items of NDJSON.
func lines(text []byte) (items []any, err error) {
	for line := range bytes.Lines(text) {
		item, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			return nil, fmt.Errorf("read line: %w: %s", err, line)
		}
		items = append(items, item)
	}
	return items, nil
}

// events are the items of server-sent events, each an object of its fields. Comments are
// none, nor is what says but when to come back.
func events(text []byte) (items []any, err error) {
	for block := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n\n"), "\n\n") {
		item := map[string]any{}
		for line := range strings.SplitSeq(block, "\n") {
			name, value, ok := strings.Cut(line, ": ")
			switch {
			case !ok:
				return nil, fmt.Errorf("line %q of a stream is no field", line)
			case name != "" && name != "retry":
				item[name] = value
			}
		}
		if len(item) > 0 {
			items = append(items, item)
		}
	}
	return items, nil
}
