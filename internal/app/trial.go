package app

import (
	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

// A trial is the rules of a file that are tried beside those at work.
type trial struct {
	file *alerts.RuleFile
	all  *alerts.Engine
	// recordings are those at work, with the file's in the place of the same name.
	recordings []queryable.Recording
}

func readTrial(name string, data []byte, c *kpi.Catalogue, o alerts.EngineOptions, atWork []queryable.Recording) (t trial, err error) {
	if t.file, err = alerts.LoadRules(name, data, c); err != nil {
		return t, err
	}
	if t.all, err = alerts.NewEngine([]*alerts.RuleFile{t.file}, c, o); err != nil {
		return t, err
	}
	own, err := recordingsOf(t.all.Recordings())
	if err != nil {
		return t, err
	}
	t.recordings = instead(atWork, own)
	return t, queryable.CheckRecordings(t.recordings)
}

// Warnings are what the author of the file hardly meant.
func (t *trial) Warnings() (list []string) {
	for _, w := range t.file.Warnings {
		list = append(list, w.Error())
	}
	return list
}
