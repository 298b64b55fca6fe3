package plugin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every query of the shipped dashboards is one of this data source, with no word that it
// does not know.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("../../../plugin-*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no dashboards over the plugin: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Panels      []struct{ Targets []json.RawMessage }
			Annotations struct {
				List []struct{ Target json.RawMessage }
			}
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var all []json.RawMessage
		for _, p := range d.Panels {
			all = append(all, p.Targets...)
		}
		for _, a := range d.Annotations.List {
			if a.Target != nil {
				all = append(all, a.Target)
			}
		}
		for _, asked := range all {
			var of struct {
				Query
				RefID      string `json:"refId"`
				Datasource struct{ Type, UID string }
			}
			strict := json.NewDecoder(strings.NewReader(string(asked)))
			strict.DisallowUnknownFields()
			err := strict.Decode(&of)
			if of.Datasource.Type == "prometheus" {
				continue // the service's own metrics
			}
			if err == nil {
				_, err = parse(asked)
			}
			if err != nil || of.RefID == "" || of.Datasource.Type != ID {
				t.Errorf("%s: %s: %v", file, asked, err)
			}
		}
	}
}
