package acceptance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/send"
	"github.com/tidewatch/tidewatch/kpi"
)

// The files of examples are what readers copy: each loads without an error.
func TestExamples(t *testing.T) {
	examples := filepath.Join("..", "..", "examples", "*")
	maps, err := filepath.Glob(filepath.Join(examples, "map.yaml"))
	if err != nil || len(maps) < 3 {
		t.Fatalf("found the maps %v (%v), want at least three", maps, err)
	}
	for _, path := range maps {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := send.CheckMap(path, data); err != nil {
			t.Error(err)
		}
	}
	configs, err := filepath.Glob(filepath.Join(examples, "config.yaml"))
	if err != nil || len(configs) < 3 {
		t.Fatalf("found the configurations %v (%v), want at least three", configs, err)
	}
	for _, path := range configs {
		c, err := config.Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		var files []kpi.File
		for _, name := range c.KPIs {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, kpi.File{Name: name, Data: data})
		}
		if _, err := kpi.Load(c.Location, files...); err != nil || len(files) == 0 {
			t.Errorf("load %q: %v", c.KPIs, err)
		}
	}
}
