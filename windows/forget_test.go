package windows_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/sample"
	"github.com/tidewatch/tidewatch/windows/users"
)

// One generation of users goes, the next one comes: there are rows for those who are known
// and for 400 days of others, whatever is restarted and at however many partitions. Each is
// found by name, in memory or in a page, and no page has one of somebody who is gone.
func TestGenerations(t *testing.T) {
	const generations, each, apart, shard = 24, 1100, 70, 5
	c := catalogue(t)
	c.ForgetAfter = 120
	s := setup{c, timing(0, time.Minute, time.Minute)}
	p := newPipeline(t, s, 1, newDisk())
	at, sequence := start, uint64(0)
	var ids [generations][]string // all of one shard
	for n := 0; len(ids[generations-1]) < each; n++ {
		g := 0
		for len(ids[g]) == each {
			g++
		}
		if id := fmt.Sprintf("g%d-%d", g, n); users.ShardOf(hashKey.User([]byte(id))) == shard {
			ids[g] = append(ids[g], id)
		}
	}
	feed := func(data []byte) {
		sequence++
		p.feed([]stream.Raw{{Sequence: sequence, Stamp: at, Data: data}})
	}
	for g := range generations {
		var data []byte
		for i, id := range ids[g] {
			data = fmt.Appendf(data, `{"id":"%d","time":%d,"type":"play","user_id":%q,"channel":"c%d"}`+"\n", i, at, id, i%4)
		}
		feed(data)
		if g%3 == 0 {
			p.checkpoint()
		}
		at += 3_600_000
		feed(fmt.Appendf(nil, `{"id":"%d","time":%d,"type":"play","user_id":"clock"}`, g, at))
		p.checkpoint()
		if g%4 == 1 {
			p = recovered(t, s, 1+g%3, p.disk)
		}
		for _, id := range ids[g] {
			if got := p.nameOf(t, id); got != id {
				t.Fatalf("generation %d: %s is named %q", g, id, got)
			}
		}
		for gone := range max(g-1, 0) {
			hash := hashKey.User([]byte(ids[gone][7]))
			if _, known := p.Partitions[shard%len(p.Partitions)].Known(hash); known {
				t.Fatalf("generation %d: %s is known", g, ids[gone][7])
			}
		}
		if got, most := p.Users(), 2*each+1; got > most {
			t.Fatalf("generation %d: %d users, want at most %d", g, got, most)
		}
		at += apart*86_400_000 - 3_600_000
	}
	r := codec.NewReader(p.disk.pages[pageID{page.Users, shard, 0}])
	r.Uint64()
	r.Uint64()
	if rows, most := r.Uvarint(), uint64(400/apart+2)*each; rows > most {
		t.Errorf("%d rows, want at most %d", rows, most)
	}
	for id, data := range p.disk.pages {
		if id.kind == page.Names && bytes.Contains(data, []byte("g0-")) {
			t.Errorf("page %v names who is gone", id)
		}
	}
}

// Somebody has the row of another while the journal still says when that one was there: by
// which event somebody was first seen is known all the same, in whatever is restored.
func TestReuseBetweenCheckpoints(t *testing.T) {
	const day = 86_400_000
	c := catalogue(t)
	c.ForgetAfter = 400
	s := setup{c, timing(0, 10*time.Minute, 10*time.Minute)}
	p := newPipeline(t, s, 1, newDisk()).sparing()
	sequence := uint64(0)
	tell := func(p *pipeline, at int64, user, rest string) {
		sequence++
		data := fmt.Appendf(nil, `{"id":"%d","time":%d,"user_id":%q,%s}`, sequence, at, user, rest)
		p.feed([]stream.Raw{{Sequence: sequence, Stamp: at, Data: data}})
	}
	at := start
	tell(p, at, "clock", `"type":"play","channel":"wechat"`)
	p.checkpoint()
	tell(p, at, "ann", `"type":"play","channel":"douyin"`)
	p.checkpoint()
	for range 2 {
		at += 401 * day
		tell(p, at, "clock", `"type":"play","channel":"wechat"`)
	}
	if _, known := p.Partitions[0].Known(hashKey.User([]byte("ann"))); known {
		t.Fatal("ann is known")
	}
	tell(p, at, "ann", `"type":"impression","channel":"live"`) // by which nobody is active
	p.checkpoint()
	for _, p := range []*pipeline{p, recovered(t, s, 1, p.disk)} {
		tell(p, at+1000, "ann", `"type":"play","channel":"wechat"`)
		tell(p, at+3000, "clock", `"type":"play","channel":"wechat"`)
		live := p.Merger.Live().Ask(merge.Question{KPI: "lifecycle", By: kpi.Set{"state", "channel"}, Window: kpi.Day})
		if got, want := labelsOf(live), `[["new" "wechat"]]`; got != want {
			t.Errorf("there are %s, want %s", got, want)
		}
	}
}

func labelsOf(a *sample.Answer) string {
	var out [][]string
	for _, s := range a.Samples {
		out = append(out, s.Labels)
	}
	return fmt.Sprintf("%q", out)
}

// nameOf is the name of a user as memory or a page has it.
func (p *pipeline) nameOf(t *testing.T, id string) string {
	hash := hashKey.User([]byte(id))
	who, known := p.Partitions[users.ShardOf(hash)%len(p.Partitions)].Find(hash)
	if !known || who.Name != "" {
		return who.Name
	}
	row := who.Ref & 0xffffff
	data, _ := p.disk.Get(page.Names, who.Ref>>24, uint64(row/users.SegmentRows))
	list, err := users.ReadNames(data)
	if err != nil {
		t.Fatal(err)
	}
	return list[row%users.SegmentRows]
}
